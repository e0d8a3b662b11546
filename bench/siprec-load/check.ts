/** Checks the files of a session bit by bit against what the generator sent. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { decodeG711 } from '../../src/codec/g711.ts'
import { decodeWav, type WavSound } from '../../src/codec/wav.ts'
import type { OpenKey } from '../../src/sealing/container/reader.ts'
import { findStored, readStored } from '../../src/sealing/stored-file.ts'
import { labels } from './load.ts'
import { fillPayload, frameBytes } from './payload.ts'

export interface Checked {
  /** Empty when every sample is the one that was sent. */
  readonly problems: readonly string[]
  /** How far apart the first samples of the two channels are said to be; they were sent in the same moment. */
  readonly apartMs: number
}

export async function checkSession(
  folder: string,
  callId: string,
  firstStream: number,
  packets: number,
  openKey: OpenKey,
): Promise<Checked> {
  const read = async (name: string): Promise<WavSound> => {
    const path = await findStored(join(folder, name))
    const sound = path === undefined ? undefined : decodeWav(await readStored(path, { openKey }))
    if (!sound) throw new Error(`${name} is missing or no WAV`)
    return sound
  }
  const problems: string[] = []
  const legs: WavSound[] = []
  for (const [i, label] of labels.entries()) {
    const name = `${callId}_${label}.wav`
    const leg = await read(name).catch((error: unknown) => void problems.push(String(error)))
    if (!leg) continue
    legs.push(leg)
    const problem = difference(leg.pcm, sent(firstStream + i, packets))
    if (problem) problems.push(`${name}: ${problem}`)
  }
  const [first, second] = legs
  if (!first || !second) return { problems, apartMs: Number.NaN }
  const name = `${callId}.wav`
  const combined = await read(name).catch((error: unknown) => void problems.push(String(error)))
  if (combined) problems.push(...checkCombined(combined, legs).map((problem) => `${name}: ${problem}`))
  return { problems, apartMs: Math.abs((first.startedAtMs ?? 0) - (second.startedAtMs ?? 0)) }
}

/** One channel a leg, each where its first sample belongs in time. */
function checkCombined(combined: WavSound, legs: readonly WavSound[]): string[] {
  const startMs = Math.min(...legs.map(({ startedAtMs = 0 }) => startedAtMs))
  return legs.flatMap((leg, channel) => {
    const expected = new Int16Array(combined.samples)
    const offset = Math.round((((leg.startedAtMs ?? 0) - startMs) * combined.sampleRateHz) / 1000)
    if (offset + leg.samples > expected.length) return [`channel ${channel} is cut short`]
    expected.set(leg.pcm, offset)
    const problem = difference(combined.channel(channel), expected)
    return problem ? [`channel ${channel}: ${problem}`] : []
  })
}

export function sent(stream: number, packets: number): Int16Array {
  const codes = new Uint8Array(packets * frameBytes)
  for (let packet = 0; packet < packets; packet++) fillPayload(stream, packet, codes, packet * frameBytes)
  return decodeG711('PCMU', codes)
}

export function difference(actual: Int16Array, expected: Int16Array): string | undefined {
  const sameLength = actual.length === expected.length
  if (sameLength && Buffer.from(actual.buffer).equals(Buffer.from(expected.buffer))) return undefined
  const at = expected.findIndex((sample, i) => sample !== actual[i])
  const where = at < 0 ? '' : `differs from sample ${at} on`
  return [sameLength ? '' : `${actual.length} samples instead of ${expected.length}`, where].filter(Boolean).join(', ')
}

/** How many of the sessions have their combined file: it is the last to be made. */
export function combinedFiles(folder: string, callIds: readonly string[]): number {
  const names = new Set(readdirSync(folder))
  return callIds.filter((callId) => names.has(`${callId}.wav`) || names.has(`${callId}.wav.sealed`)).length
}
