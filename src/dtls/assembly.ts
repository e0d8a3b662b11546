/**
 * Handshake messages out of their fragments, in their order (RFC 6347 §4.2.3): what is lost, doubled or out of place on
 * the way changes nothing of them.
 */
import { Reader } from './bytes.ts'
import type { HandshakeMessage } from './messages.ts'

/** Bytes of a message: hellos with keys of post-quantum groups have 1.7 kB, certificates less. */
const maxMessageBytes = 16_384
/** Messages ahead of the next one that are kept; a flight has six at most. */
const maxAhead = 8

export interface Fragment {
  readonly type: number
  readonly sequence: number
  /** Of the whole message. */
  readonly length: number
  readonly from: number
  readonly body: Buffer
}

/** The fragments in a record; those before a malformed one count. */
export function fragmentsIn(record: Buffer): Fragment[] {
  const reader = new Reader(record)
  const found: Fragment[] = []
  while (reader.left > 0) {
    const type = reader.uint8()
    const length = reader.uint24()
    const sequence = reader.uint16()
    const from = reader.uint24()
    const body = reader.vector24()
    if (reader.failed || from + body.length > length || length > maxMessageBytes) break
    found.push({ type, sequence, length, from, body })
  }
  return found
}

interface Partial {
  readonly type: number
  readonly bytes: Buffer
  /** A byte for each, 1 when it is there. */
  readonly have: Uint8Array
  missing: number
}

export class Assembly {
  readonly #partial = new Map<number, Partial>()
  /** The number of the next message. */
  next: number

  constructor(first = 0) {
    this.next = first
  }

  /** Whether a message before the next one is repeated: the peer has not got our answer. */
  isRepeated({ sequence }: Fragment): boolean {
    return sequence < this.next
  }

  add({ type, sequence, length, from, body }: Fragment): void {
    if (sequence < this.next || sequence >= this.next + maxAhead) return
    let partial = this.#partial.get(sequence)
    if (!partial) {
      partial = { type, bytes: Buffer.alloc(length), have: new Uint8Array(length), missing: length }
      this.#partial.set(sequence, partial)
    }
    if (partial.type !== type || partial.bytes.length !== length) return
    for (const [index, byte] of body.entries()) {
      if (partial.have[from + index]) continue
      partial.have[from + index] = 1
      partial.bytes[from + index] = byte
      partial.missing--
    }
  }

  /** The next message, once it is whole. */
  take(): HandshakeMessage | undefined {
    const partial = this.#partial.get(this.next)
    if (!partial || partial.missing > 0) return undefined
    this.#partial.delete(this.next)
    return { type: partial.type, sequence: this.next++, body: partial.bytes }
  }
}
