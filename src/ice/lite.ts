/**
 * ICE as a server with an address of its own does it: ICE-lite (RFC 8445 §2.4, §7.3), for one component.
 *
 *   port  ── STUN ─▶  here  ──▶  the answer; where the peer was checked to be, and which of these it has chosen
 *
 * The peer, a browser, finds the ways to us and says which one to use. We check nothing ourselves, so that its checks are
 * our proof too: the sender knew our password, and got our answer or would not go on. When they stop, we stop sending
 * (consent, RFC 7675 §5.1). Pure: time is handed in.
 * Departs from RFC 8489 §9.1.3: who has not our password gets no answer at all, not 401.
 * Missing: a side that checks (full ICE); two lite sides need none, they send to the addresses of the descriptions.
 */
import type { IceCredentials } from '../core/ice.ts'
import {
  coveredByIntegrity,
  errorCode,
  firstOptionalAttribute,
  hasIntegrity,
  isStun,
  printStun,
  type StunAddress,
  type StunAttribute,
  stunAttributes,
  stunAttributesOf,
  stunIdOf,
  stunTypeOf,
  stunTypes,
  uint16,
  xorAddress,
} from '../stun/message.ts'

/** RFC 7675 §5.1: consent lasts so long after a check, ms. */
export const consentMs = 30_000
/** Addresses of the peer that are remembered; a laptop with a VPN and a relay has six. */
const maxPairs = 16
/** How long a way that was chosen holds against one of lower priority, ms: nominations come in disorder (RFC 8445 §8.1.1). */
const holdsMs = 1_000

interface Pair extends StunAddress {
  readonly priority: number
  checkedAtMs: number
  nominatedAtMs: number
}

const understood = new Set<number>([
  stunAttributes.username,
  stunAttributes.messageIntegrity,
  stunAttributes.priority,
  stunAttributes.useCandidate,
])

export class IceLite {
  #local: IceCredentials
  #remote: IceCredentials | undefined
  /** Where valid checks came from. */
  readonly #pairs = new Map<string, Pair>()
  #chosen: Pair | undefined

  constructor(local: IceCredentials) {
    this.#local = local
  }

  /**
   * As agreed now. Other credentials than before are a restart: the way in use stays until the peer chooses again.
   * @param remote Undefined until the peer has answered: whoever knows our password may check.
   */
  describe(local: IceCredentials, remote: IceCredentials | undefined): void {
    const isRestart = this.#remote && remote && remote.user !== this.#remote.user
    if (isRestart) this.#pairs.clear()
    this.#local = local
    this.#remote = remote
  }

  /** Where to send: the way that the peer has chosen, or the first that works; undefined once it has let go of it. */
  destination(nowMs: number): StunAddress | undefined {
    const chosen = this.#chosen
    return chosen && nowMs - chosen.checkedAtMs < consentMs ? chosen : undefined
  }

  /** Whether the peer was checked to be there. */
  isProven(ip: string, port: number): boolean {
    const chosen = this.#chosen
    return (chosen?.port === port && chosen.ip === ip) || this.#pairs.has(`${ip} ${port}`)
  }

  /**
   * A datagram of STUN from this address.
   * @returns The answer, to be sent there; undefined for strangers, broken ones and what is no request.
   */
  receive(bytes: Uint8Array, ip: string, port: number, nowMs: number): Buffer | undefined {
    const request = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    if (!isStun(request) || stunTypeOf(request) !== stunTypes.request) return undefined
    const found = stunAttributesOf(request)
    if (!found || !this.#isFromPeer(found) || !hasIntegrity(request, found, this.#local.password)) return undefined
    const covered = coveredByIntegrity(found)
    const unknown = covered
      .map(({ type }) => type)
      .filter((type) => type < firstOptionalAttribute && !understood.has(type))
    if (unknown.length > 0) return this.#refuse(request, 420, 'Unknown Attribute', unknown)
    // Who has addresses known to all is led, always (§6.1.1): the other one has to think again.
    if (valueOf(covered, stunAttributes.iceControlled)) return this.#refuse(request, 487, 'Role Conflict')
    const priority = valueOf(covered, stunAttributes.priority)
    if (priority?.length !== 4) return this.#refuse(request, 400, 'Bad Request')
    this.#proven(
      { ip, port },
      priority.readUInt32BE(0),
      valueOf(covered, stunAttributes.useCandidate) !== undefined,
      nowMs,
    )
    return printStun({
      type: stunTypes.success,
      id: stunIdOf(request),
      attributes: [[stunAttributes.xorMappedAddress, xorAddress(request, { ip, port })]],
      key: this.#local.password,
      fingerprint: true,
    })
  }

  /** `ours:theirs` (§7.2.2). */
  #isFromPeer(found: readonly StunAttribute[]): boolean {
    const name = valueOf(found, stunAttributes.username)?.toString() ?? ''
    const colon = name.indexOf(':')
    if (colon < 0 || name.slice(0, colon) !== this.#local.user) return false
    return this.#remote === undefined || name.slice(colon + 1) === this.#remote.user
  }

  #proven(at: StunAddress, priority: number, nominated: boolean, nowMs: number): void {
    const key = `${at.ip} ${at.port}`
    let pair = this.#pairs.get(key)
    if (!pair) {
      if (this.#pairs.size >= maxPairs) this.#forgetOne()
      pair = { ...at, priority, checkedAtMs: nowMs, nominatedAtMs: Number.NEGATIVE_INFINITY }
      this.#pairs.set(key, pair)
    }
    pair.checkedAtMs = nowMs
    if (nominated) pair.nominatedAtMs = nowMs
    if (this.#isBetter(pair, nowMs)) this.#chosen = pair
  }

  #isBetter(pair: Pair, nowMs: number): boolean {
    const chosen = this.#chosen
    if (!chosen) return true
    if (pair.nominatedAtMs !== nowMs) return false
    const isOver = this.#pairs.get(`${chosen.ip} ${chosen.port}`) !== chosen // before a restart
    return isOver || pair.priority >= chosen.priority || nowMs - chosen.nominatedAtMs >= holdsMs
  }

  /** The one that was checked longest ago, but for the one in use. */
  #forgetOne(): void {
    let oldest: string | undefined
    let atMs = Number.POSITIVE_INFINITY
    for (const [key, pair] of this.#pairs) {
      if (pair === this.#chosen || pair.checkedAtMs >= atMs) continue
      oldest = key
      atMs = pair.checkedAtMs
    }
    if (oldest !== undefined) this.#pairs.delete(oldest)
  }

  #refuse(request: Buffer, code: number, reason: string, unknown: readonly number[] = []): Buffer {
    return printStun({
      type: stunTypes.error,
      id: stunIdOf(request),
      attributes: [
        [stunAttributes.errorCode, errorCode(code, reason)],
        ...(unknown.length > 0 ? [[stunAttributes.unknownAttributes, uint16(...unknown)] as const] : []),
      ],
      key: this.#local.password,
      fingerprint: true,
    })
  }
}

const valueOf = (found: readonly StunAttribute[], wanted: number): Buffer | undefined =>
  found.find(({ type }) => type === wanted)?.value
