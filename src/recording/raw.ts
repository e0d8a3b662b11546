/**
 * Packets that were stored as they came, beside a leg's WAV or in its place: what media/worker/recording/raw-file.ts
 * wrote, looked up on disk.
 *
 * A file that a crash cut off in the middle of a packet ends after the one before it then.
 */
import { open } from 'node:fs/promises'
import type { Logger } from '../core/logger.ts'
import type { OpenKey } from '../sealing/container/reader.ts'
import { findStored, type StoredFile, sealedExtension } from '../sealing/stored-file.ts'
import { settleSealed } from './sealing.ts'

export interface RawAudio {
  /** On disk. */
  readonly path: string
  readonly bytes: number
  /** Wall time of the first packet. */
  readonly startedAtMs: number
  /** From the first packet to the last. */
  readonly durationMs: number
}

/** The text line is short, and behind it stand 16 bytes with the time. */
const mostLineBytes = 100
const headBytes = 16
const recordBytes = 8
const chunkBytes = 65_536

/** What it takes to look at files that may be sealed. */
export interface Looking {
  readonly openKey: OpenKey
  readonly log: Logger
}

/** The packets of the leg with this WAV, synced to disk; undefined when there are none. */
export async function openRaw(wavPath: string, looking: Looking): Promise<RawAudio | undefined> {
  const path = await findStored(rawName(wavPath))
  if (path === undefined) return undefined
  if (path.endsWith(sealedExtension))
    return settleSealed(path, looking, async (sealed) => {
      const result = await packetsIn(sealed, path)
      return result && { result, size: result.bytes }
    })
  const file = await open(path, 'r+')
  try {
    const found = await packetsIn(file, path)
    if (!found) return undefined
    await file.truncate(found.bytes)
    await file.sync()
    return found
  } finally {
    await file.close()
  }
}

type Source = Pick<StoredFile, 'read'>

async function packetsIn(file: Source, path: string): Promise<RawAudio | undefined> {
  const head = await bytesAt(file, 0, mostLineBytes + headBytes)
  const line = head.indexOf('\n') + 1
  if (line === 0 || head.length < line + headBytes) return undefined
  const startedAtMs = head.readUInt32BE(line) * 1000 + head.readUInt32BE(line + 4) / 1000
  return { path, startedAtMs, ...(await lastWhole(file, line + headBytes)) }
}

export const rawName = (wavName: string): string => wavName.replace(/\.wav$/, '.rtpdump')

/** Where the last whole packet ends, and when it came. */
async function lastWhole(file: Source, from: number): Promise<{ bytes: number; durationMs: number }> {
  let position = from
  let durationMs = 0
  for (;;) {
    const chunk = await bytesAt(file, position, chunkBytes)
    let at = 0
    while (at + recordBytes <= chunk.length) {
      const length = chunk.readUInt16BE(at)
      if (length < recordBytes || at + length > chunk.length) break
      durationMs = chunk.readUInt32BE(at + 4)
      at += length
    }
    position += at
    if (at === 0) return { bytes: position, durationMs }
  }
}

async function bytesAt(file: Source, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}
