/**
 * What one side says before it waits: handshake messages as datagrams, sent again until the other side answers
 * (RFC 6347 §4.2.4). Each sending has records of its own; the messages stay the same.
 */
import { type HandshakeMessage, handshakeHeaderBytes, printFragment } from './messages.ts'
import { contentTypes, type RecordLayer, recordHeaderBytes, sealedExtraBytes } from './record.ts'

/** A message and the epoch it belongs to; ChangeCipherSpec is no handshake message and is not fragmented. */
export type Part = { readonly epoch: 0 | 1; readonly message: HandshakeMessage } | 'change-cipher-spec'

/** Bytes of a datagram: what passes everywhere, IPv6 and tunnels included. */
export const maxDatagramBytes = 1200

/** Datagrams of this flight; several records in one as far as they fit. */
export function printFlight(parts: readonly Part[], records: RecordLayer): Buffer[] {
  const datagrams: Buffer[] = []
  let open: Buffer[] = []
  let used = 0
  const close = (): void => {
    if (open.length > 0) datagrams.push(Buffer.concat(open))
    open = []
    used = 0
  }
  const put = (record: Buffer): void => {
    open.push(record)
    used += record.length
  }
  for (const part of parts) {
    if (part === 'change-cipher-spec') {
      if (used + recordHeaderBytes + 1 > maxDatagramBytes) close()
      put(records.seal(contentTypes.changeCipherSpec, 0, Buffer.of(1)))
      continue
    }
    const { epoch, message } = part
    const extra = handshakeHeaderBytes + (epoch === 0 ? recordHeaderBytes : sealedExtraBytes)
    let from = 0
    do {
      // A piece is worth a record of its own when it carries more than its headers.
      if (maxDatagramBytes - used < 2 * extra) close()
      const to = Math.min(message.body.length, from + maxDatagramBytes - used - extra)
      put(records.seal(contentTypes.handshake, epoch, printFragment(message, from, to)))
      from = to
    } while (from < message.body.length)
  }
  close()
  return datagrams
}
