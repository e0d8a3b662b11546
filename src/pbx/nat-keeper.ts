/**
 * Keeps phones behind NAT within reach: what a NAT lets in from us it forgets when nothing passes for half a minute,
 * while a phone registers again after an hour.
 *
 *   registrar  ── flows ─▶  here  ── pings, spread evenly ─▶  SIP stack
 *
 * Line ends, which no phone answers: what matters is that something passes. Only for phones that registered by datagrams
 * and seem to be behind a NAT: at a public address, or at another one than their Contact says. One timer for all.
 */
import type { Clock, Timer } from '../core/clock.ts'
import { isPrivateIp, sameIp } from '../core/ip.ts'
import { parseUri } from '../sip/message/uri.ts'
import type { Flow } from '../sip/stack.types.ts'

/** A binding, as far as it matters here. */
export interface Reached {
  readonly flow: Flow
  /** Its Contact. */
  readonly uri: string
}

export interface NatKeeperOptions {
  readonly clock: Clock
  readonly reached: () => Iterable<Reached>
  readonly ping: (flow: Flow) => void
  /** Each phone is pinged so often. */
  readonly everyMs: number
}

/** Each round goes out in parts of this length, lest all of it leaves at once. */
const partMs = 1_000

export class NatKeeper {
  readonly #options: NatKeeperOptions
  #timer: Timer | undefined
  /** What is left of this round. */
  #left: Flow[] = []
  #partsLeft = 0

  constructor(options: NatKeeperOptions) {
    this.#options = options
    this.#wait()
  }

  close(): void {
    this.#timer?.cancel()
    this.#left = []
  }

  #wait(): void {
    this.#timer = this.#options.clock.after(Math.min(partMs, this.#options.everyMs), () => this.#step())
  }

  #step(): void {
    const { reached, ping, everyMs } = this.#options
    if (this.#partsLeft === 0) {
      this.#partsLeft = Math.max(1, Math.round(everyMs / partMs))
      this.#left = Array.from(reached())
        .filter(needsKeeping)
        .map(({ flow }) => flow)
    }
    for (const flow of this.#left.splice(0, Math.ceil(this.#left.length / this.#partsLeft))) ping(flow)
    this.#partsLeft--
    this.#wait()
  }
}

function needsKeeping({ flow, uri }: Reached): boolean {
  if (flow.transport !== 'udp') return false
  const { ip } = flow.remote
  return !isPrivateIp(ip) || !sameIp(parseUri(uri)?.host ?? '', ip)
}
