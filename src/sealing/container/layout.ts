/**
 * The sealed file, byte for byte. docs/recording-format.md says the same in words; all numbers are little-endian.
 *
 *   0      head, 512 bytes: version, cipher, salt, what the file is
 *   512    key place A, 1792 bytes: the data key of the recording, wrapped
 *   2304   key place B, 1792 bytes: the other one is zeros, but while a key is wrapped anew
 *   4096   records to the end of the file: head of 20 bytes, body, tag of 16 bytes
 *
 * The head is bound into every key that is derived, the key places are not: so a master key is changed without touching
 * what it protects.
 */
import { createHash } from 'node:crypto'
import { z } from 'zod'

export const headBytes = 512
export const keyPlaceBytes = 1792
export const keyPlaces = [headBytes, headBytes + keyPlaceBytes] as const
export const recordsAt = 4096
export const recordHeadBytes = 20
export const tagBytes = 16
export const saltBytes = 32
export const dataKeyBytes = 32
/** Most of one record's body: half a second of 48 kHz in stereo takes 96,000. */
export const maxBodyBytes = 1 << 20

export const magic = Buffer.from('PBSEALED', 'latin1')
const version = 1

/** Names as ENCRYPTION_ALGORITHM has them, with their numbers in the head. */
export const ciphers = { 'AES-256-GCM': 1, 'ChaCha20-Poly1305': 2 } as const
export type CipherName = keyof typeof ciphers

/** What the file is: told in the open, and bound into its keys. */
export interface About {
  readonly recordingId: string
  /** Name that it was made with. */
  readonly file: string
  readonly madeAtMs: number
}

export interface Head {
  readonly cipher: CipherName
  readonly salt: Uint8Array
  readonly about: About
}

const aboutSchema = z.object({ recordingId: z.string(), file: z.string(), madeAtMs: z.number() })

const aboutAt = 48

/** @throws {RangeError} when the names do not fit. */
export function writeHead({ cipher, salt, about }: Head): Buffer {
  const told = Buffer.from(JSON.stringify(about))
  if (told.length > headBytes - aboutAt) throw new RangeError('the names of a sealed file are too long')
  const head = Buffer.alloc(headBytes)
  magic.copy(head)
  head[8] = version
  head[9] = ciphers[cipher]
  head.writeUInt16LE(told.length, 10)
  head.set(salt, 16)
  told.copy(head, aboutAt)
  return head
}

/** @returns `foreign`: no sealed file; `unknown`: of another version; undefined: a head that we never wrote. */
export function readHead(bytes: Buffer): Head | 'foreign' | 'unknown' | undefined {
  if (!bytes.subarray(0, magic.length).equals(magic)) return 'foreign'
  if (bytes.length < headBytes) return undefined
  const cipher = (Object.keys(ciphers) as CipherName[]).find((name) => ciphers[name] === bytes[9])
  if (bytes[8] !== version || !cipher) return 'unknown'
  try {
    const length = bytes.readUInt16LE(10)
    const about = aboutSchema.parse(JSON.parse(bytes.toString('utf8', aboutAt, aboutAt + length)))
    const head = { cipher, salt: Buffer.from(bytes.subarray(16, aboutAt)), about }
    // What is not told in the head must be as it was written: zeros.
    return writeHead(head).equals(bytes.subarray(0, headBytes)) ? head : undefined
  } catch {
    return undefined
  }
}

export const hashOf = (bytes: Uint8Array): Buffer => createHash('sha256').update(bytes).digest()

/** What a record is: sound at a position, the beginning of a further writing after a crash, or the end of the file. */
export const recordTypes = { data: 1, resume: 2, end: 3 } as const
export type RecordType = keyof typeof recordTypes
const typeNames: readonly (RecordType | undefined)[] = [undefined, 'data', 'resume', 'end']

export interface RecordHead {
  readonly type: RecordType
  /** Counts all records of the file from 0. */
  readonly number: number
  /** Of data: where its bytes belong in the plain file. Of the end: how long that is. */
  readonly position: number
  /** Bytes of the body. */
  readonly length: number
}

export function writeRecordHead(to: Buffer, at: number, { type, number, position, length }: RecordHead): void {
  to.writeUInt32LE(recordTypes[type], at)
  to.writeUInt32LE(number, at + 4)
  to.writeBigUInt64LE(BigInt(position), at + 8)
  to.writeUInt32LE(length, at + 16)
}

/** undefined when no record begins like this. */
export function readRecordHead(bytes: Buffer, at: number): RecordHead | undefined {
  const type = typeNames[bytes.readUInt32LE(at)]
  const number = bytes.readUInt32LE(at + 4)
  const position = Number(bytes.readBigUInt64LE(at + 8))
  const length = bytes.readUInt32LE(at + 16)
  if (!type || length > maxBodyBytes || !Number.isSafeInteger(position)) return undefined
  return { type, number, position, length }
}
