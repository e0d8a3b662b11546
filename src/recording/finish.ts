/**
 * From closed leg files to a finished recording: lengths put right, the combined file, the manifest.
 *
 *   service.ts (a call ended), repair.ts (a process died)  ── manifest ─▶  here  ─▶ what `recording.stored` tells
 *
 * Both ways are this one, and everything is looked up on disk, so a crash at any point is made good by doing it again.
 */
import { open, rename } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { repairWav, repairWavHeader } from '../codec/wav.ts'
import type { Logger } from '../core/logger.ts'
import type { Participant, RecordedLeg, RecordingFile, RecordingMark, RecordingOrigin } from '../events/catalogue.ts'
import type { Seal } from '../sealing/container/sealer.ts'
import { SealingError } from '../sealing/failures.ts'
import { findStored, openStored, sealedExtension } from '../sealing/stored-file.ts'
import { type CombinedFile, combine } from './combine.ts'
import { DamagedFiles, isDamage } from './damaged.ts'
import { RecordingError } from './failures.ts'
import type { LegAudio } from './leg-reader.ts'
import { discardManifest, finishManifest, type Manifest, type ManifestTrack, unfinishedFolder } from './manifest.ts'
import { type Looking, openRaw, type RawAudio, rawName } from './raw.ts'
import { nameOnDisk, type Readable, type RecordingKeys, settleSealed } from './sealing.ts'
import { type Decoders, decodeLeg, storageName } from './undecoded/decode-leg.ts'
import { formOf } from './undecoded/frames.ts'

export interface FinishedRecording {
  /** The names of all its files begin with this. */
  readonly baseName: string
  readonly origin?: RecordingOrigin
  readonly files: readonly RecordingFile[]
  readonly participants: readonly Participant[]
  readonly durationMs: number
  readonly marks?: readonly RecordingMark[]
  readonly heard?: readonly RecordedLeg[]
}

export interface FinishDeps {
  /** The folder of the recordings. */
  readonly folder: string
  /** Write one file with a channel a leg beside the leg files. Default true. */
  readonly combineLegs?: boolean
  /** Loudness of each channel of that file, LUFS; as it came when left out. */
  readonly loudnessLufs?: number | undefined
  /** Programs that decode what we do not; none when left out. */
  readonly decoders?: Decoders | undefined
  /** Without them recordings that are sealed cannot be finished. */
  readonly keys?: RecordingKeys | undefined
  /** Left out: whoever hears `recording.stored` has it at once. */
  readonly isKept?: IsKept | undefined
  readonly log: Logger
}

/** Whether what `recording.stored` told of this recording will survive a crash; waits for what is being written. */
export type IsKept = (recordingId: string) => Promise<boolean>

/**
 * Combine the legs and put the manifest to the files; `putAway` is called when `recording.stored` was told. Legs that are too long for one WAV stay uncombined, which the log
 * tells; packets that were stored as they came are not sound, and stand beside it.
 *
 * @throws {RecordingError} `recording.no-audio`; and whatever the file system throws: then the manifest stays where
 *   the next start looks for unfinished recordings.
 */
export async function finishRecording(manifest: Manifest, deps: FinishDeps): Promise<FinishedRecording> {
  const { folder, combineLegs = true } = deps
  const tracks = inChannelOrder(manifest)
  const legs: (LegAudio | undefined)[] = []
  const seal = await sealOf(manifest, deps)
  const looking = { log: deps.log, openKey: deps.keys?.openKey ?? noKeys }
  const raws: (RawAudio | undefined)[] = []
  const damaged = new DamagedFiles(manifest, deps.log)
  for (const track of tracks) {
    const path = join(folder, track.file)
    raws.push(await damaged.unless(track, rawName(path), () => openRaw(path, looking)))
  }
  for (const [index, track] of tracks.entries()) await giveSound(track, raws[index], seal, looking, deps)
  for (const track of tracks) {
    const path = join(folder, track.file)
    legs.push(await damaged.unless(track, path, () => openLeg(path, looking, track.driftPpm)))
  }
  const stored: RecordingFile[] = []
  for (const [index, track] of tracks.entries())
    stored.push(...(await storageFile(folder, track, raws[index], looking)))
  const legFiles = tracks.flatMap((track, index) => legFile(track, legs[index]))
  const files = [...legFiles, ...tracks.flatMap((track, index) => rawFile(track, raws[index])), ...stored]
  if (files.length === 0) {
    if (damaged.error) throw damaged.error
    await discardManifest(folder, manifest)
    throw new RecordingError('recording.no-audio')
  }
  const all = [...files, ...damaged.files]
  const combined =
    combineLegs && legFiles.length > 0
      ? await combineInto(manifest.name, legs, channelsOf(tracks), seal, deps)
      : undefined
  await finishManifest(folder, manifest, seal)
  return {
    baseName: manifest.name,
    ...(manifest.origin && { origin: manifest.origin }),
    files: combined ? [combinedFile(nameOnDisk(`${manifest.name}.wav`, seal), combined), ...all] : all,
    participants: placed(manifest, tracks, combined !== undefined),
    durationMs: durationOf([...spansOf(combined ? [combined] : legFiles), ...raws.flatMap(spanOf)]),
    ...(manifest.marks && manifest.marks.length > 0 && { marks: manifest.marks }),
    ...(manifest.heard && { heard: manifest.heard }),
  }
}

/**
 * After `recording.stored`: nothing of the recording is unfinished when the database has it. Else, and when the process
 * dies before, the next start finishes it anew and tells it again. Never rejects.
 */
export async function putAway(
  manifest: Manifest,
  { folder, isKept, log }: Pick<FinishDeps, 'folder' | 'isKept' | 'log'>,
): Promise<void> {
  const { recordingId, callId } = manifest
  try {
    if (!isKept || (await isKept(recordingId))) await discardManifest(folder, manifest)
    else log.error('The database has not taken a recording; the next start tells it again', { callId, recordingId })
  } catch (error) {
    log.error('The next start tells a recording again', { callId, recordingId, error: String(error) })
  }
}

/** Of a leg that is packets and nothing else, make what can be made. */
async function giveSound(
  { file, codec }: ManifestTrack,
  raw: RawAudio | undefined,
  seal: Seal | undefined,
  { openKey }: Looking,
  { folder, decoders = {}, log }: FinishDeps,
): Promise<void> {
  if (!raw) return
  const unfinished = unfinishedFolder(folder)
  await decodeLeg({ folder, unfinished, wavName: file, raw, encoding: codec, decoders, seal, openKey, log })
}

/** A leg in the storage format of its codec. */
async function storageFile(
  folder: string,
  track: ManifestTrack,
  raw: RawAudio | undefined,
  looking: Looking,
): Promise<RecordingFile[]> {
  const ending = formOf(track.codec)?.ending
  const path = raw && ending !== undefined && (await findStored(join(folder, storageName(track.file, ending))))
  if (!raw || !path) return []
  const file = await openStored(path, looking)
  await file.close()
  return rawFile(track, { ...raw, path, bytes: file.size })
}

const noKeys: RecordingKeys['openKey'] = ({ master }) => Promise.reject(new SealingError('sealing.key-missing', master))

/** Of a recording that began sealed; undefined of a plain one. */
async function sealOf({ sealed, recordingId }: Manifest, { keys }: FinishDeps): Promise<Seal | undefined> {
  if (!sealed) return undefined
  if (!keys) throw new SealingError('sealing.key-missing', sealed.key.master)
  return keys.sealAgain(sealed.key, recordingId)
}

/** The leg as the file tells it, lengths in its header put right; undefined when no packet ever came. */
async function openLeg(wanted: string, looking: Looking, driftPpm?: number): Promise<LegAudio | undefined> {
  const path = await findStored(wanted)
  if (path === undefined) return undefined
  const leg = path.endsWith(sealedExtension)
    ? await settleSealed(path, looking, (file) => openSealedLeg(path, file))
    : await openPlainLeg(path)
  return leg && { ...leg, ...(driftPpm !== undefined && { driftPpm }) }
}

/** How much of a leg is read to find its header. */
const headBytes = 4096

async function openSealedLeg(path: string, file: Readable) {
  const head = Buffer.alloc(Math.min(headBytes, file.size))
  await file.read(head, 0, head.length, 0)
  const header = repairWavHeader(head, file.size)
  if (!header || header.samples === 0) return undefined
  const front = head.subarray(0, header.dataOffset)
  const result: LegAudio = { ...header, path, startedAtMs: header.startedAtMs ?? 0 }
  return { result, patches: [{ bytes: front, position: 0 }], size: header.dataOffset + header.dataBytes }
}

async function openPlainLeg(path: string): Promise<LegAudio | undefined> {
  const header = await repairWav(path)
  if (!header || header.samples === 0) return undefined
  await syncFile(path)
  return { ...header, path, startedAtMs: header.startedAtMs ?? 0 }
}

/** What is told as stored must survive a power cut. */
async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r+')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}

async function combineInto(
  name: string,
  legs: readonly (LegAudio | undefined)[],
  channelOf: readonly number[],
  seal: Seal | undefined,
  { folder, loudnessLufs, keys, log }: FinishDeps,
): Promise<CombinedFile | undefined> {
  const file = nameOnDisk(`${name}.wav`, seal)
  const temporary = join(unfinishedFolder(folder), file)
  try {
    const combined = await combine(legs, temporary, { channelOf, loudnessLufs, seal, openKey: keys?.openKey })
    await rename(temporary, join(folder, file))
    return combined
  } catch (error) {
    if (!(error instanceof RecordingError || isDamage(error))) throw error
    log.warn('Legs of a recording were not combined', { recording: name, code: error.code })
    return undefined
  }
}

function legFile(track: ManifestTrack, leg: LegAudio | undefined): RecordingFile[] {
  if (!leg) return []
  const { channels, samples, sampleRateHz, startedAtMs } = leg
  return [
    {
      name: basename(leg.path),
      kind: 'leg',
      legId: track.legId,
      ...(track.label !== undefined && { label: track.label }),
      channels,
      sampleRateHz,
      samples,
      bytes: leg.dataOffset + samples * channels * 2,
      startedAtMs,
    },
  ]
}

function rawFile(track: ManifestTrack, raw: RawAudio | undefined): RecordingFile[] {
  if (!raw) return []
  return [
    {
      name: basename(raw.path),
      kind: 'raw',
      legId: track.legId,
      ...(track.label !== undefined && { label: track.label }),
      channels: 0,
      sampleRateHz: 0,
      samples: 0,
      bytes: raw.bytes,
      startedAtMs: raw.startedAtMs,
    },
  ]
}

const combinedFile = (name: string, combined: CombinedFile): RecordingFile => ({
  name,
  kind: 'combined',
  channels: combined.channels,
  sampleRateHz: combined.sampleRateHz,
  samples: combined.samples,
  bytes: combined.bytes,
  startedAtMs: combined.startedAtMs,
})

interface Span {
  readonly fromMs: number
  readonly untilMs: number
}

const spansOf = (files: readonly Pick<RecordingFile, 'samples' | 'sampleRateHz' | 'startedAtMs'>[]): Span[] =>
  files.map(({ startedAtMs, samples, sampleRateHz }) => ({
    fromMs: startedAtMs,
    untilMs: startedAtMs + (samples * 1000) / sampleRateHz,
  }))

const spanOf = (raw: RawAudio | undefined): Span[] =>
  raw ? [{ fromMs: raw.startedAtMs, untilMs: raw.startedAtMs + raw.durationMs }] : []

/** From the first sample or packet of any file to the last. */
const durationOf = (spans: readonly Span[]): number =>
  Math.round(Math.max(...spans.map(({ untilMs }) => untilMs)) - Math.min(...spans.map(({ fromMs }) => fromMs)))

const roleRank = { caller: 0, callee: 1, stream: 2 } as const

/** As told by `describe`; the rest caller, callee, then as they were added. */
function inChannelOrder(manifest: Manifest): ManifestTrack[] {
  const order = manifest.channelOrder ?? []
  const rank = (track: ManifestTrack): number => {
    const told = order.indexOf(track.legId)
    return told >= 0 ? told : order.length + roleRank[track.role]
  }
  return manifest.tracks.toSorted((a, b) => rank(a) - rank(b))
}

/** A leg that was taken up after a restart has several tracks, and one channel. */
function channelsOf(tracks: readonly ManifestTrack[]): number[] {
  const legIds = [...new Set(tracks.map(({ legId }) => legId))]
  return tracks.map(({ legId }) => legIds.indexOf(legId))
}

/** Who is on which channel: the metadata's people, else the parties of the tracks. */
function placed(manifest: Manifest, tracks: readonly ManifestTrack[], combined: boolean): Participant[] {
  const channels = channelsOf(tracks)
  const firstOfLeg = tracks.filter(({ legId }, place) => tracks.findIndex((other) => other.legId === legId) === place)
  const people = manifest.participants ?? firstOfLeg.map(partyOf)
  return people.map((person) => {
    const place = tracks.findIndex((track) => isOn(person, track))
    const track = tracks[place]
    const channel = channels[place]
    if (!track || channel === undefined) return person
    return Object.assign(partyOf(track), person, combined ? { channel } : {})
  })
}

/** By leg id where it is known; labels may come again when a stream was taken away and added anew. */
const isOn = (person: Participant, track: ManifestTrack): boolean =>
  person.legId === undefined ? person.label !== undefined && person.label === track.label : person.legId === track.legId

const partyOf = (track: ManifestTrack): Participant => ({
  ...(track.party && { uri: track.party.uri }),
  ...(track.party?.name !== undefined && { name: track.party.name }),
  legId: track.legId,
  ...(track.label !== undefined && { label: track.label }),
})
