/** The audit record: who did what to which thing, and when. Declared here, kept by database/life/audit.ts. */

/** How somebody came: the console, an API key or token, the command line; `server` is the server by itself. */
export type AuditVia = 'session' | 'api-key' | 'token' | 'command-line' | 'server'

/** Who asks for something that is recorded. */
export interface Asker {
  /** Name of the user or the API key; `server` when nobody asked. */
  readonly who: string
  readonly via: AuditVia
  /** The IP address that it was asked from. */
  readonly source?: string
}

export interface AuditEntry extends Asker {
  /** What was done, in the past tense, `recording.deleted`; docs/retention.md lists them. */
  readonly action: string
  /** What it was done to: a kind and an id, `recording:Xk3v…`. Never a person's number or name. */
  readonly subject?: string
  /** What else matters. No secrets, and nothing that an erasure would have to take out again: records are for ever. */
  readonly details?: AuditDetails
}

export type AuditDetails = Readonly<Record<string, unknown>>

export interface AuditRecord extends AuditEntry {
  /** 1, 2, 3… without a gap. */
  readonly sequence: number
  readonly atMs: number
  readonly details: AuditDetails
  /** The hash of the record before; 64 zeros before the first. */
  readonly previous: string
  /** Over all of the above (audit/chain.ts). */
  readonly hash: string
}

export interface AuditQuery {
  /** Of the whole action, or of what stands before the dot: `recording` finds `recording.deleted`. */
  readonly action?: string | undefined
  readonly who?: string | undefined
  readonly subject?: string | undefined
  readonly fromMs?: number | undefined
  readonly untilMs?: number | undefined
  readonly limit: number
  /** Only records before this sequence. */
  readonly before?: number | undefined
}

export interface AuditStore {
  /** Puts the entry behind the last record. Concurrent ones, also of other processes, wait for each other. */
  append(entry: AuditEntry, atMs: number): Promise<AuditRecord>
  /** Newest first. */
  list(query: AuditQuery): Promise<readonly AuditRecord[]>
  /** Oldest first, `limit` records behind this sequence. */
  after(sequence: number, limit: number): Promise<readonly AuditRecord[]>
}
