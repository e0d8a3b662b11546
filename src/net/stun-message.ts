/**
 * STUN messages as bytes: Binding requests, answers to them, the address in an answer.
 *
 * RFC 5389 §6, §15, §7.3.1; no credentials, as RFC 5626 §8 wants on a SIP port.
 */
import { crc32 } from 'node:zlib'
import { ipBytes, ipOfBytes } from '../core/ip-bytes.ts'
import type { Endpoint } from './network.ts'

const magicCookie = 0x2112a442
const headerBytes = 20
const types = { request: 0x0001, success: 0x0101, error: 0x0111 } as const
const attributes = {
  mappedAddress: 0x0001,
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  xorMappedAddress: 0x0020,
  fingerprint: 0x8028,
} as const
/** §15: below this, an attribute that is not understood makes the request fail. */
const firstOptional = 0x8000
const understood = new Set<number>([attributes.username, attributes.messageIntegrity])
const fingerprintMask = 0x5354554e

export const stunIdBytes = 12

/** §6: two zero bits, and the cookie that no other protocol has there. A SIP message starts with a letter. */
export const isStun = (bytes: Buffer): boolean =>
  bytes.length >= headerBytes && (bytes[0] ?? 0xff) < 0x40 && bytes.readUInt32BE(4) === magicCookie

/** The transaction id of a success response, as hex; undefined for everything else. */
export const answeredStunId = (bytes: Buffer): string | undefined =>
  isStun(bytes) && bytes.readUInt16BE(0) === types.success ? bytes.toString('hex', 8, headerBytes) : undefined

/** @param id 12 random bytes. */
export const bindingRequest = (id: Buffer): Buffer => printStun(types.request, id, [])

/**
 * The answer to a Binding request: the address it came from, or 420 when it asks for what we do not understand.
 *
 * @returns undefined for what is no Binding request, or a broken one: nothing is to be sent then (§7.3).
 */
export function answerBinding(request: Buffer, from: Endpoint): Buffer | undefined {
  if (!isStun(request) || request.readUInt16BE(0) !== types.request) return undefined
  const found = attributesOf(request)
  if (!found) return undefined
  const id = request.subarray(8, headerBytes)
  const last = found.at(-1)
  const signed = last?.type === attributes.fingerprint
  if (signed && last.value.readUInt32BE(0) !== fingerprintOf(request.subarray(0, -8))) return undefined
  const unknown = found.map(({ type }) => type).filter((type) => type < firstOptional && !understood.has(type))
  if (unknown.length > 0) return printStun(types.error, id, refusal(unknown), signed)
  return printStun(types.success, id, [[attributes.xorMappedAddress, xorAddress(request, from)]], signed)
}

/** The address in the success response to the request of that id; undefined for everything else. */
export function mappedIn(bytes: Buffer, id: Buffer): Endpoint | undefined {
  if (!isStun(bytes) || bytes.readUInt16BE(0) !== types.success) return undefined
  if (!bytes.subarray(8, headerBytes).equals(id)) return undefined
  const found = attributesOf(bytes) ?? []
  const valueOf = (wanted: number): Buffer | undefined => found.find(({ type }) => type === wanted)?.value
  const masked = valueOf(attributes.xorMappedAddress)
  if (masked) return endpointIn(masked, bytes.subarray(4, headerBytes))
  const plain = valueOf(attributes.mappedAddress) // servers of RFC 3489
  return plain && endpointIn(plain, Buffer.alloc(16))
}

interface Attribute {
  readonly type: number
  readonly value: Buffer
}

/** undefined when lengths do not add up. */
function attributesOf(message: Buffer): Attribute[] | undefined {
  if (message.readUInt16BE(2) !== message.length - headerBytes) return undefined
  const found: Attribute[] = []
  let at = headerBytes
  while (at + 4 <= message.length) {
    const length = message.readUInt16BE(at + 2)
    const end = at + 4 + length
    if (end > message.length) return undefined
    found.push({ type: message.readUInt16BE(at), value: message.subarray(at + 4, end) })
    at = end + padding(length)
  }
  const signature = found.find(({ type }) => type === attributes.fingerprint)
  if (signature && (signature !== found.at(-1) || signature.value.length !== 4)) return undefined
  return at === message.length ? found : undefined
}

const padding = (length: number): number => (4 - (length % 4)) % 4

function printStun(
  type: number,
  id: Buffer,
  contents: readonly (readonly [type: number, value: Buffer])[],
  signed = false,
): Buffer {
  const body = Buffer.concat(
    contents.flatMap(([name, value]) => [uint16(name, value.length), value, Buffer.alloc(padding(value.length))]),
  )
  const head = Buffer.alloc(headerBytes)
  head.writeUInt16BE(type, 0)
  head.writeUInt16BE(body.length + (signed ? 8 : 0), 2)
  head.writeUInt32BE(magicCookie, 4)
  id.copy(head, 8)
  const message = Buffer.concat([head, body])
  if (!signed) return message
  const signature = Buffer.alloc(8)
  signature.writeUInt16BE(attributes.fingerprint, 0)
  signature.writeUInt16BE(4, 2)
  signature.writeUInt32BE(fingerprintOf(message), 4)
  return Buffer.concat([message, signature])
}

const uint16 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(2 * values.length)
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, 2 * index)
  return bytes
}

/** §15.5. The length in the header counts the attribute that follows `before`. */
const fingerprintOf = (before: Buffer): number => (crc32(before) ^ fingerprintMask) >>> 0

/** §15.2: XORed with the cookie and the transaction id, so that no NAT on the way rewrites it. */
function xorAddress(request: Buffer, { ip, port }: Endpoint): Buffer {
  const address = ipBytes(ip)
  const value = Buffer.concat([Buffer.of(0, address.length === 4 ? 1 : 2), uint16(port), address])
  const mask = request.subarray(4, headerBytes)
  value.writeUInt16BE(port ^ mask.readUInt16BE(0), 2)
  for (let at = 4; at < value.length; at++) value[at] = (value[at] ?? 0) ^ (mask[at - 4] ?? 0)
  return value
}

/** @param mask What it is XORed with: magic cookie and transaction id, or zeros. */
function endpointIn(value: Buffer, mask: Buffer): Endpoint | undefined {
  if (value.length !== (value[1] === 1 ? 8 : 20)) return undefined
  const ip = ipOfBytes(value.subarray(4).map((byte, index) => byte ^ (mask[index] ?? 0)))
  return ip === undefined ? undefined : { ip, port: value.readUInt16BE(2) ^ mask.readUInt16BE(0) }
}

/** §15.6, §15.9. */
const refusal = (unknown: readonly number[]): (readonly [number, Buffer])[] => [
  [attributes.errorCode, Buffer.concat([Buffer.of(0, 0, 4, 20), Buffer.from('Unknown Attribute')])],
  [attributes.unknownAttributes, uint16(...unknown)],
]
