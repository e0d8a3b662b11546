/** What the archive keeps of each file that it stored, and what it asks of a recording. Kept by database/archive.ts. */
import type { StoreName } from './types.ts'

export interface RecordingToArchive {
  readonly recordingId: string
  readonly callId: string
  readonly kind: string
  /** URIs. */
  readonly from: string
  readonly to: string
  readonly peer?: string
  readonly startedAtMs: number
  /** The names of its files begin with this. */
  readonly baseName: string
  /** Names of its sound files, as the API has them. */
  readonly files: readonly string[]
}

/** A stored recording that lacks something. */
export interface Lacking {
  readonly recordingId: string
  /** As the database has them. */
  readonly files: readonly string[]
  /** In which not all of these files are. */
  readonly stores: readonly StoreName[]
  /** It has no proof, and one is wanted. */
  readonly proof: boolean
}

export interface BackfillStore {
  /**
   * Of `limit` stored recordings behind this id those that lack a copy in one of the stores, or a proof.
   * @returns Also the last id that was looked at; without it there are no more.
   */
  lacking(
    wanted: { readonly stores: readonly StoreName[]; readonly proof: boolean },
    behind: string,
    limit: number,
  ): Promise<{ readonly recordings: readonly Lacking[]; readonly behind?: string }>
}

/** A copy of one file in one store. */
export interface Location {
  readonly recordingId: string
  /** As it was called on the disk. */
  readonly file: string
  readonly store: StoreName
  readonly key: string
  readonly uri: string
  readonly bytes: number
  readonly sha256: string
  /** 0 while it is being made: the store may have it, or a part of it. */
  readonly storedAtMs: number
  /** Moved to the colder class. */
  readonly cold: boolean
}

export interface LocationStore {
  /** undefined when there is no such recording (any more), or its files are not complete. */
  recording(id: string): Promise<RecordingToArchive | undefined>
  /** All copies of its files. */
  of(recordingId: string): Promise<readonly Location[]>
  put(location: Location): Promise<void>
  /** @param file Of this file alone, in this store. */
  forget(recordingId: string, store: StoreName, file: string): Promise<void>
}
