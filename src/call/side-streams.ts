/**
 * Video, fax and other streams beside the audio of a call: offered to the other side as they come, their packets relayed
 * unread. They are not recorded.
 *
 *   LegStreams of a side ── hear, plan, answerTo ─▶  here  ── describe ─▶  relay ports, a pair for each stream
 *
 * Each side is encrypted for itself, or not at all: lines cross here without keys, which LegStreams puts in and takes out.
 * Both sides have the same m-lines in the same places. A call with audio alone has no such object.
 * Who comes by a transfer is asked about them by carry-streams.ts. Missing: more than two parties.
 */
import type { MediaAddress, MediaPort, SrtpKeys } from '../media/types.ts'
import { directionOf } from '../sdp/media.ts'
import { answeringLine, isRelayable, refusedLine, relayedLine } from '../sdp/relay.ts'
import type { SdpMedia, SessionDescription } from '../sdp/types.ts'
import { isRtpAudio, mediaAddressOf } from './rtp-audio.ts'

/** Streams of one call beside its audio; each takes two pairs of ports. */
export const maxSideStreams = 4

export type Side = 'caller' | 'callee'

/** The m-lines of an offer of ours, in order; `audio` where the call's own stream stands. */
export type Plan = readonly (SdpMedia | 'audio')[]

/** The side streams of a call, as one side sees them. */
export interface SideEnd {
  readonly of: SideStreams
  readonly side: Side
}

/** What one side said, and what was agreed with it. */
export interface HeardStreams {
  /** Streams that we cannot or may not carry have port 0. */
  readonly description: SessionDescription
  /** By place among the m-lines: the streams that are on, and how their packets are encrypted. */
  readonly taken: ReadonlyMap<number, SrtpKeys | 'plain'>
}

/** What a call lends: ports on its worker. */
export interface RelayHost {
  /** @throws {CallError} `call.media-exhausted` */
  openRelay(): Promise<MediaPort>
  bridge(a: MediaPort, b: MediaPort): void
}

type Relay = Readonly<Record<Side, MediaPort>>

export const otherSide = (side: Side): Side => (side === 'caller' ? 'callee' : 'caller')

/** The streams beside audio that are on: `0:image` for a fax in place of the audio. */
const streamsOf = ({ media }: SessionDescription): string =>
  media.flatMap((each, place) => (isRelayable(each) ? `${place}:${each.type}` : [])).join()

export class SideStreams {
  readonly #host: RelayHost
  /** By place among the m-lines. */
  readonly #relays = new Map<number, Relay>()
  /** What each side said last. */
  readonly #heard: Record<Side, SessionDescription | undefined> = { caller: undefined, callee: undefined }

  constructor(host: RelayHost) {
    this.#host = host
  }

  /**
   * Open ports for the streams of an offer that have none.
   * @throws {CallError} `call.media-exhausted`
   */
  async prepare({ media }: SessionDescription): Promise<void> {
    for (const [place, each] of media.entries()) {
      if (!isRelayable(each) || this.#relays.has(place) || this.#relays.size === maxSideStreams) continue
      this.#relays.set(place, await this.#openRelay())
    }
  }

  async #openRelay(): Promise<Relay> {
    const caller = await this.#host.openRelay()
    try {
      const callee = await this.#host.openRelay()
      this.#host.bridge(caller, callee)
      return { caller, callee }
    } catch (error) {
      void caller.close()
      throw error
    }
  }

  /**
   * What this side offers, or did before an offer of its that came to nothing: for the other side to be told. Its packets
   * are as they were until it is answered.
   */
  learn(side: Side, description: SessionDescription | undefined): void {
    this.#heard[side] = description
  }

  /** What was agreed with this side. */
  hear(side: Side, { description, taken }: HeardStreams): void {
    this.#heard[side] = description
    for (const [place, relay] of this.#relays) {
      const media = description.media[place]
      const keys = taken.get(place)
      const remote = media && keys && addressOf(description, media)
      const srtp = keys === 'plain' ? undefined : keys
      relay[side].describe({ ...(remote && { remote, ...(srtp && { srtp }) }), receive: [], send: [] })
    }
  }

  /** Nobody is on this side, or somebody who has said nothing yet. */
  forget(side: Side): void {
    this.#heard[side] = undefined
    for (const relay of this.#relays.values()) relay[side].describe({ receive: [], send: [] })
  }

  heard(side: Side): SessionDescription | undefined {
    return this.#heard[side]
  }

  /** Whether this side takes any of them. */
  relaysTo(side: Side): boolean {
    const described = this.#heard[side]
    return described !== undefined && hasSideStreams(described)
  }

  /** Whether this offer switches streams on or off, so that the other side must be asked. */
  changes(side: Side, offer: SessionDescription): boolean {
    const before = this.#heard[side]
    return streamsOf(offer) !== (before ? streamsOf(before) : '')
  }

  /** What to offer to this side: what the other one said. */
  plan(side: Side): Plan | undefined {
    const described = this.#heard[otherSide(side)]
    if (!described) return undefined
    const audio = described.media.findIndex(isRtpAudio)
    return described.media.map((media, place) => {
      if (place === audio) return 'audio'
      return this.#across(side, place) ?? refusedLine(media)
    })
  }

  /** The answer to a line that this side offers; undefined when the other side refused it. */
  answerTo(side: Side, offer: SessionDescription, place: number): SdpMedia | undefined {
    const offered = offer.media[place]
    const line = this.#across(side, place)
    if (!offered || !line || line.type !== offered.type || !isRelayable(offered)) return undefined
    return answeringLine(line, directionOf(offer, offered))
  }

  /** The other side's line at our port for this side. */
  #across(side: Side, place: number): SdpMedia | undefined {
    const described = this.#heard[otherSide(side)]
    const media = described?.media[place]
    const relay = this.#relays.get(place)
    return described && media && relay && isRelayable(media)
      ? relayedLine(described, media, relay[side].address.rtpPort)
      : undefined
  }

  /** The parties are others now: nothing is relayed any more. */
  close(): void {
    for (const { caller, callee } of this.#relays.values()) {
      void caller.close()
      void callee.close()
    }
    this.#relays.clear()
  }
}

/** RTCP that shares the port of RTP is relayed with it; what comes to a port of its own goes to one. */
const addressOf = (description: SessionDescription, media: SdpMedia): MediaAddress | undefined =>
  mediaAddressOf(description, { ...media, attributes: media.attributes.filter(({ name }) => name !== 'rtcp-mux') })

/** Whether a description has streams beside its audio that can be carried. */
export const hasSideStreams = (description: SessionDescription): boolean => streamsOf(description) !== ''
