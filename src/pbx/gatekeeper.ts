/**
 * Decides who may ask for something outside a dialog, or inside one from a new address, before any state is made.
 *
 *   sip/ (guard)  ── request, flow ─▶  here  ── pass, drop, or a uniform 401
 *
 * A stranger gets the same 401 whatever user, method or number it names, so nothing can be learned by asking. Known
 * trunks and SIPREC sources come in by their address, or as the registrar that we are registered at. Who passed is remembered with the request for its handler.
 * sip-security: challenge everything but ACK, CANCEL and what is inside a dialog.
 */
import type { Networks } from '../core/networks.ts'
import type { FactBus } from '../events/bus.ts'
import type { DigestHashes, DigestResult, DigestVerifier } from '../sip/auth/digest.ts'
import { parseDigest } from '../sip/auth/digest-text.ts'
import { fromOf, requestUriOf, toTag } from '../sip/message/fields.ts'
import type { SipRequest } from '../sip/message/types.ts'
import type { Address, Flow, Verdict } from '../sip/stack.types.ts'
import type { Directory, Extension } from './directory.ts'
import type { TrunkCallers } from './trunk-lines.ts'
import type { Trunk } from './trunks.ts'

/** Who sent a request that passed. */
export type Identity =
  | { readonly kind: 'extension'; readonly extension: Extension }
  | { readonly kind: 'trunk'; readonly trunk: Trunk }
  /** A recording client, by what it showed; RecordingClients knows which. */
  | { readonly kind: 'siprec'; readonly username?: string }

/** Where a request came from: the other end of the flow, and behind a proxy that we trust the device itself. */
export interface Sender {
  readonly flow: Flow
  readonly device: Address
}

/** Keeps count of strangers and slows down who guesses; implemented by security/. */
export interface StrangerWatch {
  senderOf(request: SipRequest, flow: Flow): Sender
  /** What a nonce for this sender is bound to. */
  nonceSource(sender: Sender): string
  /** It proved itself: by the password of this user, or by its address. */
  vouch(sender: Sender, username?: string): void
  /** Whether what it gives as this user's password is looked at; if not, it is wrong. */
  mayGuess(sender: Sender, username: string): boolean
  /** @param proven It answered a nonce that it must have received. */
  wrongAnswer(sender: Sender, username: string, proven: boolean): void
  scanner(sender: Sender): void
  /** Whether a refusal may be told as a fact now: a flood of them would only be another flood. */
  mayTell(): boolean
}

/** Who may send recording sessions; implemented by siprec/. */
export interface RecordingClients {
  /** May who shows this of itself send this INVITE, or ask by OPTIONS whether we live, without a password? */
  admits(request: SipRequest, sender: Sender): boolean
  /** Of the recording client with this user name. */
  hashesOf(username: string): DigestHashes | undefined
}

export interface GatekeeperOptions {
  readonly strangers: StrangerWatch
  readonly digest: DigestVerifier
  readonly directory: Directory
  readonly trunks: TrunkCallers
  readonly recordingClients: RecordingClients
  /** Where an extension may come from; anywhere when there is nothing for it. */
  readonly sourcesOf?: (username: string) => Networks | undefined
  readonly bus: FactBus
  readonly wallMs: () => number
}

type Refusal = Extract<DigestResult, { ok: false }>

/** What scanners call themselves; they get no answer at all (sip-security 6.2). */
const scanners =
  /friendly-(?:scanner|request)|sipvicious|sipcli|vaxs?ipuseragent|pplsip|sundayddr|sip-?scan|sivus|iwar|voippack|siparmyknife/i

/**
 * Phones that give up when they see a challenge they do not know, instead of taking the next (RFC 8760 §2.4): seen with
 * baresip 1.0 and SIPp 3.6. They are offered MD5 alone. What they call themselves tells nothing about who exists.
 */
const knowsMd5Only = /^baresip v[01]\.|^sipp\b/i

export class Gatekeeper {
  readonly #options: GatekeeperOptions
  readonly #identities = new WeakMap<SipRequest, Identity>()

  constructor(options: GatekeeperOptions) {
    this.#options = options
  }

  /** The guard of the SIP stack. */
  readonly admit = (request: SipRequest, flow: Flow): Verdict => {
    const { digest, directory, strangers, recordingClients } = this.#options
    const sender = strangers.senderOf(request, flow)
    if (scanners.test(request.headers.get('User-Agent') ?? '')) {
      strangers.scanner(sender)
      return 'drop'
    }
    const known = this.#bySource(request, sender)
    if (known) {
      this.#identities.set(request, known)
      if (request.method === 'INVITE') strangers.vouch(sender)
      return 'pass'
    }
    // Some clients answer every challenge of a call in the header for proxies.
    const credentials = ['Authorization', 'Proxy-Authorization'].flatMap((name) => request.headers.all(name))
    if (credentials.length === 0) return this.#challenge(request, sender, false)
    const result = digest.verify({
      header: credentials,
      method: request.method,
      requestUri: request.uri,
      body: request.body,
      source: strangers.nonceSource(sender),
      // A guess too many, or from the wrong place, is as wrong as any other, after the same work.
      hashesOf: (username) => {
        const extension = directory.find(username)
        const isHere = this.#mayBeAt(sender, username)
        const hashes = extension?.hashes ?? recordingClients.hashesOf(username)
        return strangers.mayGuess(sender, username) && isHere ? hashes : undefined
      },
    })
    if (!result.ok) {
      // A used-up nonce is no wrong password: the phone tries again by itself with a new one (RFC 7616 §3.3).
      const stale = result.reason === 'stale' || result.reason === 'replayed'
      if (!stale) this.#refused(request, sender, result)
      return this.#challenge(request, sender, stale)
    }
    const extension = directory.find(result.username)
    if (!extension && !recordingClients.hashesOf(result.username)) return this.#challenge(request, sender, false)
    strangers.vouch(sender, result.username)
    this.#identities.set(
      request,
      extension ? { kind: 'extension', extension } : { kind: 'siprec', username: result.username },
    )
    return 'pass'
  }

  /** Who sent this request; undefined when it never passed here. */
  identityOf(request: SipRequest): Identity | undefined {
    return this.#identities.get(request)
  }

  #mayBeAt({ device }: Sender, username: string): boolean {
    return this.#options.sourcesOf?.(username)?.has(device.ip) ?? true
  }

  #bySource(request: SipRequest, sender: Sender): Identity | undefined {
    const { flow } = sender
    // Browsers, which come by the address of a reverse proxy.
    if (flow.transport === 'ws' || flow.transport === 'wss') return undefined
    const trunk = isPhone(request, this.#options) ? undefined : this.#options.trunks.trunkOf(request, flow)
    // Inside a dialog (it has a tag of ours) every method of theirs is welcome, from whichever of their servers.
    const inside = toTag(request) !== undefined
    if (trunk && (inside || request.method === 'INVITE' || request.method === 'OPTIONS'))
      return { kind: 'trunk', trunk }
    return !inside && this.#options.recordingClients.admits(request, sender) ? { kind: 'siprec' } : undefined
  }

  #challenge(request: SipRequest, sender: Sender, stale: boolean): Verdict {
    const { digest, strangers } = this.#options
    const old = knowsMd5Only.test(request.headers.get('User-Agent') ?? '')
    const source = strangers.nonceSource(sender)
    const challenges = digest.challenges(old ? { stale, source, only: 'MD5' } : { stale, source })
    return { status: 401, headers: { 'WWW-Authenticate': challenges } }
  }

  #refused(request: SipRequest, sender: Sender, { reason, username, proven = false }: Refusal): void {
    const { strangers, bus, wallMs } = this.#options
    if (reason === 'wrong' && username !== undefined) strangers.wrongAnswer(sender, username, proven)
    if (!strangers.mayTell()) return
    const what = request.method === 'REGISTER' ? 'register' : request.method === 'INVITE' ? 'invite' : 'request'
    bus.publish({
      name: 'security.refused',
      atMs: wallMs(),
      what,
      source: sender.device.ip,
      why: reason === 'wrong' && username !== undefined && !this.#mayBeAt(sender, username) ? 'source' : reason,
      ...(username !== undefined && { who: username.slice(0, 64) }),
    })
  }
}

/**
 * Whether a request at a trunk's address is a phone's, which behind the same NAT or gateway may stand beside it: it
 * answers a challenge of ours, or its INVITE names one of our extensions as its own address here, as phones do. A
 * carrier names its own host, or a number that is no extension.
 */
function isPhone(request: SipRequest, { digest, directory }: Pick<GatekeeperOptions, 'digest' | 'directory'>): boolean {
  const answers = ['Authorization', 'Proxy-Authorization'].flatMap((name) => request.headers.all(name))
  if (answers.some((answer) => parseDigest(answer)?.get('realm') === digest.realm)) return true
  if (request.method !== 'INVITE' || toTag(request) !== undefined) return false
  const from = fromOf(request)?.uri
  return (
    from?.user !== undefined && from.host === requestUriOf(request)?.host && directory.find(from.user) !== undefined
  )
}
