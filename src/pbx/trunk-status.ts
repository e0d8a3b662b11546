/** How a trunk fares. Told by pbx/trunk-line.ts; shown by the API. */

/** `unknown`: nothing was heard of it yet, or nobody asks. */
export type TrunkState = 'up' | 'down' | 'unknown'

export interface TrunkRegistrationStatus {
  readonly state: 'registering' | 'registered' | 'failed' | 'closed'
  /** Registered: until when, unless refreshed. */
  readonly untilMs?: number
  /** Failed: when it is tried again. */
  readonly retryAtMs?: number
}

export interface TrunkStatus {
  readonly name: string
  readonly host: string
  readonly state: TrunkState
  /** Since when, wall time. */
  readonly sinceMs: number
  /** Why it is down: `no answer`, `503 Service Unavailable`, `registration: 403 Forbidden`. */
  readonly reason?: string
  /** The server that answered last: `udp 192.0.2.1:5060`. */
  readonly server?: string
  readonly lastAnswerAtMs?: number
  /** From the last OPTIONS to its answer. */
  readonly roundTripMs?: number
  /** Of trunks that register. */
  readonly registration?: TrunkRegistrationStatus
}

export interface TrunkStatuses {
  list(): readonly TrunkStatus[]
}
