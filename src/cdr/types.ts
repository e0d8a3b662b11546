/**
 * Call detail records: one flat row for each call that has ended, recorded or not. Kept by nobody: made of what the
 * database has of the call. The shape is stable; docs/cdr.md describes it.
 */
import type { RecordingState } from '../call/history.ts'
import type { CallKind, EndReason } from '../events/catalogue.ts'

/** `recorded`: a SIPREC session, its call was elsewhere. `transit`: from outside to outside. */
export type CdrDirection = 'internal' | 'inbound' | 'outbound' | 'transit' | 'recorded'

export interface Cdr {
  readonly callId: string
  readonly kind: CallKind
  readonly direction: CdrDirection
  readonly from: string
  readonly fromName?: string
  readonly fromExtension?: string
  readonly to: string
  readonly toName?: string
  readonly toExtension?: string
  readonly startedAtMs: number
  readonly answeredAtMs?: number
  readonly endedAtMs: number
  /** From the beginning to the answer, or to the end when nobody answered. */
  readonly ringMs: number
  /** From the answer to the end; 0 when nobody answered. */
  readonly talkMs: number
  readonly endReason: EndReason
  readonly sipStatus?: number
  /** Call-IDs of its legs, in their order. */
  readonly sipCallIds: readonly string[]
  readonly codecs: readonly string[]
  /** Of the leg that was heard worst, 1 to 4.5 (ITU-T G.107). */
  readonly mos?: number
  readonly packetsReceived: number
  readonly packetsLost: number
  readonly recordings: readonly { readonly id: string; readonly state: RecordingState }[]
  readonly peer?: string
  readonly tags: readonly string[]
}

export interface CdrFilter {
  readonly kind?: CallKind | undefined
  readonly fromMs?: number | undefined
  readonly untilMs?: number | undefined
  /** A number or an address, in full. */
  readonly person?: string | undefined
  readonly extension?: string | undefined
  readonly tag?: string | undefined
  readonly endReason?: EndReason | undefined
  readonly answered?: boolean | undefined
  readonly recorded?: boolean | undefined
}

export interface CdrStore {
  /** Newest first. @throws {DatabaseError} `database.bad-cursor` */
  page(
    filter: CdrFilter,
    limit: number,
    cursor: string | undefined,
  ): Promise<{ readonly items: readonly Cdr[]; readonly nextCursor?: string }>
  /** Of one call; undefined while it lives. */
  one(callId: string): Promise<Cdr | undefined>
}
