/**
 * Rings devices for a call: what each of them is offered, and how the caller is introduced to it.
 *
 *   Call  ── destinations, one port ─▶  here  ── a description for each ─▶  Fork
 */
import type { Logger } from '../core/logger.ts'
import type { Party } from '../events/catalogue.ts'
import type { MediaPort } from '../media/types.ts'
import { newIceCredentials } from '../sdp/ice.ts'
import { answerTo } from './caller-side.ts'
import { rulesFor } from './codec-rules.ts'
import { Fork } from './fork.ts'
import type { Destination, ForkOptions, Introduction } from './fork.types.ts'
import { type AudioWishes, LegMedia } from './leg-media.ts'
import { addressAt, isBrowser, peerOf } from './party.ts'
import type { CallServices } from './services.ts'
import type { SideEnd } from './side-streams.ts'
import type { Teller } from './teller.ts'

export interface RingWish
  extends Pick<ForkOptions, 'destinations' | 'ringMs' | 'maxForwards' | 'role' | 'onProvisional'> {
  /** All devices share it until one answers. */
  readonly port: MediaPort
  readonly wanted: AudioWishes
  /** What they are offered beside the audio. */
  readonly beside?: { readonly streams?: SideEnd }
  readonly from: Party
  /** Who sent the call here (RFC 3892). */
  readonly referredBy?: Party
}

export interface RingContext {
  readonly services: CallServices
  readonly log: Logger
  readonly teller: Teller
}

export function ringDevices({ services, log, teller }: RingContext, wish: RingWish): Fork {
  const { port, wanted, beside = {}, from, referredBy, ...options } = wish
  const { stack, clock, advertisedIp, srtp, codecs: rules, mediaIps: alsoAt } = services
  const hostFor = ({ target }: Destination): string => advertisedIp(peerOf(target))
  // Whoever of them checks its way to the port does so by the same credentials.
  const ice = newIceCredentials()
  const offer = (destination: Destination) => {
    const { target, srtp: wished = srtp, voice } = destination
    const browser = isBrowser(target)
    const more = {
      ...(!browser && beside),
      srtp: wished,
      codecs: rulesFor(rules, destination.codecs),
      browser,
      ice,
      alsoAt,
      ...(voice && { voice }),
    }
    const media = new LegMedia(port, hostFor(destination), more)
    return media.suits(wanted) ? { media, sdp: media.offer(wanted) } : undefined
  }
  const pickUp: ForkOptions['pickUp'] = (invite, { present, srtp: wished = srtp, codecs: ownCodecs }) => {
    const host = advertisedIp(invite.flow)
    const more = {
      ...beside,
      srtp: wished,
      codecs: rulesFor(rules, ownCodecs),
      browser: isBrowser(invite),
      ice,
      alsoAt,
    }
    const media = new LegMedia(port, host, more)
    return { media, sdp: answerTo(invite, media, wanted), headers: present?.(from, host) ?? {} }
  }
  const introduce = (destination: Destination): Introduction => {
    const host = hostFor(destination)
    return destination.introduce?.(from, host) ?? { from: addressAt(host, from) }
  }
  return new Fork({
    ...options,
    stack,
    clock,
    log,
    teller,
    offer,
    pickUp,
    introduce,
    ...(referredBy && { referredBy: (destination) => addressAt(hostFor(destination), referredBy) }),
  })
}
