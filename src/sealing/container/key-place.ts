/**
 * The places of a sealed file where the wrapped data key of its recording stands.
 *
 * There are two, so that a key can be wrapped anew without a moment in which none is whole: the new one goes to the free
 * place with the next generation, then the old one is erased. A crash between leaves both, and the later one counts.
 */
import type { FileHandle } from 'node:fs/promises'
import { z } from 'zod'
import { hashOf, keyPlaceBytes, keyPlaces } from './layout.ts'

/** A data key that only a master key opens. Bytes are base64. */
export const wrappedKeySchema = z.strictObject({
  /** The key that wraps it: `file:…`, `env:…`, `aws-kms:…`. */
  master: z.string(),
  /** Of a master key that never leaves its service: the key between, as the service wrapped it. */
  via: z.string().optional(),
  /** 12 bytes. */
  nonce: z.string(),
  /** The data key, encrypted, and its tag: 48 bytes. */
  wrapped: z.string(),
})
export type WrappedKey = z.infer<typeof wrappedKeySchema>

const frontBytes = 8
const sumBytes = 8

/** @throws {RangeError} when the key does not fit its place. */
export function writeKeyPlace(key: WrappedKey, generation: number): Buffer {
  const told = Buffer.from(JSON.stringify(key))
  const place = Buffer.alloc(keyPlaceBytes)
  if (frontBytes + told.length + sumBytes > keyPlaceBytes) throw new RangeError('a wrapped key is too long')
  place.writeUInt32LE(generation, 0)
  place.writeUInt32LE(told.length, 4)
  told.copy(place, frontBytes)
  hashOf(place.subarray(0, frontBytes + told.length)).copy(place, frontBytes + told.length, 0, sumBytes)
  return place
}

interface KeyPlace {
  readonly generation: number
  readonly key: WrappedKey
}

function readKeyPlace(place: Buffer): KeyPlace | undefined {
  const generation = place.readUInt32LE(0)
  const until = frontBytes + place.readUInt32LE(4)
  if (generation === 0 || until + sumBytes > keyPlaceBytes) return undefined
  const sum = hashOf(place.subarray(0, until)).subarray(0, sumBytes)
  if (!sum.equals(place.subarray(until, until + sumBytes))) return undefined
  if (!isZero(place.subarray(until + sumBytes))) return undefined
  try {
    return { generation, key: wrappedKeySchema.parse(JSON.parse(place.toString('utf8', frontBytes, until))) }
  } catch {
    return undefined
  }
}

const isZero = (bytes: Uint8Array): boolean => bytes.every((byte) => byte === 0)

export interface FoundKey extends KeyPlace {
  /** 0 or 1. */
  readonly place: number
  /** The other place is as it should be: empty. */
  readonly alone: boolean
}

/** The key in force; undefined when no place holds a whole one. @param start The first 4096 bytes of the file. */
export function findKey(start: Buffer): FoundKey | undefined {
  const places = keyPlaces.map((at) => start.subarray(at, at + keyPlaceBytes))
  const found = places.flatMap((bytes, place) => {
    const read = readKeyPlace(bytes)
    return read ? [{ ...read, place, alone: places.every((other) => other === bytes || isZero(other)) }] : []
  })
  return found.toSorted((a, b) => b.generation - a.generation)[0]
}

/** Put a key that was wrapped anew in force. */
export async function replaceKey(file: FileHandle, found: FoundKey, key: WrappedKey): Promise<void> {
  const next = writeKeyPlace(key, found.generation + 1)
  await file.write(next, 0, next.length, keyPlaces[found.place === 0 ? 1 : 0])
  await file.sync()
  await file.write(Buffer.alloc(keyPlaceBytes), 0, keyPlaceBytes, keyPlaces[found.place === 0 ? 0 : 1])
  await file.sync()
}
