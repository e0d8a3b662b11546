/**
 * What is known of a recording, kept beside its files so that a start after a crash can finish it.
 *
 *   <folder>/unfinished/<name>.json   while the call lives, until its files are complete and the database has them
 *   <folder>/<name>.json              from when its files are complete
 *
 * So a start reads only what was left unfinished, however many recordings lie in the folder. Sealed notes have `.sealed`
 * behind their names.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { open, readdir, rename, rm } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { z } from 'zod'
import { wrappedKeySchema } from '../sealing/container/key-place.ts'
import type { OpenKey } from '../sealing/container/reader.ts'
import { type Seal, sealedWhole } from '../sealing/container/sealer.ts'
import { SealingError } from '../sealing/failures.ts'
import { plainName, readStored, sealedExtension } from '../sealing/stored-file.ts'

const party = z.object({ uri: z.string(), name: z.string().optional(), extension: z.string().optional() })

const participant = z.object({
  uri: z.string().optional(),
  name: z.string().optional(),
  legId: z.string().optional(),
  label: z.string().optional(),
  channel: z.number().optional(),
  guessed: z.boolean().optional(),
  heard: z
    .array(
      z.object({
        fromMs: z.number(),
        untilMs: z.number().optional(),
        statedFromMs: z.number().optional(),
        statedUntilMs: z.number().optional(),
      }),
    )
    .readonly()
    .optional(),
})

const mark = z.object({
  kind: z.enum(['paused', 'muted', 'silent']),
  what: z.enum(['recording', 'transcription']).optional(),
  legId: z.string().optional(),
  fromMs: z.number(),
  untilMs: z.number().optional(),
  by: z.enum(['api', 'digits', 'signalling', 'time']),
  who: z.string().optional(),
})

const origin = z.object({
  peer: z.string().optional(),
  tags: z.array(z.string()).readonly().optional(),
  retentionDays: z.number().optional(),
})

const heard = z.object({
  legId: z.string(),
  verdict: z.string(),
  codes: z.array(z.string()).readonly(),
  packetsReceived: z.number(),
  packetsLost: z.number(),
  packetsRefused: z.number(),
  jitterMs: z.number(),
  lossShare: z.number().optional(),
  mos: z.number().optional(),
})

const manifestSchema = z.object({
  version: z.literal(1),
  recordingId: z.string(),
  callId: z.string(),
  /** File names begin with this. */
  name: z.string().regex(/^[^/\\]+$/),
  startedAtMs: z.number(),
  /** `recording`: the legs are being written. `closed`: the call ended in order. `stored`: all files are complete. */
  state: z.enum(['recording', 'closed', 'stored']),
  /** The process, or a media worker, died during the call. */
  interrupted: z.boolean(),
  tracks: z.array(
    z.object({
      legId: z.string(),
      role: z.enum(['caller', 'callee', 'stream']),
      label: z.string().optional(),
      party: party.optional(),
      /** The leg's file, in the folder, with `.sealed` behind it when it is; absent on disk when no packet ever came. */
      file: z.string().regex(/^[^/\\]+\.wav$/),
      /** What it speaks, when that is not decoded here. */
      codec: z.string().optional(),
      /** How much slower its sender's clock runs than ours, parts in a million; absent when that is not known. */
      driftPpm: z.number().optional(),
    }),
  ),
  /** From SIPREC metadata; without them the parties of the tracks count. */
  participants: z.array(participant).optional(),
  channelOrder: z.array(z.string()).optional(),
  /** The files are sealed with this key, and the notes too where it says so. */
  sealed: z.object({ key: wrappedKeySchema, notes: z.boolean() }).optional(),
  /** Pauses and mutes. */
  marks: z.array(mark).optional(),
  /** When a pause that goes on ends by itself. */
  resumesAtMs: z.number().optional(),
  /** How well legs were heard. */
  heard: z.array(heard).optional(),
  origin: origin.optional(),
})

export type Manifest = z.infer<typeof manifestSchema>
export type ManifestTrack = Manifest['tracks'][number]

/** Folder of the manifests, and of combined files, that are not finished. */
export const unfinishedFolder = (folder: string): string => join(folder, 'unfinished')
const unfinishedPath = (folder: string, manifest: Manifest): string =>
  join(unfinishedFolder(folder), notesName(manifest))
/** The notes of a finished recording. */
export const finishedPath = (folder: string, manifest: Manifest): string => join(folder, notesName(manifest))
const notesName = ({ name, sealed }: Manifest): string => `${name}.json${sealed?.notes ? sealedExtension : ''}`

/**
 * Create the manifest, and with it take its name.
 * @returns False when a recording of this name is being made.
 * @throws What the file system throws.
 */
export function createManifest(folder: string, manifest: Manifest, seal?: Seal): boolean {
  // Recordings are nobody else's business: the folder is made for the owner alone.
  mkdirSync(unfinishedFolder(folder), { recursive: true, mode: 0o700 })
  const path = unfinishedPath(folder, manifest)
  if (existsSync(path.endsWith(sealedExtension) ? plainName(path) : path + sealedExtension)) return false
  try {
    writeFileSync(path, written(manifest, seal), { flag: 'wx', mode: 0o640 })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/** Replace the manifest so that a crash at any moment leaves the old one or the new one. */
export async function saveManifest(folder: string, manifest: Manifest, seal?: Seal): Promise<void> {
  await writeAtomically(unfinishedPath(folder, manifest), written(manifest, seal))
}

/**
 * The files are complete: put the manifest beside them. The one in `unfinished` stays for `discardManifest`, until the
 * recording is known to the database. Doing it again after a crash is fine.
 */
export async function finishManifest(folder: string, manifest: Manifest, seal?: Seal): Promise<void> {
  await writeAtomically(finishedPath(folder, manifest), written({ ...manifest, state: 'stored' }, seal))
}

/** @param seal Of the recording, when its notes are sealed. */
function written(manifest: Manifest, seal: Seal | undefined): Buffer {
  const bytes = Buffer.from(JSON.stringify(manifest, undefined, 1))
  if (!manifest.sealed?.notes) return bytes
  if (!seal) throw new SealingError('sealing.key-missing', manifest.sealed.key.master)
  return sealedWhole(seal, `${manifest.name}.json`, manifest.startedAtMs, bytes)
}

async function writeAtomically(path: string, bytes: Buffer): Promise<void> {
  const temporary = `${path}.new`
  const file = await open(temporary, 'w', 0o640)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}

/** Whether the recording is still unfinished: nobody deleted it meanwhile. */
export const isUnfinished = (folder: string, manifest: Manifest): boolean =>
  existsSync(unfinishedPath(folder, manifest))

/** Nothing is unfinished any more. */
export async function discardManifest(folder: string, manifest: Manifest): Promise<void> {
  const path = unfinishedPath(folder, manifest)
  await rm(`${path}.new`, { force: true })
  await rm(path, { force: true })
}

export interface UnfinishedManifests {
  readonly manifests: readonly Manifest[]
  /** Paths of what could not be read. */
  readonly unreadable: readonly string[]
  /** Sealed, and their key cannot be had now: paths. */
  readonly locked: readonly string[]
}

/** What a process that died left behind. */
export async function readUnfinished(folder: string, openKey?: OpenKey): Promise<UnfinishedManifests> {
  const manifests: Manifest[] = []
  const unreadable: string[] = []
  const locked: string[] = []
  for (const entry of await namesIn(unfinishedFolder(folder))) {
    if (!plainName(entry).endsWith('.json')) continue
    const path = join(unfinishedFolder(folder), entry)
    const manifest = await readManifest(path, openKey)
    if (manifest === 'locked') locked.push(path)
    else if (manifest && notesName(manifest) === entry) manifests.push(manifest)
    else unreadable.push(path)
  }
  return { manifests, unreadable, locked }
}

async function readManifest(path: string, openKey: OpenKey | undefined): Promise<Manifest | 'locked' | undefined> {
  try {
    return parseManifest((await readStored(path, { openKey })).toString('utf8'))
  } catch (error) {
    if (!(error instanceof SealingError)) throw error
    return error.code.startsWith('sealing.key-') ? 'locked' : undefined
  }
}

/**
 * What is unfinished of one recording.
 * @returns undefined when it has no notes there; `locked` when notes whose key cannot be had now may be its own.
 */
export async function findUnfinished(
  folder: string,
  recordingId: string,
  openKey?: OpenKey,
): Promise<Manifest | 'locked' | undefined> {
  let locked = false
  for (const entry of await namesIn(unfinishedFolder(folder))) {
    if (!plainName(entry).endsWith('.json')) continue
    const found = await readManifest(join(unfinishedFolder(folder), entry), openKey).catch(absent)
    if (found === 'locked') locked = true
    else if (found?.recordingId === recordingId) return found
  }
  return locked ? 'locked' : undefined
}

/** A recording may be finished while others are looked at. */
function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error
}

/** The name of the recording with these notes. */
export const recordingOf = (path: string): string => plainName(basename(path)).replace(/\.json$/, '')

function parseManifest(text: string): Manifest | undefined {
  try {
    return manifestSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

/** A folder that is not there holds nothing. */
async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}
