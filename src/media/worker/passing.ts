/**
 * Packets that go past a bridged port: the sockets send them on by themselves as long as each is like the one before, and tell
 * the port later, which then does what it would have done.
 *
 *   port  ── relayed like this, or not so simply ─▶  here  ── pass, drain ─▶  io/
 *
 * Whatever changes how a port sends, or to where, settles first: all that went past is told, and nothing goes past any more,
 * neither from this port nor to it. With the next packet that is relayed it begins again.
 */
import type { PassRule, PortSockets } from './io/io.ts'

export class Passing {
  #sockets: PortSockets | undefined
  #peer: Passing | undefined
  #on = false
  #rule: PassRule | undefined

  attach(sockets: PortSockets): void {
    this.#sockets = sockets
  }

  /** The bridged port's; undefined when no bridge is. */
  bridge(peer: Passing | undefined): void {
    this.settle()
    this.#peer = peer
  }

  /** Whether packets may go past, from this port or to it. */
  get on(): boolean {
    return this.#on
  }

  /** Whether packets from this port may. */
  get away(): boolean {
    return this.#rule !== undefined
  }

  /** Whether it is of use to ask how packets are relayed. */
  get possible(): boolean {
    return this.#peer !== undefined && this.#sockets?.canPass === true
  }

  settle(): void {
    if (!this.#on) return
    this.#end()
    if (this.#peer) this.#peer.#end()
    this.#sockets?.drain()
  }

  #end(): void {
    this.#on = false
    this.#rule = undefined
  }

  /** A packet was relayed by the port. @param rule How those like it will be; undefined when it is not that simple. */
  relayed(rule: PassRule | undefined): void {
    if (this.#rule && !(rule && isSame(rule, this.#rule))) return this.settle()
    const peer = this.#peer
    if (!rule || !peer || !peer.#sockets) return
    this.#rule = rule
    this.#on = true
    peer.#on = true
    this.#sockets?.pass(rule, peer.#sockets)
  }
}

/** The same headers are written. */
const isSame = (a: PassRule, b: PassRule): boolean =>
  a.outSsrc === b.outSsrc &&
  a.outPayloadType === b.outPayloadType &&
  a.sequenceOffset === b.sequenceOffset &&
  a.timestampOffset === b.timestampOffset
