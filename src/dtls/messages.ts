/**
 * Handshake messages as bytes, and read again: RFC 5246 §7.4, RFC 6347 §4.2, RFC 8422, RFC 5764, RFC 7627, RFC 5746.
 *
 * Readers return undefined for what is malformed. Extensions that are not known are passed over.
 */
import type { SrtpSuite } from '../core/srtp.ts'
import { cipherSuites, groups, signatureSchemes, srtpProfiles } from './algorithms.ts'
import { Reader, uint8, uint16, uint16s, uint24, vector8, vector16, vector24 } from './bytes.ts'
import { dtls10, dtls12 } from './record.ts'

export const handshakeTypes = {
  helloRequest: 0,
  clientHello: 1,
  serverHello: 2,
  helloVerifyRequest: 3,
  newSessionTicket: 4,
  certificate: 11,
  serverKeyExchange: 12,
  certificateRequest: 13,
  serverHelloDone: 14,
  certificateVerify: 15,
  clientKeyExchange: 16,
  finished: 20,
} as const

export const handshakeHeaderBytes = 12
export const randomBytesOfHello = 32

/** A whole message. */
export interface HandshakeMessage {
  readonly type: number
  readonly sequence: number
  readonly body: Buffer
}

/** As it counts in the transcript: as if it had come in one piece (RFC 6347 §4.2.6). */
export const printMessage = ({ type, sequence, body }: HandshakeMessage): Buffer =>
  printFragment({ type, sequence, body }, 0, body.length)

/** A piece of it, with its header. */
export const printFragment = (message: HandshakeMessage, from: number, to: number): Buffer =>
  Buffer.concat([
    uint8(message.type),
    uint24(message.body.length),
    uint16(message.sequence),
    uint24(from),
    uint24(to - from),
    message.body.subarray(from, to),
  ])

const extensionTypes = {
  supportedGroups: 10,
  pointFormats: 11,
  signatureAlgorithms: 13,
  useSrtp: 14,
  extendedMasterSecret: 23,
  renegotiationInfo: 0xff01,
} as const
/** RFC 5746 §3.3: says what the extension says, to servers that stumble over extensions. */
const renegotiationScsv = 0x00ff

const extension = (type: number, body: Uint8Array): Buffer => Buffer.concat([uint16(type), vector16(body)])
const codes = (list: readonly { readonly code: number }[]): Buffer =>
  Buffer.concat(list.map(({ code }) => uint16(code)))
/** No MKI: the last byte is its length (RFC 5764 §4.1.1). */
const useSrtp = (list: readonly { readonly code: number }[]): Buffer =>
  extension(extensionTypes.useSrtp, Buffer.concat([vector16(codes(list)), uint8(0)]))
const uncompressedPoints = extension(extensionTypes.pointFormats, vector8(uint8(0)))
const noRenegotiation = extension(extensionTypes.renegotiationInfo, vector8())
const extendedMaster = extension(extensionTypes.extendedMasterSecret, Buffer.alloc(0))

function extensionsIn(reader: Reader): ReadonlyMap<number, Buffer> | undefined {
  const found = new Map<number, Buffer>()
  if (reader.left === 0) return reader.failed ? undefined : found
  const list = new Reader(reader.vector16())
  while (list.left > 0 && !list.failed) {
    const type = list.uint16()
    const body = list.vector16()
    if (found.has(type)) return undefined
    found.set(type, body)
  }
  return list.failed || !reader.done ? undefined : found
}

const srtpProfilesIn = (extensions: ReadonlyMap<number, Buffer>): number[] =>
  uint16s(new Reader(extensions.get(extensionTypes.useSrtp) ?? Buffer.alloc(2)).vector16())

export interface ClientHello {
  readonly random: Buffer
  readonly cookie: Buffer
  readonly suites: readonly number[]
  readonly groups: readonly number[]
  readonly schemes: readonly number[]
  readonly srtpProfiles: readonly number[]
  readonly extendedMaster: boolean
  readonly secureRenegotiation: boolean
  /** False for those who have nothing newer than DTLS 1.0. */
  readonly hasDtls12: boolean
}

export const printClientHello = (random: Uint8Array, cookie: Uint8Array): Buffer =>
  Buffer.concat([
    uint16(dtls12),
    random,
    vector8(), // no session to resume
    vector8(cookie),
    vector16(codes(cipherSuites)),
    vector8(uint8(0)), // no compression
    vector16(
      extension(extensionTypes.supportedGroups, vector16(codes(groups))),
      uncompressedPoints,
      extension(extensionTypes.signatureAlgorithms, vector16(codes(signatureSchemes))),
      useSrtp(srtpProfiles),
      extendedMaster,
      noRenegotiation,
    ),
  ])

export function readClientHello(body: Buffer): ClientHello | undefined {
  const reader = new Reader(body)
  const version = reader.uint16()
  const random = reader.bytes(randomBytesOfHello)
  reader.vector8()
  const cookie = reader.vector8()
  const suites = uint16s(reader.vector16())
  const compressions = reader.vector8()
  const extensions = extensionsIn(reader)
  if (!extensions || !compressions.includes(0)) return undefined
  const listIn = (type: number): number[] => uint16s(new Reader(extensions.get(type) ?? Buffer.alloc(2)).vector16())
  return {
    random,
    cookie,
    suites,
    groups: listIn(extensionTypes.supportedGroups),
    schemes: listIn(extensionTypes.signatureAlgorithms),
    srtpProfiles: srtpProfilesIn(extensions),
    extendedMaster: extensions.has(extensionTypes.extendedMasterSecret),
    secureRenegotiation: extensions.has(extensionTypes.renegotiationInfo) || suites.includes(renegotiationScsv),
    // Versions of DTLS count down.
    hasDtls12: version <= dtls12 && version >> 8 === dtls12 >> 8,
  }
}

export const printHelloVerify = (cookie: Uint8Array): Buffer => Buffer.concat([uint16(dtls10), vector8(cookie)])

/** The cookie. */
export function readHelloVerify(body: Buffer): Buffer | undefined {
  const reader = new Reader(body)
  reader.uint16()
  const cookie = reader.vector8()
  return reader.done ? cookie : undefined
}

export interface ServerHello {
  readonly random: Buffer
  readonly suite: number
  readonly srtp: SrtpSuite | undefined
  readonly extendedMaster: boolean
}

/** Says what the client's hello asked for. */
export const printServerHello = (hello: ServerHello, client: ClientHello): Buffer =>
  Buffer.concat([
    uint16(dtls12),
    hello.random,
    vector8(), // a session that cannot be resumed
    uint16(hello.suite),
    uint8(0),
    vector16(
      uncompressedPoints,
      useSrtp(srtpProfiles.filter(({ suite }) => suite === hello.srtp)),
      ...(client.extendedMaster ? [extendedMaster] : []),
      ...(client.secureRenegotiation ? [noRenegotiation] : []),
    ),
  ])

/** Undefined also for another version, or with compression. */
export function readServerHello(body: Buffer): ServerHello | undefined {
  const reader = new Reader(body)
  const version = reader.uint16()
  const random = reader.bytes(randomBytesOfHello)
  reader.vector8()
  const suite = reader.uint16()
  const compression = reader.uint8()
  const extensions = extensionsIn(reader)
  if (!extensions || version !== dtls12 || compression !== 0) return undefined
  const [profile] = srtpProfilesIn(extensions)
  return {
    random,
    suite,
    srtp: srtpProfiles.find(({ code }) => code === profile)?.suite,
    extendedMaster: extensions.has(extensionTypes.extendedMasterSecret),
  }
}

/** @param certificate None: we have no other to show. */
export const printCertificate = (certificate: Uint8Array): Buffer => vector24(vector24(certificate))

/** The first certificate, the peer's own; undefined when there is none. */
export function readCertificate(body: Buffer): Buffer | undefined {
  const reader = new Reader(body)
  const list = new Reader(reader.vector24())
  const certificate = list.vector24()
  return reader.done && !list.failed && certificate.length > 0 ? certificate : undefined
}

const namedCurve = 3

/** What the signature of ServerKeyExchange covers, behind both randoms (RFC 8422 §5.4). */
export const printKeyShare = (group: number, point: Uint8Array): Buffer =>
  Buffer.concat([uint8(namedCurve), uint16(group), vector8(point)])

export interface ServerKeyExchange {
  readonly group: number
  readonly point: Buffer
  readonly signed: Signed
}

/** `digitally-signed` of RFC 5246 §4.7. */
export interface Signed {
  readonly scheme: number
  readonly signature: Buffer
}

export const printSigned = ({ scheme, signature }: Signed): Buffer =>
  Buffer.concat([uint16(scheme), vector16(signature)])

export function readServerKeyExchange(body: Buffer): ServerKeyExchange | undefined {
  const reader = new Reader(body)
  const kind = reader.uint8()
  const group = reader.uint16()
  const point = reader.vector8()
  const signed = { scheme: reader.uint16(), signature: reader.vector16() }
  return reader.done && kind === namedCurve ? { group, point, signed } : undefined
}

/** Any certificate: whose it must be, the fingerprint says. Kinds are ECDSA and RSA (RFC 5246 §7.4.4, RFC 8422 §5.5). */
export const printCertificateRequest = (): Buffer =>
  Buffer.concat([vector8(Buffer.of(64, 1)), vector16(codes(signatureSchemes)), vector16()])

export const printClientKeyExchange = (point: Uint8Array): Buffer => vector8(point)

export function readClientKeyExchange(body: Buffer): Buffer | undefined {
  const reader = new Reader(body)
  const point = reader.vector8()
  return reader.done ? point : undefined
}

export function readSigned(body: Buffer): Signed | undefined {
  const reader = new Reader(body)
  const signed = { scheme: reader.uint16(), signature: reader.vector16() }
  return reader.done ? signed : undefined
}
