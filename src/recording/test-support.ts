/** Leg files for tests, and a port that writes one. */
import { writeFileSync } from 'node:fs'
import { basename } from 'node:path'
import { wavHeader } from '../codec/wav.ts'
import { FakePort } from '../media/test-support.ts'
import type { RecordedFile } from '../media/types.ts'
import { type Seal, Sealer } from '../sealing/container/sealer.ts'

export interface Sound {
  readonly samples: Int16Array
  readonly startedAtMs: number
  readonly sampleRateHz?: number
  /** Interleaved; 1 unless given. */
  readonly channels?: number
}

/** A leg file of ours; with `crashed` the lengths in its header were never filled in, and a sealed one has no end. */
export function writeLeg(path: string, sound: Sound, crashed = false, seal?: Seal): RecordedFile {
  const { samples, startedAtMs, sampleRateHz = 8_000, channels = 1 } = sound
  const data = Buffer.from(samples.buffer, samples.byteOffset, samples.byteLength)
  const length = crashed ? {} : { dataBytes: data.length }
  const header = wavHeader({ sampleRateHz, channels, startedAtMs, ...length })
  if (seal) {
    const sealer = new Sealer(seal, basename(path), startedAtMs)
    const records = [sealer.write(header, 0), sealer.write(data, header.length), ...(crashed ? [] : [sealer.end()])]
    writeFileSync(`${path}.sealed`, Buffer.concat([sealer.start, ...records]))
  } else writeFileSync(path, Buffer.concat([header, data]))
  const bytes = header.length + data.length
  return { path, sampleRateHz, channels, samples: samples.length / channels, bytes, startedAtMs, missingSamples: 0 }
}

/** `sound` is what it will have heard when it is stopped; nothing when no packet comes. */
export class HearingPort extends FakePort {
  readonly #sound: Sound | undefined
  readonly #fault: Error | undefined

  constructor(sound?: Sound, fault?: Error) {
    super(20_000)
    this.#sound = sound
    this.#fault = fault
  }

  override stopRecording(): Promise<RecordedFile | undefined> {
    if (this.recording === undefined || !this.#sound) return Promise.resolve(undefined)
    const file = writeLeg(this.recording, this.#sound, this.#fault !== undefined, this.seal)
    return this.#fault ? Promise.reject(this.#fault) : Promise.resolve(file)
  }
}

/** `count` samples that differ from each other and from another seed's. */
export const noise = (seed: number, count: number): Int16Array =>
  Int16Array.from({ length: count }, (_, index) => Math.imul(index + 1, 2_654_435_761 + seed) >> 16)
