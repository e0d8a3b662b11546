/**
 * The recording servers that calls can be sent to, and how they fare.
 *
 *   settings ─▶ here ── OPTIONS ─▶ server
 *                 └── srs.up, srs.down ─▶ events/
 *
 * A server is down when a question stays without an answer, or when it refuses a call as one that cannot serve; it is asked
 * more often then. One that is down is tried last, never left out: its state may be old.
 */
import type { SrtpMode } from '../../call/leg-crypto.ts'
import { type Clock, sleep, type Timer } from '../../core/clock.ts'
import type { Logger } from '../../core/logger.ts'
import type { FactBus } from '../../events/bus.ts'
import type { Credentials, SipStack } from '../../sip/stack.types.ts'

export interface RecordingServer {
  readonly name: string
  /** `sip:recorder@srs.example.com;transport=tcp`, `sips:…`. */
  readonly uri: string
  readonly credentials?: Credentials
  /** `none`: plain RTP. `optional`: keys are offered beside it. `mandatory`: encrypted or not at all. */
  readonly srtp: SrtpMode
  /** How often it is asked by OPTIONS whether it is there; 0 never. */
  readonly qualifyMs: number
}

export type ServerState = 'up' | 'down' | 'unknown'

export interface ServerStatus {
  readonly name: string
  readonly uri: string
  readonly state: ServerState
  readonly sinceMs: number
  /** Why it is down. */
  readonly reason?: string
}

export interface RecordingServersOptions {
  readonly servers: readonly RecordingServer[]
  readonly clock: Clock
  readonly log: Logger
  readonly bus: FactBus
  /** Our address as that server sees it. */
  readonly ownHost: (serverIp: string) => string
}

/** How long it may take to answer OPTIONS: three copies over UDP. */
const answerMs = 4_000
const downEveryMs = 15_000

/** Answers from before the server, or that say that it cannot serve. Any other is a sign of life (405, 403, …). */
const unserved = new Set([408, 502, 503, 504])

interface Line {
  readonly server: RecordingServer
  state: ServerState
  sinceMs: number
  reason: string | undefined
  timer: Timer | undefined
}

export class RecordingServers {
  readonly #options: RecordingServersOptions
  readonly #lines: ReadonlyMap<string, Line>
  readonly #stopping = new AbortController()

  constructor(options: RecordingServersOptions) {
    this.#options = options
    const sinceMs = options.clock.wallMs()
    this.#lines = new Map(
      options.servers.map((server) => [
        server.name,
        { server, state: 'unknown', sinceMs, reason: undefined, timer: undefined },
      ]),
    )
  }

  /** Begin to ask them. */
  open(stack: SipStack): void {
    for (const line of this.#lines.values()) if (line.server.qualifyMs > 0) void this.#ask(line, stack)
  }

  close(): void {
    this.#stopping.abort()
    for (const { timer } of this.#lines.values()) timer?.cancel()
  }

  list(): readonly ServerStatus[] {
    return Array.from(this.#lines.values(), ({ server: { name, uri }, state, sinceMs, reason }) => ({
      name,
      uri,
      state,
      sinceMs,
      ...(reason !== undefined && { reason }),
    }))
  }

  has(name: string): boolean {
    return this.#lines.has(name)
  }

  /** Those of these names, in their order; the ones that are down last. */
  inOrder(names: readonly string[]): readonly RecordingServer[] {
    const lines = names.flatMap((name) => this.#lines.get(name) ?? [])
    return [...lines.filter(({ state }) => state !== 'down'), ...lines.filter(({ state }) => state === 'down')].map(
      ({ server }) => server,
    )
  }

  /** It took a call, or could not. */
  served(name: string, failure?: string): void {
    const line = this.#lines.get(name)
    if (line) this.#judge(line, failure === undefined ? 'up' : 'down', failure)
  }

  async #ask(line: Line, stack: SipStack): Promise<void> {
    const { clock } = this.#options
    const { signal } = this.#stopping
    const failure = await this.#answer(line.server, stack).catch((error: unknown) => String(error))
    if (signal.aborted) return
    this.#judge(line, failure === undefined ? 'up' : 'down', failure)
    const { qualifyMs } = line.server
    const nextMs = line.state === 'down' ? Math.min(downEveryMs, qualifyMs) : qualifyMs
    line.timer = clock.after(nextMs * (0.9 + Math.random() / 5), () => void this.#ask(line, stack))
  }

  /** @returns What is wrong; undefined when it answered. */
  async #answer({ uri }: RecordingServer, stack: SipStack): Promise<string | undefined> {
    const { clock, ownHost } = this.#options
    const patience = new AbortController()
    const [hop] = await stack.locate(uri)
    if (!hop) return 'its name leads nowhere'
    const asked = stack.request('OPTIONS', {
      target: { uri },
      from: `<sip:patchbay@${hostOf(ownHost(hop.ip))}>`,
      to: `<${uri}>`,
      headers: { Accept: 'application/sdp' },
      signal: AbortSignal.any([patience.signal, this.#stopping.signal]),
    })
    const late = sleep(clock, answerMs, patience.signal).then(
      () => undefined,
      () => undefined,
    )
    const answer = await Promise.race([asked.catch(() => undefined), late])
    patience.abort()
    if (!answer) return 'no answer'
    return unserved.has(answer.status) ? `${answer.status} ${answer.reason}` : undefined
  }

  #judge(line: Line, state: 'up' | 'down', reason?: string): void {
    const { bus, clock, log } = this.#options
    line.reason = reason
    if (line.state === state) return
    const atMs = clock.wallMs()
    line.state = state
    line.sinceMs = atMs
    const server = line.server.name
    if (state === 'up') {
      log.info('A recording server is up', { server })
      bus.publish({ name: 'srs.up', atMs, server })
    } else {
      log.warn('A recording server is down', { server, reason })
      bus.publish({ name: 'srs.down', atMs, server, reason: reason ?? '' })
    }
  }
}

/** As it stands in a URI. */
export const hostOf = (ip: string): string => (ip.includes(':') ? `[${ip}]` : ip)
