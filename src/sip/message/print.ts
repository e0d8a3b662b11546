import { encodeHead } from './octets.ts'
import type { SipMessage } from './types.ts'

/** A message as bytes. Content-Length is written from the body whatever the headers say, in its place or last. */
export function printMessage(message: SipMessage): Buffer {
  let head =
    message.kind === 'request'
      ? `${message.method} ${message.uri} SIP/2.0\r\n`
      : `SIP/2.0 ${message.status} ${message.reason.replaceAll(/[\r\n]+/g, ' ')}\r\n`
  let lengthWritten = false
  for (const [name, value] of message.headers.entries()) {
    const isLength = (name.length === 14 || name.length === 1) && /^(?:content-length|l)$/i.test(name)
    if (isLength && lengthWritten) continue
    head += isLength ? `${name}: ${message.body.length}\r\n` : `${name}: ${value}\r\n`
    lengthWritten ||= isLength
  }
  head += lengthWritten ? '\r\n' : `Content-Length: ${message.body.length}\r\n\r\n`
  if (!head.isWellFormed()) return Buffer.concat([encodeHead(head), message.body])
  const headBytes = Buffer.byteLength(head)
  const bytes = Buffer.allocUnsafe(headBytes + message.body.length)
  bytes.write(head)
  bytes.set(message.body, headBytes)
  return bytes
}

/** How many bytes `printMessage` makes of it, give or take a few: without printing it. */
export function printedBytes(message: SipMessage): number {
  const first = message.kind === 'request' ? message.method.length + message.uri.length : message.reason.length
  let bytes = first + message.body.length + aroundHeaders
  for (const [name, value] of message.headers.entries()) bytes += name.length + Buffer.byteLength(value) + 4
  return bytes
}

/** Version, status, blanks, Content-Length, the empty line. */
const aroundHeaders = 40
