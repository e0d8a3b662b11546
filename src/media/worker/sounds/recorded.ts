/**
 * Sounds that can be read from anywhere in them: a file, bytes in memory, a tone.
 *
 *   pcm.ts, ogg-opus.ts, made.ts  ── Recorded ─▶  resampled.ts ─▶ store.ts ─▶ Reel, Player
 */
import { open } from 'node:fs/promises'

/** Mono, 16-bit. One read at a time. */
export interface Recorded {
  readonly sampleRateHz: number
  /** Infinite for a tone without end. */
  readonly samples: number
  /** Fewer than `count` only at the end. */
  read(from: number, count: number): Promise<Int16Array>
  close(): Promise<void>
}

/** Why a sound cannot be played: it is not there, or nobody can read it. */
export type SoundFailure = 'media.sound-missing' | 'media.sound-broken'

export class SoundError extends Error {
  override readonly name = 'SoundError'
  readonly code: SoundFailure

  constructor(code: SoundFailure, options?: ErrorOptions) {
    super(code, options)
    this.code = code
  }
}

/** Bytes that can be read from anywhere. */
export interface ByteSource {
  readonly size: number
  /** Fewer than `count` only at the end. */
  read(from: number, count: number): Promise<Uint8Array>
  close(): Promise<void>
}

export function memoryBytes(bytes: Uint8Array): ByteSource {
  return {
    size: bytes.length,
    read: (from, count) => Promise.resolve(bytes.subarray(from, from + count)),
    close: () => Promise.resolve(),
  }
}

/** @throws {SoundError} `media.sound-missing`, also when it may not be read. */
export async function fileBytes(path: string): Promise<ByteSource> {
  try {
    const file = await open(path)
    const { size } = await file.stat()
    return {
      size,
      async read(from, count) {
        const bytes = new Uint8Array(Math.max(0, Math.min(count, size - from)))
        const { bytesRead } = await file.read(bytes, 0, bytes.length, from)
        return bytes.subarray(0, bytesRead)
      },
      close: () => file.close(),
    }
  } catch (cause) {
    throw new SoundError('media.sound-missing', { cause })
  }
}
