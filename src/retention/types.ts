/**
 * How long recordings are kept and who holds them. Declared here, kept by database/life/.
 */
import type { AuditEntry } from '../audit/types.ts'
import type { CallKind } from '../events/catalogue.ts'

/** Which recordings a rule is about: all that is given has to fit. */
export interface RuleMatch {
  readonly kind?: CallKind | undefined
  /** Name of the SIPREC peer or the trunk. */
  readonly peer?: string | undefined
  readonly tag?: string | undefined
  /** An extension that took part in the call. */
  readonly extension?: string | undefined
}

export interface NewRetentionRule extends RuleMatch {
  readonly name: string
  /** Days after the end of the recording; absent: for ever. */
  readonly days?: number | undefined
}

export interface RetentionRule extends NewRetentionRule {
  readonly id: string
  readonly createdAtMs: number
}

/** What decides about one recording. */
export interface RetentionCase {
  readonly recordingId: string
  readonly callId: string
  readonly kind: CallKind
  readonly startedAtMs: number
  readonly endedAtMs: number
  readonly peer?: string
  /** Of the recording and of its call. */
  readonly tags: readonly string[]
  readonly extensions: readonly string[]
  /** Asked for with the call itself. */
  readonly retentionDays?: number
}

export type HoldKind = 'recording' | 'call' | 'person'

/** While it stands nothing that it is about is deleted, by whatever or whomever. */
export interface Hold {
  readonly id: string
  readonly kind: HoldKind
  /** Id of the recording or the call; of a person the key (core/person.ts). */
  readonly subject: string
  readonly why: string
  readonly placedBy: string
  readonly placedAtMs: number
  readonly liftedBy?: string
  readonly liftedAtMs?: number
  readonly liftedWhy?: string
}

export interface Deletion {
  readonly recordingId: string
  readonly callId: string
  /** Empty when its files were never complete. */
  readonly baseName: string
  /** Names of its files as the database has them. */
  readonly files: readonly string[]
}

export interface RetentionStore {
  rules(): Promise<readonly RetentionRule[]>
  addRule(rule: RetentionRule): Promise<void>
  /** @returns False when there is none of this id. */
  replaceRule(rule: RetentionRule): Promise<boolean>
  removeRule(id: string): Promise<boolean>
  case(recordingId: string): Promise<RetentionCase | undefined>
  /** Finished recordings that began before, oldest first, behind this place. */
  cases(
    beganBeforeMs: number,
    behind: { readonly startedAtMs: number; readonly recordingId: string } | undefined,
    limit: number,
  ): Promise<readonly RetentionCase[]>
  /** The fewest days that any call asked for. */
  shortestAsked(): Promise<number | undefined>
  /**
   * From now on it is being deleted: one transaction looks for holds, marks it, puts the entry into the audit record and
   * adds the job that removes its files.
   * @returns `held`: nothing was changed. `gone`: there is none, or it is being made, or deleted already.
   */
  beginDeletion(recordingId: string, entry: AuditEntry, atMs: number): Promise<'begun' | 'held' | 'gone'>
  /** Deletions whose job was taken away get one again. @returns How many are being deleted. */
  resume(nowMs: number): Promise<number>
  /** What is being deleted; undefined when it is no more. */
  deletion(recordingId: string): Promise<Deletion | undefined>
  /** Its files are gone everywhere: the row says so, the call's record stays. */
  endDeletion(recordingId: string, atMs: number): Promise<void>
  /** Of these file names and base names those that a recording has. */
  known(names: readonly string[]): Promise<ReadonlySet<string>>
}

export interface HoldStore {
  /** @throws {RetentionError} `retention.nothing-to-hold`, `retention.not-stored` (it is being deleted) */
  place(hold: Hold, entry: AuditEntry): Promise<void>
  /** @returns The hold, lifted; undefined when none of this id stands. */
  lift(
    id: string,
    how: { readonly by: string; readonly why: string; readonly atMs: number },
    entry: AuditEntry,
  ): Promise<Hold | undefined>
  /** Newest first. */
  list(all: boolean): Promise<readonly Hold[]>
  /** Those that stand and are about this recording, its call or somebody in it. */
  onRecording(recordingId: string): Promise<readonly Hold[]>
  /** Those that stand and are about one of these calls, a recording of them or somebody in them. */
  onCalls(callIds: readonly string[]): Promise<readonly Hold[]>
}
