/**
 * Slows down and shuts out those who flood, scan and guess, and nobody else.
 *
 *   sip/transport  ── who sends ──────────────▶  here (Screen)     before a byte is read
 *   pbx/gatekeeper ── proofs, wrong answers ──▶  here ─▶ bans ─▶ facts, API
 *
 * Whoever proved itself is known by its flow and is neither slowed down nor banned with its neighbours. All others
 * share an allowance a source, and one in all. A source is banned for wrong answers to a challenge that it must have
 * received, or for what it sends over a connection: a UDP source can be forged, so nobody is banned for what comes from
 * it unasked. Guesses at one account from one source are checked a few times and refused from then on, with the same
 * answer after the same work. Sources are IPv4 addresses and IPv6 networks of 64 bits. Behind a proxy that we trust each
 * device guesses for itself, at the address where the proxy saw it.
 */
import type { Clock } from '../core/clock.ts'
import { placeOf } from '../core/ip.ts'
import type { Networks } from '../core/networks.ts'
import type { FactBus } from '../events/bus.ts'
import type { SipRequest } from '../sip/message/types.ts'
import type { Address, Flow, Screen, TransportName } from '../sip/stack.types.ts'
import { type BanList, type BanReason, Bans } from './bans.ts'
import { deviceBehind } from './device-behind.ts'
import { KnownPeers, type Peer } from './known-peers.ts'
import { changingTerms, TokenBuckets } from './token-buckets.ts'

export interface ShieldOptions {
  readonly clock: Clock
  readonly bus: FactBus
  /** Never banned, never slowed down: proxies of ours, trunks, offices. */
  readonly trusted: Networks
  /** May send at all; everybody when left out. */
  readonly allowed?: Networks
  /** Never read, whoever it is. */
  readonly denied?: Networks
  /** Messages a second that strangers of one source may send; four times as many at once. */
  readonly messagesPerSecond: number
  /** The same for all strangers together. */
  readonly messagesPerSecondInAll: number
  /** Wrong answers within a minute that lead to a ban; 0 never bans. */
  readonly banAfter: number
  readonly banMs: number
  /** How long a proof holds. */
  readonly knownMs: number
}

/** Guesses at one account that one source has checked, at once and then by the second. Judgement: typing errors, and a phone that retries. */
const guessTerms = { burst: 5, perSecond: 1 / 60 }
/** An account that is tried from everywhere: from then on each new source has one guess. */
const accountTerms = { burst: 100, perSecond: 100 / 3_600 }
/** Checked guesses of one source at all its accounts: some phones with an old password behind one NAT stay below. */
const slowGuessTerms = { burst: 100, perSecond: 200 / 3_600 }
/** A scanner that says its name, over a connection: a few messages are enough. */
const scannerCost = 4

/** Who asks, as the gatekeeper hands it back. */
export interface Sender {
  readonly flow: Flow
  /** Where the device is that sent it: behind a proxy that we trust, else at the other end of the flow. */
  readonly device: Address
}

export class Shield implements Screen {
  readonly #options: ShieldOptions
  readonly #known: KnownPeers
  readonly #bans: Bans
  readonly #messages: TokenBuckets
  readonly #allMessages: TokenBuckets
  readonly #offences: TokenBuckets
  readonly #slowGuesses: TokenBuckets
  readonly #guesses: TokenBuckets
  readonly #accounts: TokenBuckets
  /** Wrong answers of who signed in before, where a proxy hides which device it is. */
  readonly #shared: TokenBuckets
  /** One telling a source and minute. */
  readonly #tellings: TokenBuckets
  /** One bucket for all: a flood of facts would only be another flood. */
  readonly #allTellings: TokenBuckets

  constructor(options: ShieldOptions) {
    const { clock, bus, banAfter, banMs, knownMs } = options
    this.#options = options
    this.#known = new KnownPeers(clock, knownMs)
    this.#bans = new Bans({ clock, bus, lifeMs: banMs })
    this.#messages = new TokenBuckets(
      clock,
      changingTerms(() => options.messagesPerSecond, 4),
    )
    this.#allMessages = new TokenBuckets(
      clock,
      changingTerms(() => options.messagesPerSecondInAll, 2),
    )
    this.#offences = new TokenBuckets(clock, { burst: banAfter, perSecond: banAfter / 60 })
    this.#slowGuesses = new TokenBuckets(clock, slowGuessTerms)
    this.#guesses = new TokenBuckets(clock, guessTerms)
    this.#accounts = new TokenBuckets(clock, accountTerms)
    this.#shared = new TokenBuckets(clock, accountTerms)
    this.#tellings = new TokenBuckets(clock, { burst: 1, perSecond: 1 / 60 })
    this.#allTellings = new TokenBuckets(clock, { burst: 100, perSecond: 10 })
  }

  get bans(): BanList {
    return this.#bans
  }

  mayRead(transport: TransportName, remote: Address): boolean {
    const { ip } = remote
    if (this.#options.denied?.has(ip)) return false
    if (this.#known.has({ transport, remote })) return true
    if (this.#isShut(ip)) return false
    // What the trusted send leaves the allowance of strangers as it is.
    if (this.isTrusted(ip)) return true
    const source = placeOf(ip)
    if (!this.#messages.take(source)) {
      this.#tellLimited(sourceText(source))
      return false
    }
    if (this.#allMessages.take('all')) return true
    this.#tellLimited('all')
    return false
  }

  mayConnect(ip: string): boolean {
    return !this.#isShut(ip)
  }

  /** We sent it a request: its answer, and what it asks in the dialog that may follow, is no stranger's. */
  expect(peer: Peer): void {
    this.#known.add(peer)
  }

  isTrusted(ip: string): boolean {
    return this.#options.trusted.has(ip)
  }

  senderOf(request: SipRequest, flow: Flow): Sender {
    const { remote } = flow
    const { trusted } = this.#options
    return { flow, device: (trusted.has(remote.ip) && deviceBehind(request, trusted)) || remote }
  }

  /** What a nonce is bound to. Proxies that we trust may take turns. */
  nonceSource(sender: Sender): string {
    return this.#isHidden(sender) ? 'trusted' : placeOf(sender.device.ip)
  }

  /** It showed the right password, or is known by its address. */
  vouch({ flow, device }: Sender, username?: string): void {
    if (!this.isTrusted(flow.remote.ip)) this.#known.add(flow)
    if (username !== undefined) this.#known.addLogin({ transport: flow.transport, remote: device }, username)
  }

  /** Whether the password it gives for this account is looked at; if not, it is as wrong as any other. */
  mayGuess(sender: Sender, username: string): boolean {
    const pair = pairOf(sender, accountName(username))
    return this.#hasLogin(sender, username) ? this.#shared.has(pair) : this.#guesses.has(pair)
  }

  /**
   * It gave a wrong password.
   * @param proven It answered a nonce that was made for it.
   */
  wrongAnswer(sender: Sender, given: string, proven: boolean): void {
    const { flow, device } = sender
    const username = accountName(given)
    if (!proven && !flow.reliable) return
    const looked = this.mayGuess(sender, username)
    const pair = pairOf(sender, username)
    // What a stranger tries behind the same proxy must not soon lock out who is registered.
    if (!this.#isHidden(sender)) this.#known.removeLogin({ transport: flow.transport, remote: device }, username)
    else if (this.#hasLogin(sender, username)) this.#shared.take(pair)
    const attacked = looked && !this.#accounts.take(username)
    if (looked) this.#guesses.take(pair, attacked && this.#guesses.has(pair, 5) ? 5 : 1)
    if (this.isTrusted(flow.remote.ip)) return
    const source = placeOf(flow.remote.ip)
    const patient = !looked || this.#slowGuesses.take(source)
    if (!this.#offences.take(source) || !patient) this.#ban(source, 'guessing', username)
  }

  /** It calls itself by the name of a scanner. */
  scanner({ flow }: Sender): void {
    const { ip } = flow.remote
    if (!flow.reliable || this.isTrusted(ip)) return
    if (!this.#offences.take(placeOf(ip), scannerCost)) this.#ban(placeOf(ip), 'scanning', undefined)
  }

  /** Whether one more fact about refusals may be told now. */
  mayTell(): boolean {
    return this.#allTellings.take('all')
  }

  close(): void {
    this.#bans.close()
  }

  #isShut(ip: string): boolean {
    const { allowed, denied } = this.#options
    if (this.#bans.size > 0 && this.#bans.has(sourceText(placeOf(ip)))) return true
    return denied?.has(ip) === true || (allowed !== undefined && !allowed.has(ip) && !this.isTrusted(ip))
  }

  /** A proxy that we trust speaks for it, and does not say where it is. */
  #isHidden({ flow, device }: Sender): boolean {
    return device === flow.remote && this.isTrusted(device.ip)
  }

  #hasLogin({ flow, device }: Sender, username: string): boolean {
    return this.#known.hasLogin({ transport: flow.transport, remote: device }, username)
  }

  #ban(source: string, why: BanReason, who: string | undefined): void {
    if (this.#options.banAfter === 0) return
    this.#bans.add(sourceText(source), why, who)
    // It begins anew when it is released.
    this.#offences.forget(source)
    this.#slowGuesses.forget(source)
  }

  #tellLimited(source: string): void {
    if (!this.#tellings.take(source) || !this.mayTell()) return
    const { bus, clock } = this.#options
    bus.publish({ name: 'security.limited', atMs: clock.wallMs(), source })
  }
}

/** Strangers choose it: what is kept of it is short. */
const accountName = (username: string): string => username.slice(0, 64)

const pairOf = ({ device }: Sender, username: string): string => `${placeOf(device.ip)} ${username}`

/** The name of a source to people. */
const sourceText = (place: string): string => (place.includes(':') ? `${place}::/64` : place)
