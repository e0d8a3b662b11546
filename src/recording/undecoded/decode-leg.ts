/**
 * Sound for a leg of which there are only packets, once the call is over: by a decoder that the settings name.
 *
 *   <leg>.rtpdump ── placed.ts ─▶ frames ─┬─▶ <leg>.awb, .amr: the storage format of its codec
 *                                         └─▶ decoder.ts ─▶ <leg>.wav, which is combined like any other
 *
 * Whatever fails, the packets stay as they came. Done again after a crash: what is there is not made twice.
 */
import { rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { wavHeader } from '../../codec/wav.ts'
import { type Clock, systemClock } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { OpenKey } from '../../sealing/container/reader.ts'
import type { Seal } from '../../sealing/container/sealer.ts'
import { findStored, readStored } from '../../sealing/stored-file.ts'
import { type RawAudio, rawName } from '../raw.ts'
import { nameOnDisk, OutputFile } from '../sealing.ts'
import { runDecoder } from './decoder.ts'
import { type Form, formOf } from './frames.ts'
import { type Placed, placedFrames } from './placed.ts'

/** By the name of a codec in SDP: the program and its arguments. */
export type Decoders = Readonly<Record<string, readonly string[]>>

export interface DecodeLegOptions {
  readonly folder: string
  /** Where files lie until they are whole. */
  readonly unfinished: string
  /** Of the leg, without `.sealed`. */
  readonly wavName: string
  readonly raw: RawAudio
  readonly encoding: string | undefined
  readonly decoders: Decoders
  readonly seal: Seal | undefined
  readonly openKey: OpenKey
  readonly log: Logger
  readonly clock?: Clock
}

/** Ten hours of EVS at 13.2 kbit/s. A longer leg stays packets. */
const mostBytes = 128 * 1024 * 1024
/** A decoder that is slower than the call was long is stuck; a short call may wait for a busy machine. */
const leastLimitMs = 60_000
const flushBytes = 65_536
const sampleBytes = 2

/** The name of the file in a codec's storage format that belongs to a leg. */
export const storageName = (wavName: string, ending: string): string => wavName.replace(/\.wav$/, ending)

/** Never rejects. */
export async function decodeLeg(options: DecodeLegOptions): Promise<void> {
  const { raw, encoding, decoders, folder, wavName, openKey, log } = options
  const form = formOf(encoding)
  const command = encoding === undefined ? undefined : commandFor(decoders, encoding)
  const makesStorage = form?.ending !== undefined && (await isMissing(folder, storageName(wavName, form.ending)))
  const makesSound = command !== undefined && (await isMissing(folder, wavName))
  if (!form || !(makesStorage || makesSound)) return
  try {
    if (raw.bytes > mostBytes) throw new Error(`${rawName(wavName)} is too long to decode`)
    const placed = placedFrames(await readStored(raw.path, { openKey }), form)
    if (!placed) return
    if (placed.unreadable > 0)
      log.warn('Packets of a leg could not be read', { file: wavName, encoding, packets: placed.unreadable })
    if (makesStorage && form.ending !== undefined) await writeStorage(options, form, placed, form.ending)
    if (makesSound) await writeSound(options, form, placed, command)
  } catch (error) {
    log.error('A leg was not decoded; its packets are kept', {
      file: wavName,
      encoding,
      code: 'recording.decoder-failed',
      error: String(error),
      cause: error instanceof Error ? String(error.cause) : undefined,
    })
  }
}

const commandFor = (decoders: Decoders, encoding: string): readonly string[] | undefined =>
  Object.entries(decoders).find(([name]) => name.toLowerCase() === encoding.toLowerCase())?.[1]

const isMissing = async (folder: string, name: string): Promise<boolean> =>
  (await findStored(join(folder, name))) === undefined

/** All frames, and between them `noData` for what did not come, so that a player keeps time. */
async function writeStorage(
  options: DecodeLegOptions,
  form: Form,
  { frames, startedAtMs }: Placed,
  ending: string,
): Promise<void> {
  await writeWhole(options, storageName(options.wavName, ending), startedAtMs, async (out) => {
    await out.add(form.head)
    let next = 0
    for (const { bytes, position } of frames) {
      const place = Math.round(position / form.frameTicks)
      for (; next < place && form.noData; next++) await out.add(form.noData)
      await out.add(bytes)
      next = Math.max(next, place) + 1
    }
  })
}

async function writeSound(
  options: DecodeLegOptions,
  form: Form,
  placed: Placed,
  command: readonly string[],
): Promise<void> {
  const { raw, clock = systemClock } = options
  const { sampleRateHz, clockRateHz, frameTicks, head } = form
  const samplesOf = (ticks: number): number => Math.round((ticks * sampleRateHz) / clockRateHz)
  const spoken = placed.frames.filter(({ speech }) => speech)
  const last = placed.frames.at(-1)
  const total = samplesOf((last?.position ?? 0) + frameTicks)
  const frameBytes = samplesOf(frameTicks) * sampleBytes
  await writeWhole(options, options.wavName, placed.startedAtMs, async (out) => {
    await out.add(
      wavHeader({ sampleRateHz, channels: 1, startedAtMs: placed.startedAtMs, dataBytes: total * sampleBytes }),
    )
    let at = 0
    let waiting = Buffer.alloc(0)
    let count = 0
    const place = async (samples: Buffer): Promise<void> => {
      const position = samplesOf(spoken[count++]?.position ?? 0) * sampleBytes
      await out.silence(position - at)
      const late = Math.max(0, at - position)
      await out.add(samples.subarray(late))
      at = Math.max(at, position + samples.length)
    }
    await runDecoder({
      command,
      clock,
      limitMs: Math.max(leastLimitMs, raw.durationMs),
      input: [head, ...spoken.map(({ bytes }) => bytes)],
      output: async (bytes) => {
        waiting = Buffer.concat([waiting, bytes])
        let used = 0
        for (; used + frameBytes <= waiting.length && count < spoken.length; used += frameBytes)
          await place(waiting.subarray(used, used + frameBytes))
        waiting = Buffer.from(waiting.subarray(used))
      },
    })
    // A decoder that compensates its delay gives a little less at the end.
    if (waiting.length > 1 && count < spoken.length) await place(waiting.subarray(0, waiting.length & ~1))
    if (count < spoken.length - 1) throw new Error(`the decoder made ${count} frames of ${spoken.length}`)
    await out.silence(total * sampleBytes - at)
  })
}

/** What is written one after the other. */
class Sequential {
  readonly #file: OutputFile
  readonly #pieces: Uint8Array[] = []
  #waiting = 0
  #position = 0

  constructor(file: OutputFile) {
    this.#file = file
  }

  async add(bytes: Uint8Array): Promise<void> {
    this.#pieces.push(Uint8Array.from(bytes))
    this.#waiting += bytes.length
    if (this.#waiting >= flushBytes) await this.flush()
  }

  async silence(bytes: number): Promise<void> {
    for (let left = bytes; left > 0; left -= flushBytes) await this.add(new Uint8Array(Math.min(left, flushBytes)))
  }

  async flush(): Promise<void> {
    const bytes = Buffer.concat(this.#pieces.splice(0))
    this.#waiting = 0
    await this.#file.write(bytes, this.#position)
    this.#position += bytes.length
  }
}

/** A file that is there whole, or not at all. */
async function writeWhole(
  { folder, unfinished, seal }: DecodeLegOptions,
  name: string,
  startedAtMs: number,
  write: (out: Sequential) => Promise<void>,
): Promise<void> {
  const onDisk = nameOnDisk(name, seal)
  const temporary = join(unfinished, basename(onDisk))
  const file = await OutputFile.create(temporary, seal, startedAtMs)
  try {
    const out = new Sequential(file)
    await write(out)
    await out.flush()
    await file.finish()
    await file.close()
    await rename(temporary, join(folder, onDisk))
  } catch (error) {
    await file.close()
    await rm(temporary, { force: true })
    throw error
  }
}
