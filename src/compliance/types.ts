/** Giving people what is kept of them, and taking it away. Declared here, kept by database/life/. */
import type { AuditEntry } from '../audit/types.ts'

/** One call, or somebody under all the forms in which they are written. */
export type Subject =
  | { readonly kind: 'call'; readonly callId: string }
  | {
      readonly kind: 'person'
      /** core/person.ts */
      readonly keys: readonly string[]
    }

export type ExportState = 'waiting' | 'running' | 'ready' | 'failed' | 'expired'

export interface ExportRecord {
  readonly id: string
  readonly subject: Subject
  readonly state: ExportState
  readonly askedBy: string
  readonly askedAtMs: number
  /** Parts of the archive that are written, and how many there are. */
  readonly done: number
  readonly total: number
  /** Of the archive, once it is ready. */
  readonly bytes?: number
  readonly sha256?: string
  readonly expiresAtMs?: number
  readonly error?: string
  /** Files that it lacks, in whole or in part; its index.json names them. Absent: none. */
  readonly missing?: number
}

export type ExportChange = Partial<
  Pick<ExportRecord, 'state' | 'done' | 'total' | 'bytes' | 'sha256' | 'expiresAtMs' | 'error' | 'missing'>
>

export interface ExportStore {
  /** The export, the entry and the job that makes it, in one transaction. */
  add(record: ExportRecord, entry: AuditEntry): Promise<void>
  find(id: string): Promise<ExportRecord | undefined>
  /** Newest first. */
  list(limit: number): Promise<readonly ExportRecord[]>
  change(id: string, change: ExportChange): Promise<void>
  /** Which calls are in it: what is erased takes its exports with it. */
  setCalls(id: string, callIds: readonly string[]): Promise<void>
}

/** What would be erased, or was: numbers, never names. */
export interface ErasureCounts {
  readonly calls: number
  readonly recordings: number
  readonly files: number
  /** Copies in archives, by store. */
  readonly copies: Readonly<Record<string, number>>
  /** Rows by table. */
  readonly rows: Readonly<Record<string, number>>
  /** Of other calls: SIP messages and metadata documents in which the number or address stands. */
  readonly mentions: number
  readonly exports: number
  readonly jobs: number
}

export interface ErasurePreview extends ErasureCounts {
  /** The first of the calls, oldest first. */
  readonly items: readonly { readonly callId: string; readonly startedAtMs: number; readonly recordings: number }[]
  /** Why it would be refused; absent when it would not. */
  readonly refused?: { readonly code: string; readonly text: string }
}

/** Something of it that is still there, and where. */
export interface Remainder {
  readonly where: string
  readonly count: number
  readonly why: string
}

export interface ErasureReport extends ErasureCounts {
  readonly left: readonly Remainder[]
  /** The scan at the end found nothing. */
  readonly verified: boolean
}

export type ErasureState = 'running' | 'done' | 'incomplete'

export interface ErasureRecord {
  readonly id: string
  readonly kind: Subject['kind']
  /** While it runs; afterwards nobody here knows any more whom it was about. */
  readonly subject?: Subject
  readonly state: ErasureState
  readonly askedBy: string
  readonly askedAtMs: number
  readonly finishedAtMs?: number
  readonly report?: ErasureReport
  /** While it runs: why the last attempt did not reach its end. It is tried again. */
  readonly waits?: string
  /** Of the audit record that has the report. */
  readonly auditHash?: string
}

export interface ErasedCall {
  readonly callId: string
  readonly startedAtMs: number
  readonly live: boolean
  readonly sipCallIds: readonly string[]
  readonly recordings: readonly {
    readonly recordingId: string
    readonly baseName: string
    readonly files: readonly string[]
  }[]
}

export interface ErasureStore {
  /** Oldest first, behind this id. */
  calls(subject: Subject, behind: string | undefined, limit: number): Promise<readonly ErasedCall[]>
  /** Rows that a call has, by table. */
  rowsOf(callId: string): Promise<Readonly<Record<string, number>>>
  /**
   * From now on its recordings are being deleted, and no hold can be placed on them any more.
   * @returns False when a hold stands: nothing was changed.
   */
  claim(callId: string): Promise<boolean>
  /** Takes the call and all that hangs on it out of the database. */
  removeCall(callId: string): Promise<void>
  /** Exports that hold the call, or that the person was asked for in. */
  exportsOf(subject: Subject, callIds: readonly string[]): Promise<readonly string[]>
  removeExport(id: string): Promise<void>
  /** SIP messages and documents of other calls in which one of the texts stands. @param remove Take them out. @param except Calls that are not looked at. */
  mentions(texts: readonly string[], remove: boolean, except?: ReadonlySet<string>): Promise<number>
  /** The person under lifted holds is named no more. */
  forgetLiftedHolds(keys: readonly string[]): Promise<void>
  /**
   * Nothing that was deleted stands in the database file any more: the log is written back, pages are made anew.
   * @returns How often one of the texts stands there all the same.
   */
  scrub(texts: readonly string[]): Promise<number>
  /** The erasure, the entry and the job, in one transaction. */
  add(record: ErasureRecord, entry: AuditEntry): Promise<void>
  /** Erasures whose job was taken away get one again. */
  resume(nowMs: number): Promise<void>
  find(id: string): Promise<ErasureRecord | undefined>
  list(limit: number): Promise<readonly ErasureRecord[]>
  /** Keeps why it is not over yet, until it is. */
  setWaits(id: string, waits: string): Promise<void>
  /** Keeps the report and forgets the subject. @param entry Put into the audit record in the same transaction. */
  finish(id: string, state: ErasureState, report: ErasureReport, entry: AuditEntry, atMs: number): Promise<void>
}
