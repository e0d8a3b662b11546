/**
 * Packets that were stored as they came, beside a leg's WAV or in its place: what media/worker/recording/raw-file.ts
 * wrote, looked up on disk.
 *
 * A file that a crash cut off in the middle of a packet ends after the one before it then.
 */
import { type FileHandle, open } from 'node:fs/promises'

export interface RawAudio {
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

/** The packets of the leg with this WAV, synced to disk; undefined when there are none. */
export async function openRaw(wavPath: string): Promise<RawAudio | undefined> {
  let file: FileHandle
  try {
    file = await open(rawName(wavPath), 'r+')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  try {
    const head = await bytesAt(file, 0, mostLineBytes + headBytes)
    const line = head.indexOf('\n') + 1
    if (line === 0 || head.length < line + headBytes) return undefined
    const startedAtMs = head.readUInt32BE(line) * 1000 + head.readUInt32BE(line + 4) / 1000
    const { bytes, durationMs } = await lastWhole(file, line + headBytes)
    await file.truncate(bytes)
    await file.sync()
    return { bytes, startedAtMs, durationMs }
  } finally {
    await file.close()
  }
}

export const rawName = (wavName: string): string => wavName.replace(/\.wav$/, '.rtpdump')

/** Where the last whole packet ends, and when it came. */
async function lastWhole(file: FileHandle, from: number): Promise<{ bytes: number; durationMs: number }> {
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

async function bytesAt(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position)
  return buffer.subarray(0, bytesRead)
}
