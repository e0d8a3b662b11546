/** What the stack counts, ever rising; for metrics and for a person who asks why a message had no effect. */
export interface SipCounters {
  messagesIn: number
  messagesOut: number
  requestsIn: number
  responsesIn: number
  /** STUN messages on SIP sockets. */
  stunIn: number
  /** Neither a SIP message nor a keep-alive; answered 400 where that was possible. */
  malformed: number
  /** Responses and ACKs that matched nothing. */
  unmatched: number
  /** Sends that the host or a connection refused. */
  sendFailures: number
  /** Messages that the screen did not let in: of the banned, and above the allowance of strangers. Not read, not answered. */
  screened: number
  /** Connections refused because too many were open, or by the screen. */
  connectionsRefused: number
  /** Requests that a guard dropped or answered by itself. */
  guarded: number
  /** In-dialog requests from an address that is not the dialog's peer, and that no credentials vouched for. */
  foreignInDialog: number
  /** Requests for dialogs and INVITEs that do not exist. */
  unknownDialog: number
}

export const newCounters = (): SipCounters => ({
  messagesIn: 0,
  messagesOut: 0,
  requestsIn: 0,
  responsesIn: 0,
  stunIn: 0,
  malformed: 0,
  unmatched: 0,
  sendFailures: 0,
  screened: 0,
  connectionsRefused: 0,
  guarded: 0,
  foreignInDialog: 0,
  unknownDialog: 0,
})
