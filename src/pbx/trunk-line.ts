/**
 * The life of one trunk: registered if it wants that, asked by OPTIONS whether it is there, up or down.
 *
 *   dialplan    ── where to? ─▶  here  ── REGISTER, OPTIONS ─▶  the trunk's servers
 *   gatekeeper  ── is it you? ─▶       ── trunk.up, trunk.down ─▶  events/
 *
 * A trunk is down when three questions in a row stay without an answer, or its registration is refused. What was asked
 * last decides which of its servers calls go to.
 */
import { type Clock, sleep, type Timer } from '../core/clock.ts'
import { endpointText } from '../core/ip.ts'
import type { Logger } from '../core/logger.ts'
import { newId } from '../core/random.ts'
import type { FactBus } from '../events/bus.ts'
import type { OutgoingRegistration, RegistrationState } from '../sip/client/registration.types.ts'
import { wayBy } from '../sip/dialog/target.ts'
import type { SipResponse } from '../sip/message/types.ts'
import { parseUri, printUri, sipUri } from '../sip/message/uri.ts'
import type { Server, SipStack, Target } from '../sip/stack.types.ts'
import type { TrunkState, TrunkStatus } from './trunk-status.ts'
import { type Trunk, trunkUri } from './trunks.ts'

export interface TrunkLineOptions {
  readonly trunk: Trunk
  readonly clock: Clock
  readonly log: Logger
  readonly bus: FactBus
  /** Our address as the trunk's server sees it, for the From of OPTIONS. */
  readonly ownHost: (serverIp: string) => string
}

/** How long a server may take to answer OPTIONS: three copies over UDP. */
const answerMs = 4_000
/** How often the name of a trunk that is not asked is looked up; DNS keeps its answers as long as they are good. */
const lookEveryMs = 60_000
const failuresToDown = 3
/** A trunk that failed is asked again soon, for a call may come before its next turn. */
const againMs = 5_000
/** One that is down is asked at least so often. */
const downEveryMs = 30_000
/** A stop does not wait long for a registrar that is gone. */
const goodbyeMs = 2_000
/** Addresses a name may have had lately that calls are still taken from. */
const maxAddresses = 64

/** Answers that come from before the trunk, or say that it cannot serve. Any other is a sign of life (403, 405, …). */
const unserved = new Set([408, 502, 503, 504])

export class TrunkLine {
  readonly trunk: Trunk
  readonly #options: TrunkLineOptions
  /** In the Contact that we register: whoever calls by it is the trunk, whatever its address. Known to the registrar alone. */
  readonly #token = newId()
  readonly #stopping = new AbortController()
  #stack: SipStack | undefined
  #registration: OutgoingRegistration | undefined
  #timer: Timer | undefined
  #state: TrunkState = 'unknown'
  #sinceMs: number
  #reason: string | undefined
  #failures = 0
  /** The registrar refused us or was silent, and has not taken us since. */
  #unregistered = false
  #heard = false
  /** Its servers as DNS told them last, the one that answered first. */
  #servers: readonly Server[] = []
  /** Addresses its calls come from, besides those of the settings. */
  readonly #addresses = new Set<string>()
  #lastAnswerAtMs: number | undefined
  #roundTripMs: number | undefined

  constructor(options: TrunkLineOptions) {
    this.#options = options
    this.trunk = options.trunk
    this.#sinceMs = options.clock.wallMs()
  }

  open(stack: SipStack): void {
    this.#stack = stack
    if (this.trunk.register) this.#register(stack)
    if (this.trunk.qualify > 0) void this.#ask()
    else void this.#look()
  }

  /** Take our registration away, as far as the trunk answers soon. */
  async close(): Promise<void> {
    this.#stopping.abort()
    this.#timer?.cancel()
    const told = new AbortController()
    const patience = sleep(this.#options.clock, goodbyeMs, told.signal).catch(() => {})
    await Promise.race([this.#registration?.close(), patience])
    told.abort()
  }

  get isDown(): boolean {
    return this.#state === 'down'
  }

  /** Whether a call from there is this trunk's: by its settings, or as the registrar we are registered at. */
  isAt(ip: string): boolean {
    return this.trunk.sources.has(ip) || this.#addresses.has(ip)
  }

  /** Whether a call came by the Contact that we registered. */
  isCalledBy(requestUri: string): boolean {
    return this.trunk.register && parseUri(requestUri)?.params.get('line') === this.#token
  }

  /** The way for a call to that number, and the routes the registrar gave for it (RFC 3608). */
  target(number: string): { readonly target: Target; readonly routes: readonly string[] } {
    const uri = trunkUri(this.trunk, number)
    const registered = this.#registration?.state
    const byName = this.#servers.length > 0 ? { via: this.#servers } : {}
    if (registered?.is === 'registered')
      return { target: { uri, ...(wayBy(registered.flow) ?? byName) }, routes: registered.serviceRoute }
    return { target: { uri, ...byName }, routes: [] }
  }

  /** It answered a call of ours, or did not. */
  served(well: boolean): void {
    if (well) return this.#answered()
    this.#unanswered('no answer to a call')
    // Whichever of its servers failed comes last for a while.
    if (this.#stack && this.trunk.qualify === 0) void this.#locate(this.#stack)
  }

  status(): TrunkStatus {
    const registration = this.#registration?.state
    const [server] = this.#servers
    const registered = registration?.is === 'registered' ? registration.flow : undefined
    const at = registered ? { transport: registered.transport, ...registered.remote } : server
    return {
      name: this.trunk.name,
      host: this.trunk.host,
      state: this.#state,
      sinceMs: this.#sinceMs,
      ...(this.#reason !== undefined && { reason: this.#reason }),
      ...(at && this.#heard && { server: `${at.transport} ${endpointText(at.ip, at.port)}` }),
      ...(this.#lastAnswerAtMs !== undefined && { lastAnswerAtMs: this.#lastAnswerAtMs }),
      ...(this.#roundTripMs !== undefined && { roundTripMs: Math.round(this.#roundTripMs) }),
      ...(registration && { registration: registrationStatus(registration) }),
    }
  }

  #register(stack: SipStack): void {
    const { host, port, transport, credentials, expires, account: user } = this.trunk
    const registrar = trunkUri({ host, port, transport }, undefined)
    const registration = stack.register({
      registrar,
      aor: printUri(sipUri(user, host)),
      ...(credentials && { credentials }),
      expiresS: expires / 1_000,
      contactUriParams: { line: this.#token },
    })
    this.#registration = registration
    registration.on('changed', (state) => {
      if (this.#stopping.signal.aborted) return
      if (state.is === 'registered') {
        this.#unregistered = false
        this.#noteAddresses([state.flow.remote.ip])
        void this.#locate(stack)
        this.#answered()
      } else if (state.is === 'failed') {
        this.#unregistered = true
        this.#judge('down', `registration: ${state.status} ${state.reason}`)
      }
    })
  }

  /** One turn: each of its servers until one answers. */
  async #ask(): Promise<void> {
    const stack = this.#stack
    if (!stack) return
    const { clock, log } = this.#options
    const { signal } = this.#stopping
    try {
      let answer: SipResponse | undefined
      const hops = await this.#locate(stack)
      for (const hop of hops) {
        const startedMs = clock.now()
        answer = await this.#askServer(stack, hop)
        if (signal.aborted) return
        if (!answer || unserved.has(answer.status)) continue
        this.#roundTripMs = clock.now() - startedMs
        this.#servers = [hop, ...this.#servers.filter((other) => other !== hop)]
        this.#answered()
        return
      }
      if (hops.length === 0) this.#unanswered('its name leads nowhere')
      else this.#unanswered(answer ? `${answer.status} ${answer.reason}` : 'no answer')
    } catch (error) {
      log.error('A trunk could not be asked for a sign of life', { trunk: this.trunk.name, error: String(error) })
    } finally {
      if (!signal.aborted) this.#timer = clock.after(this.#nextMs(), () => void this.#ask())
    }
  }

  /** What we tell a trunk of ourselves depends on where it is: known before a call goes there, also when nobody asks it. */
  async #look(): Promise<void> {
    const stack = this.#stack
    if (!stack) return
    await this.#locate(stack)
    if (!this.#stopping.signal.aborted) this.#timer = this.#options.clock.after(lookEveryMs, () => void this.#look())
  }

  /** Undefined: silence. */
  async #askServer(stack: SipStack, hop: Server): Promise<SipResponse | undefined> {
    const { clock, ownHost } = this.#options
    const patience = new AbortController()
    const { signal } = patience
    const uri = trunkUri(this.trunk, undefined)
    const asked = stack.request('OPTIONS', {
      target: { uri, via: hop },
      from: `<${printUri(sipUri('patchbay', ownHost(hop.ip)))}>`,
      to: `<${uri}>`,
      headers: { Accept: 'application/sdp' },
      signal: AbortSignal.any([signal, this.#stopping.signal]),
    })
    const late = sleep(clock, answerMs, signal).then(
      () => undefined,
      () => undefined,
    )
    const answer = await Promise.race([asked.catch(() => undefined), late])
    patience.abort()
    return answer
  }

  /** Its servers; the ones of before when nobody can be asked. */
  async #locate(stack: SipStack): Promise<readonly Server[]> {
    const found = await stack.locate(trunkUri(this.trunk, undefined))
    if (found.length === 0) return this.#servers
    this.#servers = found
    if (this.trunk.register) this.#noteAddresses(found.map(({ ip }) => ip))
    return found
  }

  #noteAddresses(ips: readonly string[]): void {
    for (const ip of ips) {
      this.#addresses.delete(ip) // so that the oldest stands first
      this.#addresses.add(ip)
    }
    for (const oldest of this.#addresses) {
      if (this.#addresses.size <= maxAddresses) break
      this.#addresses.delete(oldest)
    }
  }

  #nextMs(): number {
    const { qualify } = this.trunk
    if (this.#failures > 0 && this.#failures < failuresToDown) return Math.min(againMs, qualify)
    const everyMs = this.isDown ? Math.min(downEveryMs, qualify) : qualify
    return everyMs * (0.9 + Math.random() / 5)
  }

  #answered(): void {
    this.#failures = 0
    this.#heard = true
    this.#lastAnswerAtMs = this.#options.clock.wallMs()
    // Who is not registered cannot be called, and may be refused when calling.
    if (!this.#unregistered) this.#judge('up')
  }

  #unanswered(reason: string): void {
    if (++this.#failures >= failuresToDown) this.#judge('down', reason)
  }

  #judge(state: 'up' | 'down', reason?: string): void {
    const { bus, clock, log } = this.#options
    const changed = state !== this.#state
    this.#reason = reason
    if (!changed) return
    const atMs = clock.wallMs()
    this.#state = state
    this.#sinceMs = atMs
    const trunk = this.trunk.name
    if (state === 'up') {
      log.info('A trunk is up', { trunk })
      bus.publish({ name: 'trunk.up', atMs, trunk })
    } else {
      log.warn('A trunk is down', { trunk, reason })
      bus.publish({ name: 'trunk.down', atMs, trunk, reason: reason ?? '' })
    }
  }
}

function registrationStatus(state: RegistrationState): NonNullable<TrunkStatus['registration']> {
  return {
    state: state.is,
    ...(state.is === 'registered' && { untilMs: state.untilMs }),
    ...(state.is === 'failed' && { retryAtMs: state.retryAtMs }),
  }
}
