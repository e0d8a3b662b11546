/**
 * The media plane as call/, siprec/ and recording/ see it: say what you want, hear what happened.
 *
 *   call/, siprec/  ── wants ──▶  MediaPlane (main thread)  ── protocol.ts ──▶  worker threads with the sockets
 *                   ◀─ facts ──                             ◀──────────────
 *
 * A session is the media of one call: its ports live on one worker, so that a packet never changes threads.
 */

import type { DtlsSide, Fingerprint } from '../core/dtls.ts'
import type { IceCredentials } from '../core/ice.ts'
import type { SrtpKey, SrtpSuite } from '../core/srtp.ts'
import type { VoiceProcessing } from '../core/voice-processing.ts'
import type { Seal } from '../sealing/container/sealer.ts'
import type { Mixer, MixerWishes, PortSound, Supervision } from './graph/types.ts'
import type { Verdict } from './verdict.ts'

/**
 * What travels in a payload type, spelled as in the IANA registry of RTP payload formats: PCMU, PCMA, G722, L16, opus,
 * telephone-event, CN. Any other name (G729, EVS, AMR-WB) is carried from port to port as it is, never decoded.
 */
export type Encoding = string

export interface PayloadFormat {
  readonly payloadType: number
  readonly encoding: Encoding
  /** Of the rtpmap; RTP timestamps count in it. For G722 8000, half of its true rate (RFC 3551 §4.5.2). */
  readonly clockRateHz: number
  /** Of the rtpmap, 1 when left out; always 2 for opus, whatever is in it (RFC 7587 §7). */
  readonly channels?: number
  /** Of opus: what its receiver asks its sender to do, within our settings. */
  readonly opus?: OpusWishes
}

/** The fmtp of Opus (RFC 7587 §6.1), as the one who will receive it wrote it. */
export interface OpusWishes {
  /** Stereo is of use to it. */
  readonly stereo: boolean
  /** It takes the copy of the packet before (useinbandfec). */
  readonly fec: boolean
  /** It would rather not be sent silence (usedtx). */
  readonly dtx: boolean
  /** Packets of one length (cbr). */
  readonly cbr?: boolean
  /** maxaveragebitrate */
  readonly bitsPerSecond?: number
  /** maxplaybackrate: a higher sample rate would be wasted on it. */
  readonly playbackRateHz?: number
  /** Of our encoder, 0 to 10. */
  readonly complexity?: number
}

export interface MediaAddress {
  readonly ip: string
  readonly rtpPort: number
  /** `rtpPort` itself when rtcp-mux was agreed (RFC 5761). */
  readonly rtcpPort: number
}

/** Each side encrypts with a key of its own; both have the same suite (RFC 4568). Secret: never logged. */
export interface SrtpKeys {
  readonly send: SrtpKey
  readonly receive: SrtpKey
  /** How often the peer's sequence numbers may have begun anew before we came to it; 0 when left out. */
  readonly rollOvers?: number
}

/** Keys that the two sides agree on over the media path itself (RFC 5764). */
export interface DtlsTerms {
  /** Ours. */
  readonly side: DtlsSide
  /** Of the peer's certificate. Others than before begin a new handshake. */
  readonly fingerprints: readonly Fingerprint[]
}

/**
 * The peer checks its ways to us and chooses one (ICE, RFC 8445; we are a lite agent): packets are taken from where its
 * checks came from, and go where it chose, whatever the addresses in its description.
 */
export interface IceTerms {
  readonly local: IceCredentials
  /** Absent until the peer has answered. */
  readonly remote?: IceCredentials
}

/** What the peer wants to be told beyond plain reports (RFC 3611 §5). */
export interface ExtendedReports {
  /** How we hear it. */
  readonly voipMetrics: boolean
  /** It answers our reference times: we learn the round trip though we may not send. */
  readonly receiverRoundTrip: boolean
}

/** What the two sides agreed for one port; told anew after each offer/answer. */
export interface PortDescription {
  /**
   * From the peer's SDP. Packets go there until the real source is learned. Another address than before means that the
   * peer moved: its source is learned anew. Absent while unknown; 0.0.0.0 and :: (hold in the old style) move nothing.
   */
  readonly remote?: MediaAddress
  /** Payload types as we declared them: what arrives. */
  readonly receive: readonly PayloadFormat[]
  /**
   * Payload types as the peer declared them, the best first: what we send. Speech that comes in another one is transcoded
   * to the first that can be. Empty when we must not send (hold).
   */
  readonly send: readonly PayloadFormat[]
  /** How much sound the peer wants in a packet (a=ptime); 20 ms when it does not say. What is relayed may be shorter. */
  readonly ptimeMs?: number
  /** The most that it takes in one (a=maxptime). */
  readonly maxPtimeMs?: number
  /**
   * Encrypt: nothing that is not encrypted and authentic is taken any more. `awaited` until the peer has said its key or
   * its certificate: nothing new is taken. Absent for plain RTP. Relay ports take keys, and make none by DTLS.
   */
  readonly srtp?: SrtpKeys | DtlsTerms | 'awaited'
  /** Absent when the peer does none, or is a lite agent too. Needs rtcp-mux. Not for relay ports. */
  readonly ice?: IceTerms
  /** Plain reports alone when left out. */
  readonly extendedReports?: ExtendedReports
  /** We only ever listen to it (SIPREC): that it falls silent is told as `no-audio`. */
  readonly listensOnly?: boolean
  /** The peer said that it sends nothing (hold, `recvonly`): that nothing comes is no fault. */
  readonly silent?: boolean
}

/**
 * How well one party is heard, over its stream so far. Shares are 0 to 1. Burst, gap and their densities as RFC 3611
 * §4.7.2 has them, with 16 as Gmin.
 */
export interface StreamQuality {
  /** 1 to 4.5, conversational: ITU-T G.107 or G.107.1, by `scale`. Absent for a codec without figures. */
  readonly mos?: number
  /** Transmission rating R: 0 to 93.2, or to 129 on the wideband scale. */
  readonly rating?: number
  readonly scale?: 'narrowband' | 'wideband'
  readonly lossShare: number
  /** Came, but too late for a jitter buffer. */
  readonly discardShare: number
  /** 1 for losses at random, more when they come together (G.107 §3.5). */
  readonly burstRatio: number
  readonly bursts: number
  readonly burstDensity: number
  readonly burstMs: number
  readonly gapDensity: number
  readonly gapMs: number
  readonly jitterMs: number
  /** Depth of the jitter buffer, simulated while nobody listens here. */
  readonly bufferMs: number
  /** Of the sound that was decoded here, how much was made up for what was missing; while somebody listens. */
  readonly concealedShare?: number
  /** One way on this side: half of the round trip, a packet, the buffer. */
  readonly delayMs: number
  readonly roundTripMs?: number
  /** Of the last seconds; absent when nobody could listen. */
  readonly levelDbov?: number
  /** How it hears us, by its reports. */
  readonly heardByPeer?: { readonly lossShare: number; readonly jitterMs: number; readonly mos?: number }
  /** What is wrong now. */
  readonly verdicts: readonly Verdict[]
}

export interface PortStats {
  readonly packetsReceived: number
  readonly bytesReceived: number
  /** Expected by sequence number minus received (RFC 3550 §6.4.1); duplicates make it smaller. */
  readonly packetsLost: number
  readonly packetsSent: number
  /** Packets not taken: wrong source, not RTP, unknown payload type. */
  readonly packetsRefused: number
  readonly jitterMs: number
  /** Round trip from RTCP, when a report came. */
  readonly roundTripMs?: number
  readonly codec?: Encoding
  readonly source?: string
  /** Milliseconds since the last packet came; undefined before the first. */
  readonly idleMs?: number
  /** Absent for relay ports. */
  readonly quality?: StreamQuality
}

/** Of a port that nothing has come to. */
export const noPackets: PortStats = {
  packetsReceived: 0,
  bytesReceived: 0,
  packetsLost: 0,
  packetsSent: 0,
  packetsRefused: 0,
  jitterMs: 0,
}

/** A finished leg file. */
export interface RecordedFile {
  readonly path: string
  readonly sampleRateHz: number
  readonly channels: number
  readonly samples: number
  readonly bytes: number
  /** Wall time of the first sample. */
  readonly startedAtMs: number
  /** Samples of silence written because nothing came for them. */
  readonly missingSamples: number
  /** How much slower the sender's clock runs than ours; absent while that is not known. */
  readonly driftPpm?: number
}

export interface PortEvents {
  /** The first packet came from here, and only packets from here are taken from now on. */
  'media-started': { readonly source: string; readonly codec: Encoding }
  /**
   * A digit was pressed; told once, when it ends (RFC 4733), 45 ms after it began (a tone, see `hearTones`), or when it came
   * by signalling (see `takeDigit`).
   */
  digit: { readonly digit: string; readonly durationMs: number }
  /** A verdict came or went, or `qualityEveryMs` of the settings passed. */
  quality: StreamQuality
  /** `inactiveAfterMs` without a packet. Told again only after packets came in between. */
  inactive: { readonly idleMs: number }
  /** The handshake of DTLS is over: packets are encrypted and taken from now on. */
  secured: { readonly suite: SrtpSuite }
  /** The handshake of DTLS came to nothing, and why; the peer may try again. */
  'handshake-failed': { readonly why: string }
  /** The file could not be made or written (disk full): recording stopped, the media goes on. Told once. */
  'recording-failed': { readonly path: string; readonly text: string }
}

/** How digits are sent. */
export interface DigitTiming {
  /** Length of each, 40 to 8000: receivers need 40 (ITU-T Q.24), and 16 bits of duration hold 8.19 s at 8 kHz. 100 when left out. */
  readonly toneMs?: number
  /** Silence after each, 40 to 8000; 100 when left out. */
  readonly pauseMs?: number
}

export interface MediaPort {
  readonly id: string
  /** Where we receive, as bound; what a peer is told may differ (NAT, several networks). */
  readonly address: MediaAddress
  /**
   * Of the certificate that we show in handshakes: one for each port, made when it is first asked for. A browser that is
   * moved to another port sees by it that it has to shake hands again.
   */
  readonly fingerprint: Fingerprint
  /** Playing, listening, injecting. Of a port that relays nothing comes of it. */
  readonly sound: PortSound
  on<Name extends keyof PortEvents>(name: Name, listener: (event: PortEvents[Name]) => void): () => void
  describe(description: PortDescription): void
  /**
   * Make the voice that comes better for who hears it decoded, from now on; instead of what `MediaPlaneSettings` asks for.
   * While anything is asked for, a bridge decodes it and relays no more. Recordings keep what came.
   */
  process(wanted: VoiceProcessing): void
  /**
   * Write what arrives into a WAV, 16-bit linear, addressed by RTP timestamp. The file is made at the first packet.
   * @param path Absolute; its folder exists.
   * @param seal Sealed with it, to `path` with `.sealed` behind it; plain without one.
   */
  record(path: string, seal?: Seal): void
  /**
   * What comes from now on is silence of its length in the file; it is not even kept in memory. Holds for later
   * recordings too, until it is taken back. Silence needs no decoder, so one starts afresh afterwards.
   */
  pauseRecording(on: boolean): void
  /**
   * Close the file. Resolves with undefined when no packet ever came or no file could be made.
   * @throws {MediaError} `media.worker-lost` when the worker died meanwhile: the file ends at its last written half second.
   */
  stopRecording(): Promise<RecordedFile | undefined>
  /**
   * Hear digits that the peer sends as tones too, as long as it agrees to no telephone-events. Costs the decoding of all it
   * says: for the time in which somebody waits for digits.
   */
  hearTones(on: boolean): void
  /**
   * The peer told by signalling (SIP INFO) that a digit was pressed. It is told as `digit` and ends what waits for it, like
   * any other; but not when it comes as telephone-event or as tone too, for which it is kept back for 150 ms.
   *
   * Resolves with whether it came by signalling alone: then the bridged port has not heard of it.
   *
   * @param digit 0-9 * # A-D.
   * @throws {MediaError} `media.worker-lost`.
   */
  takeDigit(digit: string, durationMs: number): Promise<boolean>
  /**
   * Send digits to the peer: as telephone-events where it takes them, else as tones. Further ones wait for their turn, up to 64.
   *
   * Resolves when the last packet has left. Nobody acknowledges digits, so this says nothing about what was heard.
   *
   * @param digits 0-9 * # A-D, 64 at most.
   * @throws {RangeError} for anything else, before the first is sent.
   * @throws {MediaError} `media.no-digits` when the peer takes neither (hold), or too many wait; `media.closed` when the port closes meanwhile;
   *   `media.worker-lost`.
   * @see RFC 4733 §2.5.1
   */
  sendDigits(digits: string, timing?: DigitTiming): Promise<void>
  /** After the end, the worker's too: what was known last. */
  stats(): Promise<PortStats>
  /** Close sockets, stop recording first. Resolves with the last stats. Twice is fine. */
  close(): Promise<PortStats>
}

export interface SessionEvents {
  /**
   * The worker died: ports and sockets are gone, files end at their last written second. Told once. What was asked for
   * and not done is refused, what was played or injected ends; orders change nothing any more.
   */
  lost: { readonly worker: number }
}

export interface MediaSession {
  readonly id: string
  on<Name extends keyof SessionEvents>(name: Name, listener: (event: SessionEvents[Name]) => void): () => void
  /**
   * Take a free RTP and RTCP port pair.
   * @throws {MediaError} `media.no-port` when the range is used up, `media.closed` after close, `media.worker-lost`.
   */
  openPort(options?: OpenPortOptions): Promise<MediaPort>
  /** Relay between these two, both ways; each port is in one bridge at most. Unbridge by closing a port. */
  bridge(a: MediaPort, b: MediaPort): void
  /**
   * `by` sends its peer what `of` receives, besides all else that becomes of that: as it came where the peer takes the
   * codec, made over otherwise. Of another port than before, the stream goes on. Undefined: nothing any more.
   */
  copy(of: MediaPort | undefined, by: MediaPort): void
  /** A conference of ports of this session. @throws {RangeError} for wishes out of bounds. */
  openMixer(wishes: MixerWishes): Mixer
  /** `listener` hears the parties, each of them what it heard before. */
  supervise(listener: MediaPort, parties: readonly MediaPort[]): Supervision
  /** What `work` asks of the ports reaches them at once, and before `together` returns: it costs as little as one wish. */
  together<Result>(work: () => Result): Result
  /** Close all ports. Twice is fine. */
  close(): Promise<void>
}

export interface OpenPortOptions {
  /** Tell `inactive` after so long without a packet; 0 never. */
  readonly inactiveAfterMs?: number
  /**
   * The call will be recorded once it is answered: keep the packets of the last moment until `record`, for those after
   * the answer may overtake it.
   */
  readonly recordedLater?: boolean
  /**
   * Carry datagrams as they are, video or fax, to and from the relay port it is bridged with: nothing is read, changed or
   * recorded, but for SRTP on either side. `describe` says where the peer is and needs no formats; without `remote` nothing
   * is taken.
   */
  readonly relay?: boolean
  /** RTCP will come by the port of RTP (RFC 5761): it gets no socket, until a description says otherwise. */
  readonly muxed?: boolean
  /** Where the session is that of several calls. */
  readonly callId?: string
  /**
   * This one and no other: of a call that the process before this one had. `media.no-port` when it is not free or not
   * of the range.
   */
  readonly rtpPort?: number
}

/** How packets come in and go out: by node:dgram, or by the addon (native-addon.ts). */
export type IoKind = 'dgram' | 'native'

export interface MediaPlaneSettings {
  readonly workers: number
  /** Address sockets bind to. */
  readonly bindIp: string
  readonly portMin: number
  readonly portMax: number
  /** Ports tell `quality` so often while packets come, besides when a verdict comes or goes; 0 (default) then only. */
  readonly qualityEveryMs?: number
  /** Done to the voice of each audio port; nothing when left out. */
  readonly voice?: VoiceProcessing
  /** Some ports will suppress noise: workers load what that takes before the first call. */
  readonly loadDenoise?: boolean
  /** `dgram` when left out. */
  readonly io?: IoKind
  /** How often the addon looks for packets, ms; 2 when left out. */
  readonly pollMs?: number
  /** Of who is heard decoded; 40 to 200 ms when left out. */
  readonly jitter?: DelayBounds
  /** A worker that stands still for so long is ended, its calls with it, and replaced; 0 never. 20 s when left out. */
  readonly stallLimitMs?: number
}

/** How long packets wait in a jitter buffer at least and at most, ms, 0 to 1000. */
export interface DelayBounds {
  readonly minMs: number
  readonly maxMs: number
}

export interface MediaPlane {
  /** How packets come in and go out. */
  readonly io: IoKind
  /** @param id The call's id, for logs. */
  openSession(id: string): MediaSession
  /** Per worker: sessions, ports, packets, and how late its loop runs. Those that do not run, or take a second to say it, are left out. */
  stats(): Promise<readonly WorkerStats[]>
  /** Whether each of them runs, and how busy it is. */
  workers(): readonly WorkerStanding[]
  portStats(): PortPoolStats
  close(): Promise<void>
}

/** Pairs of an RTP and an RTCP port. */
export interface PortPoolStats {
  readonly pairs: number
  readonly inUse: number
  readonly free: number
  /** Freed not long ago: taken only when no other is free. */
  readonly resting: number
  /** How often that was so, and how often there was none at all. */
  readonly takenEarly: number
  readonly exhausted: number
}

/** How a worker stands, as seen from outside it. */
export interface WorkerStanding {
  readonly worker: number
  /** `starting`: it has not loaded yet. `stalled`: it has done nothing for seconds. `lost`: it died, and is started again. */
  readonly state: 'running' | 'starting' | 'stalled' | 'lost'
  /** For how long it has not run; 0 while it does. */
  readonly downMs: number
  /** Share of a core that it takes, 0 to 1, over the last seconds. */
  readonly busy: number
}

export interface WorkerStats {
  readonly worker: number
  readonly sessions: number
  readonly ports: number
  readonly packetsReceived: number
  readonly packetsSent: number
  readonly cpuMs: number
  /** Event-loop delay since the last reading, ms. */
  readonly loopDelayP99Ms: number
  /** The same of the 20 ms clock of its sound; 0 while nobody needs that. */
  readonly frameDelayP99Ms: number
  /** Ticks of that clock that were left out because the worker stood still, since it began. */
  readonly framesSkipped: number
  /** Datagrams lost here, and not on the way. */
  readonly lost: LostDatagrams
}

/** Datagrams that never came to a port, or never left, since the worker began. */
export interface LostDatagrams {
  /** Longer than any network carries whole. */
  readonly oversized: number
  /** Refused by the network when they were sent. */
  readonly unsent: number
  /** By the kernel, for want of room in the buffer of a socket; 0 where it does not tell (node:dgram). */
  readonly dropped: number
}
