/**
 * The streams of a recording session and their media ports: what an offer adds, changes and takes away.
 *
 *   session.ts ── offer ─▶  here  ── openPort, describe, close ─▶  MediaSession
 *                               └─ tells: removed, what the ports report
 */

import { type CryptoAnswer, LegCrypto, type SrtpMode } from '../call/leg-crypto.ts'
import { LegEncryption } from '../call/leg-encryption.ts'
import { LegQuality } from '../call/leg-quality.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import { newId } from '../core/random.ts'
import type { SrtpKey, SrtpSuite } from '../core/srtp.ts'
import type { Encryption, Quality } from '../events/catalogue.ts'
import {
  type MediaAddress,
  type MediaPort,
  type MediaSession,
  noPackets,
  type PortEvents,
  type PortStats,
} from '../media/types.ts'
import { offersRtcpMux } from '../sdp/media.ts'
import type { SdpAttribute } from '../sdp/types.ts'
import { isPaused, type Offer, type OfferedStream, payloadFormats } from './offer.ts'

export interface Stream {
  readonly legId: string
  readonly port: MediaPort
  readonly quality: LegQuality
  /** How often its sequence numbers may have begun anew before this process came to it. */
  readonly rollOvers?: number
  /** As last offered. */
  offered: OfferedStream
  /**
   * Its address was taken back: a pause in the old style (RFC 3264 §8.4). A client that never said where it sends from
   * takes nothing back by zeros.
   */
  heldByAddress: boolean
  readonly crypto: LegCrypto
  /** What was agreed of encryption. */
  agreed: CryptoAnswer
  readonly encryption: LegEncryption
  /** Stops telling of its encryption. */
  unwatch: () => void
}

/** A stream as plain data, for the process after this one. */
export interface KeptStream {
  readonly index: number
  readonly legId: string
  readonly rtpPort: number
  readonly remote?: MediaAddress
  /** Ours; that of the client stands in its description. Secret. */
  readonly key?: KeptKey
}

export interface KeptKey {
  readonly suite: SrtpSuite
  /** base64 */
  readonly master: string
  readonly mkiBytes: number
}

const keptKey = ({ suite, master, mkiBytes }: SrtpKey): KeptKey => ({
  suite,
  master: Buffer.from(master).toString('base64'),
  mkiBytes,
})
const srtpKeyOf = ({ suite, master, mkiBytes }: KeptKey): SrtpKey => ({
  suite,
  master: Buffer.from(master, 'base64'),
  mkiBytes,
})

/** 18 hours of 50 packets a second: each is one try for the first packet after a restart. */
const mostRollOvers = 50

export interface StreamListener {
  /** Before its port is closed. */
  removing(stream: Stream): void
  removed(stream: Stream, stats: PortStats | undefined): void
  mediaStarted(stream: Stream, event: PortEvents['media-started']): void
  digit(stream: Stream, event: PortEvents['digit']): void
  quality(stream: Stream, quality: Quality): void
  encrypted(stream: Stream, encryption: Encryption): void
  /** Nothing of it can be heard: no keys came of its handshake. */
  unheard(stream: Stream, why: string): void
  silent(stream: Stream, event: PortEvents['inactive']): void
}

export interface StreamsOptions {
  readonly session: MediaSession
  readonly clock: Clock
  readonly log: Logger
  /** A stream that is silent for so long is told as `silent`; 0 never. */
  readonly silentAfterMs: number
  readonly srtp: SrtpMode
  readonly listener: StreamListener
}

export class Streams {
  readonly #options: StreamsOptions
  /** By place among the m-lines. */
  readonly #streams = new Map<number, Stream>()
  readonly #removals = new Set<Promise<void>>()

  constructor(options: StreamsOptions) {
    this.#options = options
  }

  /** In the order of the SDP. */
  list(): readonly Stream[] {
    return [...this.#streams.values()].toSorted((a, b) => a.offered.index - b.offered.index)
  }

  /** The RTP port of an m-line, for the answer. */
  readonly portOf = (index: number): number | undefined => this.#streams.get(index)?.port.address.rtpPort

  /** Our key for an m-line. */
  readonly cryptoOf = (index: number, of: 'answer' | 'offer'): readonly SdpAttribute[] => {
    const stream = this.#streams.get(index)
    if (!stream) return []
    return of === 'answer' ? stream.agreed.attributes : stream.crypto.offer().attributes
  }

  /**
   * Make the ports what the offer asks. A stream that is not encrypted as it must be, or for which no port is free, is
   * left out, and so refused in the answer.
   * Ports taken away close by themselves.
   * @returns The streams added, their ports open.
   */
  async apply(offer: Offer): Promise<readonly Stream[]> {
    const { streams } = this.suitable(offer)
    const wanted = new Set(streams.map(({ index }) => index))
    for (const [index, stream] of this.#streams) if (!wanted.has(index)) this.#remove(stream)
    const added = await Promise.all(streams.map((offered) => this.#applyOne(offered)))
    return added.flat()
  }

  /**
   * Open the ports again that the process before this one had, each at its old number.
   * @returns The streams for which that was possible; the rest is lost.
   */
  async restore({ streams }: Offer, kept: readonly KeptStream[]): Promise<readonly Stream[]> {
    const restored = await Promise.all(
      kept.map(async (one) => {
        const offered = streams.find(({ index }) => index === one.index)
        return offered ? await this.#add({ ...offered, ...(one.remote && { remote: one.remote }) }, one) : []
      }),
    )
    return restored.flat()
  }

  /** What `restore` needs. Undefined when a stream has keys by DTLS: they are known to nobody but this process. */
  keep(): readonly KeptStream[] | undefined {
    const kept: KeptStream[] = []
    for (const { legId, port, offered, agreed } of this.list()) {
      if (agreed.keys && !('send' in agreed.keys)) return undefined
      const { index, remote } = offered
      const key = agreed.keys && keptKey(agreed.keys.send)
      kept.push({ index, legId, rtpPort: port.address.rtpPort, ...(remote && { remote }), ...(key && { key }) })
    }
    return kept
  }

  /** The offer without the streams that are not encrypted as they must be; what was encrypted once stays so. */
  suitable(offer: Offer): Offer {
    return { ...offer, streams: offer.streams.filter((offered) => this.#suits(offered)) }
  }

  /** The offer without the streams for which no port is open. */
  known(offer: Offer): Offer {
    return { ...offer, streams: offer.streams.filter(({ index }) => this.#streams.has(index)) }
  }

  #suits({ index, media }: OfferedStream): boolean {
    const crypto = this.#streams.get(index)?.crypto ?? new LegCrypto(this.#options.srtp, { own: noPortYet })
    return crypto.takes(media)
  }

  /** Of the stream that sent last: the session is silent only when all are. */
  async stats(): Promise<PortStats> {
    const all = await Promise.all(this.list().map(({ port }) => port.stats()))
    return all.reduce((least, next) => (idleOf(next) < idleOf(least) ? next : least), noPackets)
  }

  /** Close all ports. One that is being opened now is closed with the media session. */
  async close(): Promise<void> {
    for (const stream of this.list()) this.#remove(stream)
    await Promise.all(this.#removals)
  }

  async #applyOne(offered: OfferedStream): Promise<Stream[]> {
    const stream = this.#streams.get(offered.index)
    if (!stream) return await this.#add(offered)
    // An old-style pause names no address; it moves nothing.
    const remote = offered.remote ?? stream.offered.remote
    stream.offered = { ...offered, ...(remote && { remote }) }
    stream.heldByAddress = isTakenBack(stream.offered)
    stream.agreed = stream.crypto.answer(offered.media)
    describe(stream)
    return []
  }

  async #add(offered: OfferedStream, kept?: KeptStream): Promise<Stream[]> {
    const { session, silentAfterMs, listener, log, srtp } = this.#options
    try {
      const port = await session.openPort({
        inactiveAfterMs: silentAfterMs,
        muxed: offersRtcpMux(offered.media),
        ...(kept && { rtpPort: kept.rtpPort }),
      })
      const ours = kept?.key && srtpKeyOf(kept.key)
      const crypto = new LegCrypto(srtp, { own: () => port.fingerprint, ...(ours && { ours }) })
      const quality = new LegQuality()
      const stream: Stream = {
        legId: kept?.legId ?? newId(),
        ...(kept && { rollOvers: mostRollOvers }),
        port,
        quality,
        offered,
        // Known and at zeros: held before the restart.
        heldByAddress: isTakenBack(offered),
        crypto,
        agreed: crypto.answer(offered.media),
        encryption: new LegEncryption(port),
        unwatch: () => {},
      }
      this.#streams.set(offered.index, stream)
      port.on('media-started', (event) => listener.mediaStarted(stream, event))
      port.on('digit', (event) => listener.digit(stream, event))
      port.on('quality', (event) => listener.quality(stream, quality.hear(event)))
      port.on('inactive', (event) => listener.silent(stream, event))
      describe(stream)
      return [stream]
    } catch (error) {
      log.warn('No port could be opened for a stream', { index: offered.index, error: String(error) })
      return []
    }
  }

  /** Tell of its encryption from now on: it is told of as a leg. */
  watch(stream: Stream): void {
    const { clock, listener } = this.#options
    stream.unwatch = stream.encryption.watch({
      clock,
      told: (encryption) => listener.encrypted(stream, encryption),
      failed: (why) => listener.unheard(stream, why),
    })
  }

  #remove(stream: Stream): void {
    stream.unwatch()
    this.#streams.delete(stream.offered.index)
    this.#options.listener.removing(stream)
    const removal = this.#closePort(stream).finally(() => this.#removals.delete(removal))
    this.#removals.add(removal)
  }

  async #closePort(stream: Stream): Promise<void> {
    const stats = await stream.port.close().catch(() => undefined)
    this.#options.listener.removed(stream, stats)
  }
}

/** @param offered With the address that was known before. */
const isTakenBack = ({ atZeros, remote }: OfferedStream): boolean => atZeros && remote !== undefined

/** The client says that it pauses it: by its direction, or by zeros for its address. */
export const isHeld = ({ offered, heldByAddress }: Pick<Stream, 'offered' | 'heldByAddress'>): boolean =>
  heldByAddress || isPaused(offered)

/** Whether a stream suits is asked before there is a port that has a certificate. */
function noPortYet(): never {
  throw new Error('no certificate without a port')
}

const idleOf = ({ idleMs }: PortStats): number => idleMs ?? Number.POSITIVE_INFINITY

/** We send nothing but RTCP. */
function describe(stream: Stream): void {
  const { port, offered, agreed, encryption, rollOvers } = stream
  encryption.agreed(agreed.keys)
  port.describe({
    ...(offered.remote && { remote: offered.remote }),
    receive: payloadFormats(offered),
    send: [],
    ...(agreed.keys && { srtp: rollOvers === undefined ? agreed.keys : { ...agreed.keys, rollOvers } }),
    ...offered.reports,
    listensOnly: true,
    silent: isHeld(stream),
  })
}
