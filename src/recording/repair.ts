/**
 * What a process that died left unfinished is finished by the next start.
 *
 *   main ── before calls are taken ─▶  findInterrupted
 *        ── while they are ─────────▶  repairInterrupted: combining hours of audio must not keep phones waiting
 *
 * The media workers write leg files at least twice a second, so a call that was cut off lacks at most a second. Here
 * the lengths in their headers are put right, the combined file is made, and `recording.stored` tells that the call was
 * interrupted. A crash meanwhile does no harm: the next start does it again.
 */
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { FactBus } from '../events/bus.ts'
import { belongings } from './belongings.ts'
import { failureOf, recordingFailures } from './failures.ts'
import { finishRecording, type IsKept, putAway } from './finish.ts'
import { discardManifest, isUnfinished, type Manifest, readUnfinished, recordingOf } from './manifest.ts'
import type { RecordingKeys } from './sealing.ts'
import type { Decoders } from './undecoded/decode-leg.ts'

export interface RepairDeps {
  readonly folder: string
  /** As in `RecordingDeps`. */
  readonly combineLegs?: boolean
  readonly loudnessLufs?: number | undefined
  readonly decoders?: Decoders | undefined
  /** As in `RecordingDeps`. */
  readonly keys?: RecordingKeys | undefined
  /** As in `FinishDeps`. */
  readonly isKept?: IsKept | undefined
  readonly bus: FactBus
  readonly clock: Clock
  readonly log: Logger
  /** Aborted: what is not finished yet is left to the next start. */
  readonly signal?: AbortSignal
}

/**
 * What is unfinished now; call it before new recordings begin, and before jobs go on: of what the database has already only
 * the notes were left, and its files may be converted or in an archive. Notes that cannot be read are put aside; what is
 * sealed with a key that cannot be had now is left to a later start.
 */
export async function findInterrupted({
  folder,
  keys,
  isKept,
  log,
}: Pick<RepairDeps, 'folder' | 'keys' | 'isKept' | 'log'>): Promise<readonly Manifest[]> {
  const { manifests, unreadable, locked } = await readUnfinished(folder, keys?.openKey)
  for (const path of locked)
    log.error('An interrupted recording waits for its key', {
      code: 'recording.key-missing',
      recording: recordingOf(path),
    })
  for (const path of unreadable) {
    log.error('The notes of an interrupted recording were put aside', {
      code: 'recording.manifest-unreadable',
      path: `${path}.unreadable`,
    })
    await rename(path, `${path}.unreadable`)
  }
  const interrupted: Manifest[] = []
  for (const manifest of manifests)
    if (isKept && (await isKept(manifest.recordingId))) await discardManifest(folder, manifest)
    else interrupted.push(manifest)
  return interrupted
}

/**
 * Tells `recording.stored` or `recording.failed` for each recording, one after the other; never rejects.
 * @returns The ids of the calls whose recordings were finished.
 */
export async function repairInterrupted(manifests: readonly Manifest[], deps: RepairDeps): Promise<readonly string[]> {
  const repaired: string[] = []
  for (const manifest of manifests) {
    if (deps.signal?.aborted) break
    if (await repair(deps, manifest)) repaired.push(manifest.callId)
  }
  if (repaired.length > 0) deps.log.info('Interrupted recordings were finished', { recordings: repaired.length })
  return repaired
}

async function repair(deps: RepairDeps, manifest: Manifest): Promise<boolean> {
  const { bus, clock, log, folder } = deps
  const { recordingId, callId } = manifest
  // A call that had ended in order lost nothing: only its combined file was missing.
  const interrupted = manifest.interrupted || manifest.state === 'recording'
  try {
    const finished = await finishRecording({ ...manifest, interrupted }, deps)
    if (!isUnfinished(folder, manifest)) {
      await removeAgain(folder, manifest)
      return false
    }
    bus.publish({ name: 'recording.stored', atMs: clock.wallMs(), callId, recordingId, interrupted, ...finished })
    await putAway(manifest, deps)
    return true
  } catch (error) {
    const code = failureOf(error)
    const { text } = recordingFailures[code]
    log.error('An interrupted recording could not be finished', { callId, code, error: String(error) })
    bus.publish({ name: 'recording.failed', atMs: clock.wallMs(), callId, recordingId, code, text })
    return false
  }
}

/** It was deleted, or its call erased, while it was put together. */
async function removeAgain(folder: string, { name, tracks }: Manifest): Promise<void> {
  const files = tracks.map(({ file }) => file)
  for (const each of belongings(name, files)) await rm(join(folder, each), { force: true })
}
