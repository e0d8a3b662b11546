/**
 * Sealed files of a recording that cannot be read: one whose head a crash cut off, or whose bytes were changed. They stay as
 * they are and are listed with the others, so that they are proven, archived and deleted with them; what can be read of the
 * recording is finished without them.
 */
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import type { Logger } from '../core/logger.ts'
import type { RecordingFile } from '../events/catalogue.ts'
import { SealingError } from '../sealing/failures.ts'
import { findStored } from '../sealing/stored-file.ts'
import type { Manifest, ManifestTrack } from './manifest.ts'

export class DamagedFiles {
  readonly files: RecordingFile[] = []
  /** Why the first of them cannot be read. */
  error: SealingError | undefined
  readonly #manifest: Manifest
  readonly #log: Logger

  constructor(manifest: Manifest, log: Logger) {
    this.#manifest = manifest
    this.#log = log
  }

  /** What `open` makes of the file; undefined when it is damaged. @throws What else it throws: a key may come back. */
  async unless<Result>(
    { legId, label }: ManifestTrack,
    wanted: string,
    open: () => Promise<Result>,
  ): Promise<Result | undefined> {
    try {
      return await open()
    } catch (error) {
      if (!isDamage(error)) throw error
      this.error ??= error
      const path = (await findStored(wanted)) ?? wanted
      const { callId, recordingId, startedAtMs } = this.#manifest
      this.#log.error('A sealed file of a recording cannot be read', { callId, recordingId, path, code: error.code })
      this.files.push({
        name: basename(path),
        kind: 'raw',
        legId,
        ...(label !== undefined && { label }),
        channels: 0,
        sampleRateHz: 0,
        samples: 0,
        bytes: (await stat(path)).size,
        startedAtMs,
      })
      return undefined
    }
  }
}

/** Of the file itself, and not of its key. */
export const isDamage = (error: unknown): error is SealingError =>
  error instanceof SealingError && !error.code.startsWith('sealing.key-')
