/**
 * The shape of an error table: one per folder, code to fault and answer. Callers branch on the code, never on the
 * text; docs/errors.md is checked against the tables by test/docs.test.ts.
 */

/** Whose fault: the other party's, that of something we depend on, ours, or the person's who asked. */
export type Fault = 'peer' | 'upstream' | 'us' | 'caller'

export interface Failure {
  readonly fault: Fault
  /** SIP status to answer with, where the failure can reach a SIP peer. */
  readonly sip?: number
  /** HTTP status to answer with, where the failure can reach an API client. */
  readonly http?: number
  readonly text: string
}

export type FailureTable = Readonly<Record<string, Failure>>
