/**
 * Flows that proved themselves a while ago: a device with the right password, a trunk, whoever we called.
 *
 * They go on while strangers behind the same address are slowed down or banned.
 */
import type { Clock } from '../core/clock.ts'
import { detached } from '../sip/message/scan.ts'
import type { Address, TransportName } from '../sip/stack.types.ts'

/** As much of a flow as is known before anything is read. */
export interface Peer {
  readonly transport: TransportName
  readonly remote: Address
}

/** 100,000 devices, each with its flow and its login. Beyond it the one that proved itself longest ago is forgotten. */
const maxKeys = 200_000

const keyOf = ({ transport, remote }: Peer): string => `${transport} ${remote.ip} ${remote.port}`

export class KnownPeers {
  readonly #clock: Clock
  readonly #lifeMs: number
  /** Until when, in order of the latest proof. */
  readonly #until = new Map<string, number>()

  /** @param lifeMs How long a proof holds: longer than a registration, which is refreshed by then. */
  constructor(clock: Clock, lifeMs: number) {
    this.#clock = clock
    this.#lifeMs = lifeMs
  }

  get size(): number {
    return this.#until.size
  }

  has(peer: Peer): boolean {
    return this.#has(keyOf(peer))
  }

  add(peer: Peer): void {
    this.#add(keyOf(peer))
  }

  /** This user signed in over this flow. */
  hasLogin(peer: Peer, username: string): boolean {
    return this.#has(`${keyOf(peer)} ${username}`)
  }

  addLogin(peer: Peer, username: string): void {
    this.#add(`${keyOf(peer)} ${username}`)
  }

  removeLogin(peer: Peer, username: string): void {
    this.#until.delete(`${keyOf(peer)} ${username}`)
  }

  #has(key: string): boolean {
    const untilMs = this.#until.get(key)
    return untilMs !== undefined && this.#clock.now() < untilMs
  }

  #add(key: string): void {
    this.#until.delete(key)
    this.#until.set(detached(key), this.#clock.now() + this.#lifeMs)
    if (this.#until.size <= maxKeys) return
    const [oldest] = this.#until.keys()
    if (oldest !== undefined) this.#until.delete(oldest)
  }
}
