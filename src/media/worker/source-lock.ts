/**
 * From whom a port takes packets: symmetric RTP, the source learned once and then locked.
 *
 *   port  ── where a valid packet came from ─▶  here  ── take it or not; where to send ─▶  port
 *
 * NAT makes the address in the SDP a hint, and a stranger who guesses the port must neither be heard nor be sent the
 * call ("RTP bleed"). So: the first valid packet locks the source. Until the lock has settled a better founded source
 * wins over a worse one; the address of the SDP itself wins at any time. All others are refused.
 *
 * A phone behind NAT that sends nothing for a while (hold, mute) loses its port on the NAT and comes back from another.
 * It is known by its SSRC, which strangers cannot see, or it is learned anew because its signalling spoke meanwhile; who
 * gets in before it then gives way to it.
 * Pure: time is handed in, no socket is known here.
 */
import { SocketAddress } from 'node:net'
import { isIP, isWildcardIp, plainIp } from '../../core/ip.ts'
import type { MediaAddress } from '../types.ts'
import type { Endpoint } from './io/io.ts'

/** How long a better founded source may still take over, ms. Strangers who probe ports come in late in a call. */
const settleMs = 1000
/** A source that was not heard for so long may have another port now, ms. */
const silentMs = 1000
/**
 * A source that sent fewer packets than this and then nothing for so long, ms, was a stray: what still came in for the
 * call that had this port before. Until the lock has settled it gives way to a source that is as well founded.
 */
const provenPackets = 3
const strayMs = 100

/** How well founded a source is. */
const exact = 3
const sameHost = 2
const stranger = 1
/** The source that was locked before the peer said that it moved: its last packets still come in. */
const left = 0

export class SourceLock {
  #remote: MediaAddress | undefined
  /** What the SDP said, as a destination. */
  #told: Endpoint | undefined
  #source: Endpoint | undefined
  #rank = stranger
  #lockedAtMs = 0
  #heardAtMs = 0
  #packets = 0
  #ssrc = 0
  /** The next packet may come from anywhere. Until then we send to where the last one came from. */
  #open = false
  /** Where the peer was before that, as long as it has not come back. */
  #knownIp: string | undefined
  #left: Endpoint | undefined
  #tookOver = false
  /** What ICE has proven; undefined for peers without. */
  #isProven: ((from: Endpoint) => boolean) | undefined
  #chosen: Endpoint | undefined

  /** What was learned; undefined before the first packet. */
  get source(): Endpoint | undefined {
    return this.#source
  }

  /** The address of the SDP, when it is one that packets can be sent to. */
  get remote(): MediaAddress | undefined {
    return this.#remote
  }

  /** Where to send: what ICE chose, or the learned source, else what the SDP said. */
  get destination(): Endpoint | undefined {
    return this.#isProven ? this.#chosen : (this.#source ?? this.#told)
  }

  /**
   * Whether what was taken so far was of another stream: the address of the SDP spoke up within the first second, after
   * packets of the call before had still come in. Told once.
   */
  takeOver(): boolean {
    const tookOver = this.#tookOver
    this.#tookOver = false
    return tookOver
  }

  /**
   * An SDP told where the peer is. Another address than before opens the lock, and so does the same one when the source
   * has been silent (resume after hold); none, or a hold, does not.
   */
  describe(address: MediaAddress | undefined, nowMs: number): void {
    if (this.#isProven) return
    const remote = usable(address)
    const moved = remote?.ip !== this.#remote?.ip || remote?.rtpPort !== this.#remote?.rtpPort
    if (!remote) return
    this.#remote = remote
    this.#told = { ip: remote.ip, port: remote.rtpPort }
    if (!moved) {
      this.#open = this.#source !== undefined && nowMs - this.#heardAtMs >= silentMs
      if (this.#open) this.#knownIp ??= this.#source?.ip
      return
    }
    if (this.#source && this.#rankOf(this.#source) === exact) return
    this.#left = this.#source
    this.#source = undefined
    this.#knownIp = undefined
  }

  /** ICE says from where packets are taken, and nobody else; undefined ends that. */
  follow(isProven: ((from: Endpoint) => boolean) | undefined): void {
    this.#isProven = isProven
  }

  /** Where ICE has packets go, RTCP too; nowhere when undefined. */
  choose(to: Endpoint | undefined): void {
    this.#chosen = to
    if (to) this.#remote = { ip: to.ip, rtpPort: to.port, rtcpPort: to.port }
  }

  /** Whether a valid packet from here is taken; may lock or move the lock. */
  accept(from: Endpoint, ssrc: number, nowMs: number): boolean {
    const source = this.#source
    if (source !== from && !isSame(source, from)) {
      if (this.#isProven && !this.#isProven(from)) return false
      const rank = this.#rankOf(from)
      const free = source === undefined || this.#open || this.#isProven !== undefined
      if (!free && !this.#isBetter(from, rank, nowMs) && !this.#cameBack(from, ssrc, nowMs)) return false
      const settled = nowMs - this.#lockedAtMs >= settleMs
      this.#tookOver = !free && !settled && rank === exact && ssrc !== this.#ssrc
      this.#source = from
      this.#rank = rank
      this.#packets = 0
      if (free) this.#lockedAtMs = nowMs
    }
    if (from.ip === this.#knownIp) this.#knownIp = undefined
    this.#packets++
    this.#open = false
    this.#heardAtMs = nowMs
    this.#ssrc = ssrc
    return true
  }

  #isBetter({ ip }: Endpoint, rank: number, nowMs: number): boolean {
    const settled = nowMs - this.#lockedAtMs >= settleMs
    if (rank > this.#rank) return !settled || rank === exact
    return rank === this.#rank && !settled && (ip === this.#knownIp || this.#wasStray(nowMs))
  }

  #wasStray(nowMs: number): boolean {
    return this.#packets < provenPackets && nowMs - this.#heardAtMs >= strayMs
  }

  /** The same stream from another port of the same NAT. */
  #cameBack({ ip }: Endpoint, ssrc: number, nowMs: number): boolean {
    return ip === this.#source?.ip && ssrc === this.#ssrc && nowMs - this.#heardAtMs >= silentMs
  }

  #rankOf(from: Endpoint): number {
    if (isSame(this.#left, from)) return left
    if (this.#remote?.ip !== from.ip) return stranger
    return this.#remote.rtpPort === from.port ? exact : sameHost
  }
}

const isSame = (a: Endpoint | undefined, b: Endpoint): boolean => a?.port === b.port && a.ip === b.ip

/** The address in the form in which sockets name sources; undefined when nothing can be sent there. */
function usable(address: MediaAddress | undefined): MediaAddress | undefined {
  if (!address || address.rtpPort === 0) return undefined
  const family = isIP(address.ip)
  if (family === 0) return undefined
  const ip = family === 6 ? plainIp(new SocketAddress({ address: address.ip, family: 'ipv6' }).address) : address.ip
  return isWildcardIp(ip) ? undefined : { ...address, ip }
}
