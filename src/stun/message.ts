/**
 * STUN messages as bytes, and read again: header, attributes, addresses, integrity and fingerprint (RFC 8489 §5, §14).
 *
 * What a message asks for is for others to know: net/stun-message.ts on SIP ports, ice/ on media ports.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { ipBytes, ipOfBytes } from '../core/ip-bytes.ts'

const magicCookie = 0x2112a442
export const stunHeaderBytes = 20
export const stunTypes = { request: 0x0001, success: 0x0101, error: 0x0111, indication: 0x0011 } as const
export const stunAttributes = {
  mappedAddress: 0x0001,
  username: 0x0006,
  messageIntegrity: 0x0008,
  errorCode: 0x0009,
  unknownAttributes: 0x000a,
  xorMappedAddress: 0x0020,
  priority: 0x0024,
  useCandidate: 0x0025,
  fingerprint: 0x8028,
  iceControlled: 0x8029,
  iceControlling: 0x802a,
} as const
/** §14: below this, an attribute that is not understood makes the request fail. */
export const firstOptionalAttribute = 0x8000
const fingerprintMask = 0x5354554e
const fingerprintBytes = 8
const integrityBytes = 24

export interface StunAddress {
  readonly ip: string
  readonly port: number
}

export interface StunAttribute {
  readonly type: number
  readonly value: Buffer
  /** Where it begins in the message. */
  readonly at: number
}

/** §5: two zero bits, and the cookie that no other protocol has there. A SIP message starts with a letter. */
export const isStun = (bytes: Buffer): boolean =>
  bytes.length >= stunHeaderBytes && (bytes[0] ?? 0xff) < 0x40 && bytes.readUInt32BE(4) === magicCookie

export const stunTypeOf = (message: Buffer): number => message.readUInt16BE(0)

/** The transaction id. */
export const stunIdOf = (message: Buffer): Buffer => message.subarray(8, stunHeaderBytes)

/** The attributes of a message of STUN; undefined when lengths do not add up or the fingerprint is another. */
export function stunAttributesOf(message: Buffer): StunAttribute[] | undefined {
  if (message.readUInt16BE(2) !== message.length - stunHeaderBytes) return undefined
  const found: StunAttribute[] = []
  let at = stunHeaderBytes
  while (at + 4 <= message.length) {
    const length = message.readUInt16BE(at + 2)
    const end = at + 4 + length
    if (end > message.length) return undefined
    found.push({ type: message.readUInt16BE(at), value: message.subarray(at + 4, end), at })
    at = end + padding(length)
  }
  if (at !== message.length) return undefined
  const fingerprint = found.find(({ type }) => type === stunAttributes.fingerprint)
  if (!fingerprint) return found
  const isLast = fingerprint === found.at(-1) && fingerprint.value.length === 4
  return isLast && fingerprint.value.readUInt32BE(0) === fingerprintOf(message.subarray(0, fingerprint.at))
    ? found
    : undefined
}

/** Whether the message has integrity by this key, and is as it was sent up to there (§14.5). */
export function hasIntegrity(message: Buffer, found: readonly StunAttribute[], key: string): boolean {
  const integrity = found.find(({ type }) => type === stunAttributes.messageIntegrity)
  if (integrity?.value.length !== integrityBytes - 4) return false
  return timingSafeEqual(integrity.value, integrityOf(message.subarray(0, integrity.at), key))
}

/** What of the attributes is covered by integrity: those behind it do not count (§14.5). */
export function coveredByIntegrity(found: readonly StunAttribute[]): readonly StunAttribute[] {
  const end = found.findIndex(({ type }) => type === stunAttributes.messageIntegrity)
  return end < 0 ? [] : found.slice(0, end)
}

export interface StunPrint {
  readonly type: number
  /** 12 bytes. */
  readonly id: Uint8Array
  readonly attributes: readonly (readonly [type: number, value: Uint8Array])[]
  /** Key of MESSAGE-INTEGRITY; none when left out. */
  readonly key?: string
  readonly fingerprint?: boolean
}

export function printStun({ type, id, attributes, key, fingerprint = false }: StunPrint): Buffer {
  const body = attributes.flatMap(([name, value]) => [
    uint16(name, value.length),
    value,
    Buffer.alloc(padding(value.length)),
  ])
  const head = Buffer.alloc(stunHeaderBytes)
  head.writeUInt16BE(type, 0)
  head.writeUInt32BE(magicCookie, 4)
  head.set(id, 8)
  let message: Buffer = Buffer.concat([head, ...body])
  message.writeUInt16BE(message.length - stunHeaderBytes, 2)
  if (key !== undefined)
    message = append(message, stunAttributes.messageIntegrity, integrityBytes, (before) => integrityOf(before, key))
  if (!fingerprint) return message
  return append(message, stunAttributes.fingerprint, fingerprintBytes, (before) => {
    const value = Buffer.alloc(4)
    value.writeUInt32BE(fingerprintOf(before))
    return value
  })
}

/** The length in the header counts what is appended, before its value is computed. */
function append(message: Buffer, type: number, bytes: number, valueOf: (before: Buffer) => Buffer): Buffer {
  message.writeUInt16BE(message.length - stunHeaderBytes + bytes, 2)
  return Buffer.concat([message, uint16(type, bytes - 4), valueOf(message)])
}

const padding = (length: number): number => (4 - (length % 4)) % 4

export const uint16 = (...values: readonly number[]): Buffer => {
  const bytes = Buffer.alloc(2 * values.length)
  for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, 2 * index)
  return bytes
}

/** §14.7. The length in the header counts the attribute that follows `before`. */
const fingerprintOf = (before: Buffer): number => (crc32(before) ^ fingerprintMask) >>> 0

/** §14.5: the length in the header ends with this attribute, whatever follows it. */
function integrityOf(before: Buffer, key: string): Buffer {
  const head = Buffer.from(before.subarray(0, stunHeaderBytes))
  head.writeUInt16BE(before.length - stunHeaderBytes + integrityBytes, 2)
  return createHmac('sha1', key).update(head).update(before.subarray(stunHeaderBytes)).digest()
}

/** §14.2: XORed with the cookie and the transaction id of the message, so that no NAT on the way rewrites it. */
export function xorAddress(message: Buffer, { ip, port }: StunAddress): Buffer {
  const address = ipBytes(ip)
  const value = Buffer.concat([Buffer.of(0, address.length === 4 ? 1 : 2), uint16(port), address])
  const mask = message.subarray(4, stunHeaderBytes)
  value.writeUInt16BE(port ^ mask.readUInt16BE(0), 2)
  for (let at = 4; at < value.length; at++) value[at] = (value[at] ?? 0) ^ (mask[at - 4] ?? 0)
  return value
}

/** @param message Whose cookie and id the address is XORed with; undefined for MAPPED-ADDRESS, which is in the clear. */
export function addressIn(value: Buffer, message: Buffer | undefined): StunAddress | undefined {
  const mask = message ? message.subarray(4, stunHeaderBytes) : Buffer.alloc(16)
  if (value.length !== (value[1] === 1 ? 8 : 20)) return undefined
  const ip = ipOfBytes(value.subarray(4).map((byte, index) => byte ^ (mask[index] ?? 0)))
  return ip === undefined ? undefined : { ip, port: value.readUInt16BE(2) ^ mask.readUInt16BE(0) }
}

/** ERROR-CODE (§14.8). */
export const errorCode = (code: number, reason: string): Buffer =>
  Buffer.concat([Buffer.of(0, 0, Math.floor(code / 100), code % 100), Buffer.from(reason)])
