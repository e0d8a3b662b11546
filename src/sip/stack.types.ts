/**
 * The SIP stack as the rest of the platform sees it.
 *
 *   call/, pbx/, siprec/  ◀─ IncomingRequest ──  here  ◀── message ──  transport
 *                         ── invite, request ─▶        ── bytes ────▶
 *
 * One interface for both sides of a call: an `IncomingInvite` or `OutgoingInvite` becomes a `Dialog`. Whoever holds a
 * dialog ends it; a dialog that ends by itself says so once. Implemented by sip/dialog; docs/sip.md shows how to use it.
 */
import type { ClientCertificate } from '../net/network.ts'
import type { OutgoingRegistration, RegistrationOptions } from './client/registration.types.ts'
import type { NameAddr, SipRequest, SipResponse, SipUri } from './message/types.ts'
import type {
  EventPackage,
  Notifier,
  Publication,
  PublicationRules,
  Publications,
  PublishOptions,
  ReferOptions,
  Referral,
  SubscribeOptions,
  Subscription,
} from './subscription/types.ts'

export type { ClientCertificate }

export type TransportName = 'udp' | 'tcp' | 'tls' | 'ws' | 'wss'

export interface Address {
  readonly ip: string
  readonly port: number
}

/** A server that DNS or a configuration named, numeric. */
export interface Server extends Address {
  readonly transport: TransportName
  /** The name that a certificate has to hold (RFC 5922 §7.1). */
  readonly serverName?: string
}

/** The way a message came and its answer goes: a UDP address pair or a connection. */
export interface Flow {
  /** Stable while the flow lives; a key for maps. */
  readonly id: string
  readonly transport: TransportName
  /** TCP and its kin: no retransmissions. */
  readonly reliable: boolean
  readonly local: Address
  readonly remote: Address
  /** False once a connection is closed. */
  readonly open: boolean
  /** Of who connected to us by TLS, when TLS_CLIENT_AUTH asks for one and it is valid. */
  readonly certificate?: ClientCertificate | undefined
}

/** How a flow that we opened is kept alive (RFC 5626 §4.4). */
export interface KeepAliveOptions {
  /**
   * The peer said that it answers: by `outbound` (RFC 5626) or `keep` (RFC 6223). It is asked then, by STUN over UDP, and
   * judged by its silence; else it gets line ends.
   */
  readonly answered: boolean
  /** At most so long between two pings; 120 s on connections and 29 s over UDP unless given (Flow-Timer). */
  readonly everyMs?: number
  /** Once: the flow is dead. `moved`: a NAT on the way gave us another address. */
  readonly failed?: (why: 'closed' | 'no-answer' | 'moved') => void
}

/** Headers to add to what the stack writes itself: name to value or values. */
export type ExtraHeaders = Readonly<Record<string, string | readonly string[]>>

export interface Payload {
  readonly headers?: ExtraHeaders
  /** Body; needs `contentType`. */
  readonly body?: string | Uint8Array
  readonly contentType?: string
}

export interface Answer extends Payload {
  readonly reason?: string
}

/** A request outside a dialog (REGISTER, OPTIONS, an INVITE) or inside one (INFO, UPDATE, a re-INVITE). */
export interface IncomingRequest {
  readonly request: SipRequest
  readonly flow: Flow
  /** Send a response through the server transaction; a second final response is ignored. */
  respond(status: number, answer?: Answer): void
}

/** An INVITE that starts a dialog. */
export interface IncomingInvite extends IncomingRequest {
  /** Aborted when the caller cancels, or its connection is lost, before the answer. 487 has been sent by then. */
  readonly cancelled: AbortSignal
  /** The CANCEL or BYE by which the caller gave up: its Reason says why (RFC 3326). */
  readonly cancelledBy: SipRequest | undefined
  /** The dialog it starts: early until the 2xx has left. Requests inside it may come before that (RFC 3311). */
  readonly dialog: Dialog
  /** A provisional response with our tag: 180, 183. */
  ring(status: number, answer?: Answer): void
  /**
   * 200, resent until the ACK comes (RFC 3261 §13.3.1.4).
   * @returns The dialog at once; `dialog.acknowledged` resolves with the ACK, or the dialog ends with `no-ack`.
   */
  answer(answer: Payload): Dialog
  /** A final failure. */
  reject(status: number, answer?: Answer): void
}

/** Where to send: a URI to resolve, or a flow that is already open (a registered device behind NAT). */
export interface Target {
  /** The Request-URI. */
  readonly uri: string
  readonly flow?: Flow
  /** Send here instead of where the URI points: an outbound proxy or known address. Of several, the next when one fails. */
  readonly via?: Server | readonly Server[]
}

export interface Credentials {
  readonly username: string
  readonly password: string
}

export interface RequestOptions extends Payload {
  readonly target: Target
  /** `"Name" <sip:user@host>`; the stack adds the tag. */
  readonly from: string
  readonly to: string
  readonly callId?: string
  /** CSeq number to use; for a REGISTER refresh that must count up. */
  readonly cseq?: number
  /** Answers one 401 or 407 by itself. */
  readonly credentials?: Credentials
  /** Give up: an INVITE is cancelled. */
  readonly signal?: AbortSignal
}

export interface InviteOptions extends RequestOptions {
  /** Contact parameters and the like: `;+sip.src`. Appended to the Contact the stack writes. */
  readonly contactParams?: string
  /** An INVITE without a body asks the peer to offer; this answers its offer, in the ACK (RFC 3261 §13.2.2.4). */
  readonly ackBody?: (response: SipResponse) => Payload
  /**
   * A further offer to go with the PRACK of a reliable answer that has a description (RFC 3262 §5); the answer to it
   * comes as `refreshed` of its dialog.
   */
  readonly prackBody?: (response: SipResponse) => Payload | undefined
  /** The first answer of a server, 100 among them: somebody is there. */
  readonly onHeard?: () => void
  /** Each provisional response above 100, with its early dialog: one for each phone that a proxy rings. */
  readonly onProvisional?: (response: SipResponse, dialog: Dialog | undefined) => void
}

/** What became of an INVITE sent: a dialog, or the final response that refused it (408 and 503 may be made here). */
export type InviteOutcome =
  | { readonly answered: true; readonly dialog: Dialog; readonly response: SipResponse }
  | { readonly answered: false; readonly response: SipResponse }

export interface OutgoingInvite {
  readonly sipCallId: string
  /** Never rejects. */
  readonly outcome: Promise<InviteOutcome>
  /** CANCEL once a provisional came (RFC 3261 §9.1); if a 2xx wins the race it is ACKed and ended by BYE. */
  cancel(reason?: string): void
}

export interface DialogId {
  readonly callId: string
  readonly localTag: string
  readonly remoteTag: string
}

/** Who or what ended a dialog. */
export type DialogEnd =
  | { readonly by: 'remote'; readonly request: SipRequest }
  | { readonly by: 'local' }
  | { readonly by: 'no-ack' | 'timeout' | 'transport' | 'gone' | 'expired' }

/** A request inside a dialog that the dialog does not handle by itself (it does BYE, ACK, PRACK, and wrong CSeq). */
export type InDialogRequest = IncomingRequest

export interface DialogEvents {
  /**
   * Re-INVITE, UPDATE, INFO, REFER, NOTIFY, MESSAGE, OPTIONS, and a PRACK with a description: the answer to ours, or a
   * further offer (RFC 3262 §5). Nobody listening: 501, or 200 to OPTIONS and a bare UPDATE. A listener that throws: 500.
   */
  request: InDialogRequest
  /** A NOTIFY, while anybody listens for it: else it is a `request`. */
  notify: InDialogRequest
  /** The ACK to an answer of ours, the first and those to re-INVITEs: its body may hold the answer to our offer. */
  ack: SipRequest
  /** A re-INVITE repeated our description (RFC 4028), or a PRACK had an offer of ours: the body is the answer. */
  refreshed: SipResponse
  /** Once. The BYE, if there was one, has been answered. */
  ended: DialogEnd
}

export interface Dialog {
  readonly id: DialogId
  readonly flow: Flow
  /** Early from the INVITE or its first provisional answer; the 2xx confirms it (RFC 3261 §12.1). */
  readonly state: 'early' | 'confirmed' | 'terminated'
  readonly local: NameAddr
  readonly remote: NameAddr
  /** From the peer's Contact; follows target refreshes. */
  readonly remoteTarget: SipUri
  /** Whether INFO is in the peer's Allow; undefined when it did not say what it allows. */
  readonly takesInfo: boolean | undefined
  /**
   * Server side: the ACK of the first answer; undefined for who asks after it came. Client side: resolved at once.
   * Rejects when the dialog ends first.
   */
  readonly acknowledged: Promise<SipRequest | undefined>
  on<Name extends keyof DialogEvents>(name: Name, listener: (event: DialogEvents[Name]) => void): () => void
  /**
   * Send a request and wait for its final response. A 2xx to a re-INVITE is ACKed (with `ackBody`, when given).
   * 408 and 481 end the dialog (RFC 3261 §12.2.1.2). What may not be asked yet waits: a callee asks nothing before the
   * ACK or a PRACK, an offer waits until the one before is answered.
   */
  request(method: string, payload?: Payload & { ackBody?: (response: SipResponse) => Payload }): Promise<SipResponse>
  /**
   * Let the peer know of something that stands in headers (RFC 5876): by UPDATE, else by a re-INVITE that repeats our
   * description. Resolves when it has answered, whatever that was.
   */
  tell(headers: ExtraHeaders): Promise<void>
  /** BYE, or 480 to an INVITE that has not been answered; resolves when answered or given up. Twice is fine. */
  bye(payload?: Payload): Promise<void>
}

/**
 * A confirmed dialog as plain data (JSON), for the process after this one. Secret: it lets who has it speak in the call.
 */
export interface DialogSnapshot {
  readonly side: 'caller' | 'called'
  readonly id: DialogId
  readonly flow: Pick<Flow, 'transport' | 'reliable' | 'local' | 'remote'>
  /** From and To of our requests, tags included. */
  readonly local: string
  readonly remote: string
  readonly remoteTarget: string
  readonly routeSet: readonly string[]
  readonly localSeq: number
  readonly remoteSeq?: number
  readonly stay: boolean
  readonly contactUser?: string
  readonly contactParams?: string
  /** How the session is kept alive (RFC 4028). */
  readonly session: {
    readonly expiresS?: number
    readonly weRefresh?: boolean
    readonly peerKnows?: boolean
    readonly takesUpdate: boolean
    readonly takesInfo?: boolean
    /** As we told it last. */
    readonly description?: string
  }
}

/** What a guard decides before any state is made for a request outside dialogs: let in, answer and forget, or drop. */
export type Verdict = 'pass' | 'drop' | { readonly status: number; readonly headers?: ExtraHeaders }

/** Judges who sends before a byte is read: sip/ asks for each message of a stranger, security/ answers. */
export interface Screen {
  /** May this datagram, or this message of a connection that was accepted, be read? It is dropped unless so. */
  mayRead(transport: TransportName, remote: Address): boolean
  /** May this address open one more connection? */
  mayConnect(ip: string): boolean
  /** As many connections as it likes, up to those in all. */
  isTrusted(ip: string): boolean
  /** We send a request there: its answers are awaited. */
  expect(flow: Flow): void
}

/** Told of each message that crosses the wire, those that cannot be read too, credentials included: whoever keeps it removes them (sip/trace.ts). */
export type MessageObserver = (direction: 'in' | 'out', flow: Flow, text: string, sipCallId: string) => void

export interface SipStackEvents {
  /** Requests outside dialogs, INVITE excepted. Nobody listening: 501. */
  request: IncomingRequest
  invite: IncomingInvite
}

export interface SipStack {
  on<Name extends keyof SipStackEvents>(name: Name, listener: (event: SipStackEvents[Name]) => void): () => void
  /** Outside dialogs: OPTIONS, INFO. Rejects with `sip.aborted` only; 408 and 503 may be made here. */
  request(method: string, options: RequestOptions): Promise<SipResponse>
  invite(options: InviteOptions): OutgoingInvite
  /** Line ends, which nobody answers: a NAT on the way keeps open what it opened. */
  ping(flow: Flow): void
  /** Ping a flow that we opened while nothing is said on it. Returns how to stop. */
  keepAlive(flow: Flow, options: KeepAliveOptions): () => void
  /**
   * A text message (RFC 3428). One over 1300 bytes goes by connections only (§8): 513 is made here where there is none.
   * Rejects only when aborted.
   */
  message(options: RequestOptions): Promise<SipResponse>
  /** Be told of something of theirs until it is closed or its signal is aborted (RFC 6665). */
  subscribe(options: SubscribeOptions): Subscription
  /** Take subscriptions to something of ours; those to packages that nobody offers are answered 489. */
  notifier<State>(events: EventPackage<State>): Notifier
  /** Ask somebody to call somebody else, inside a dialog or outside, and hear how it goes (RFC 3515). */
  refer(options: ReferOptions): Referral
  /** Keep something of ours published elsewhere until it is closed (RFC 3903). */
  publish(options: PublishOptions): Publication
  /** Take what others publish of one event package; PUBLISH for packages that nobody takes is answered 489. */
  publications<Value>(rules: PublicationRules<Value>): Publications<Value>
  /** Be reachable at somebody's registrar, from now until it is closed. */
  register(options: RegistrationOptions): OutgoingRegistration
  /** The servers a URI leads to, best first (RFC 3263); empty when it leads nowhere. */
  locate(uri: string): Promise<readonly Server[]>
  /** Our Contact towards that flow: advertised address, transport parameter, optional user. */
  contact(flow: Flow, user?: string): string
  /** A dialog of this stack as plain data; undefined unless it is confirmed. */
  snapshot(dialog: Dialog): DialogSnapshot | undefined
  /**
   * A dialog of a process before this one, as if it had been here all the time. At once after the stack was made, before
   * its peer's next request comes; undefined when the data is of no use, or the dialog is here already.
   */
  takeUp(snapshot: DialogSnapshot): Dialog | undefined
  /** Addresses listened on, as bound. */
  readonly listening: readonly ({ readonly transport: TransportName } & Address)[]
  /** Dialogs, transactions and connections that live: for metrics, and for tests that nothing was left over. */
  counts(): { readonly dialogs: number; readonly transactions: number; readonly connections: number }
  /** Stop listening and drop what is left. End the dialogs first. */
  close(): Promise<void>
}
