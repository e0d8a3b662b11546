/**
 * The SIP messages of a call as files: a capture for Wireshark and sngrep, and text to paste into a mail.
 *
 * In the capture every message is one UDP datagram, whatever it came by: TLS stands there readable, and a message whose
 * credentials were removed has no length that a stream would have to keep. The transport stands in the message's Via.
 */
import { readEndpoint } from '../core/ip.ts'
import type { TracedMessage } from '../events/catalogue.ts'
import { framesOf } from './packets.ts'

/** The classic format: magic, version 2.4, 256 KiB at most a packet, Ethernet. */
const fileHead = Buffer.alloc(24)
fileHead.writeUInt32LE(0xa1b2c3d4, 0)
fileHead.writeUInt16LE(2, 4)
fileHead.writeUInt16LE(4, 6)
fileHead.writeUInt32LE(262_144, 16)
fileHead.writeUInt32LE(1, 20)

export function pcapOf(messages: readonly TracedMessage[]): Buffer {
  const records = messages.flatMap((message, index) => {
    const { from, to } = wayOf(message)
    const datagram = { from: readEndpoint(from), to: readEndpoint(to), payload: Buffer.from(message.text) }
    return framesOf(datagram, index + 1).flatMap((frame) => [recordHead(message.atMs, frame.length), frame])
  })
  return Buffer.concat([fileHead, ...records])
}

export function textOf(messages: readonly TracedMessage[]): string {
  return messages
    .map((message) => {
      const { from, to } = wayOf(message)
      const at = new Date(message.atMs).toISOString()
      return `${at} ${from} -> ${to} ${message.transport.toUpperCase()}\n\n${message.text.replaceAll('\r\n', '\n').trimEnd()}\n`
    })
    .join(`\n${'-'.repeat(72)}\n`)
}

const wayOf = ({ direction, local, remote }: TracedMessage): { readonly from: string; readonly to: string } =>
  direction === 'in' ? { from: remote, to: local } : { from: local, to: remote }

function recordHead(atMs: number, bytes: number): Buffer {
  const head = Buffer.alloc(16)
  head.writeUInt32LE(Math.floor(atMs / 1_000), 0)
  head.writeUInt32LE(Math.floor((atMs % 1_000) * 1_000), 4)
  head.writeUInt32LE(bytes, 8)
  head.writeUInt32LE(bytes, 12)
  return head
}
