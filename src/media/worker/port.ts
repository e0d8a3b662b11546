/**
 * One RTP port: the path of a packet from its socket to the recorder, to whoever listens, and to the bridged port.
 *
 *   socket ─▶ decrypt ─▶ parse ─▶ payload type known? ─▶ source locked? ─▶ count ─▶ recorder
 *                                                                            ├───▶ ear (voice/ear.ts), while somebody listens
 *                                                                            ├───▶ speakers of ports that send copies (copies.ts)
 *                                                                            └───▶ speaker of the bridged port ─▶ its socket
 *
 * What the port sends is up to its speaker (voice/speaker.ts). Tells facts: media started, a digit, silence on the wire.
 * Closed by media-worker.ts, which owns it.
 */
import type { Clock } from '../../core/clock.ts'
import { endpointText } from '../../core/ip.ts'
import { randomUint16, randomUint32 } from '../../core/random.ts'
import type { VoiceProcessing } from '../../core/voice-processing.ts'
import type { OwnCertificate } from '../../dtls/conversation.ts'
import { type DtlsIdentity, privateKeyOf } from '../../dtls/identity.ts'
import { type DatagramKind, datagramKind } from '../../rtp/demux.ts'
import { emptyRtpPacket, parseRtp, type RtpPacket } from '../../rtp/packet.ts'
import { ReceiveStatistics } from '../../rtp/receive-statistics.ts'
import type { Seal } from '../../sealing/container/sealer.ts'
import type { DelayBounds, PortDescription, PortEvents, PortStats, RecordedFile, SrtpKeys } from '../types.ts'
import { Copies } from './copies.ts'
import { type Format, receivedFormats } from './formats.ts'
import type { FrameClock } from './frame-clock.ts'
import type { Endpoint, PacketHandler, PassRule, PortSockets } from './io/io.ts'
import { Outgoing } from './outgoing.ts'
import { Passing } from './passing.ts'
import { PeerLink } from './peer-link.ts'
import { PortCrypto } from './port-crypto.ts'
import { PortRtcp } from './port-rtcp.ts'
import { type Counted, QualityMeter } from './quality/stream-quality.ts'
import type { BlockPool } from './recording/block-pool.ts'
import { Preroll } from './recording/preroll.ts'
import { Recorder } from './recording/recorder.ts'
import { speechIn } from './recording/speech-packet.ts'
import { Reports } from './reports.ts'
import { SilenceWatch } from './silence-watch.ts'
import type { SoundSource } from './sound.ts'
import { SourceLock } from './source-lock.ts'
import { SourceNews } from './source-news.ts'
import { DigitsIn } from './voice/digits-in.ts'
import { Ear } from './voice/ear.ts'
import type { Heard, Laying } from './voice/heard.ts'
import { ImprovedVoice } from './voice/improved.ts'
import { SentSound } from './voice/sent-sound.ts'
import { Speaker, type Wire } from './voice/speaker.ts'

export interface PortOptions {
  readonly cname: string
  /** 0 never. */
  readonly inactiveAfterMs: number
  /** A recording will begin: keep what came just before it does. */
  readonly recordedLater: boolean
  /** 0 on changes only. */
  readonly qualityEveryMs?: number
  readonly clock: Clock
  readonly wallAt: (nowMs: number) => number
  readonly blocks: BlockPool
  readonly frames: FrameClock
  readonly jitter: DelayBounds
  readonly tell: <Name extends keyof PortEvents>(name: Name, event: PortEvents[Name]) => void
}

/** Until a packet tells another. */
const firstClockRateHz = 8000

/** So late we are told of packets that may wait or went past us, ms, as long as others follow them. */
const mostUntoldMs = 400

/** One for all ports of a worker: packets are handled one after the other. */
const packet: RtpPacket = emptyRtpPacket()

export class Port implements PacketHandler, Wire {
  readonly #options: PortOptions
  readonly #lock = new SourceLock()
  readonly #received = new ReceiveStatistics()
  /** The first number lies in the lower half, so that a receiver of SRTP that misses it cannot miss a wrap (RFC 4568 §6.4). */
  readonly #sent = new Outgoing(randomUint32(), randomUint16() >>> 1, randomUint32(), firstClockRateHz)
  readonly #reports: Reports
  readonly #rtcp: PortRtcp
  readonly #quality: QualityMeter
  readonly #ear: Ear
  /** What `#ear` hears, made better; undefined when nothing is asked for. */
  #improved: ImprovedVoice | undefined
  readonly #speaker: Speaker
  readonly #digits: DigitsIn
  #sockets: PortSockets | undefined
  /** Undefined for plain RTP. */
  #crypto: PortCrypto | undefined
  /** Undefined for peers without ICE and DTLS. */
  #link: PeerLink | undefined
  /** What we show in handshakes of DTLS. */
  #own: OwnCertificate | undefined
  #peer: Port | undefined
  readonly #copies = new Copies()
  /** Whose packets this one sends besides. */
  #copyOf: Port | undefined
  #recorder: Recorder | undefined
  /** Of the last recording: settles when its file is on disk. */
  #fileClosed: Promise<unknown> | undefined
  #preroll: Preroll | undefined
  #recordingPaused = false
  /** By payload type, as declared by us. */
  #receive: readonly (Format | undefined)[] = []
  /** What the peer's timestamps count in. */
  #clockRateHz = firstClockRateHz
  /** The peer may be sent speech: not on hold, and known to listen. */
  #sends = false
  /** What the peer speaks in. */
  #format: Format | undefined
  #bytesReceived = 0
  #refused = 0
  readonly #news: SourceNews
  /** Who used our SSRC, and made us change it. */
  #collidedWith: string | undefined
  readonly #silence: SilenceWatch
  readonly #passing = new Passing()
  /** Its packets may wait: nobody but the recorder wants them. */
  #eased = false

  constructor(options: PortOptions) {
    this.#options = options
    this.#news = new SourceNews((started) => options.tell('media-started', started))
    this.#silence = new SilenceWatch(options.inactiveAfterMs, (idleMs) => options.tell('inactive', { idleMs }))
    this.#reports = new Reports(options.cname, options.clock.now(), Math.random)
    this.#quality = new QualityMeter({
      nowMs: options.clock.now(),
      everyMs: options.qualityEveryMs ?? 0,
      reports: this.#reports,
      counted: () => this.#counted(),
      voice: () => this.#ear.stats,
      tell: (quality) => options.tell('quality', quality),
    })
    this.#rtcp = new PortRtcp({
      reports: this.#reports,
      received: this.#received,
      sent: this.#sent,
      lock: this.#lock,
      wallAt: options.wallAt,
      metrics: () => this.#quality.metrics(),
      crypto: () => this.#crypto,
      heard: (lossShare) => this.#speaker.hearLoss(lossShare),
      sendRtp: (bytes, to) => this.#sockets?.sendRtp(bytes, 0, bytes.length, to),
      sendRtcp: (bytes, to) => this.#sockets?.sendRtcp(bytes, to),
    })
    this.#ear = new Ear(options.frames, options.jitter)
    this.#digits = new DigitsIn(options.frames, this.#ear, (digit) => options.tell('digit', digit))
    this.#speaker = new Speaker(this, options.frames, this.#sent)
    if (options.recordedLater) this.#preroll = new Preroll()
  }

  /** The sockets exist only after the handler does. */
  attach(sockets: PortSockets): void {
    this.#sockets = sockets
    this.#passing.attach(sockets)
  }

  /** What waits is taken: something is to change. */
  drain(): void {
    this.#passing.settle()
    if (this.#eased) this.#sockets?.drain()
  }

  #ease(): void {
    const easy =
      this.#recorder !== undefined && !this.#peer && !this.#ear.awake && !this.#link && this.#lock.source !== undefined
    if (easy === this.#eased) return
    this.#eased = easy
    this.#sockets?.ease(easy)
  }

  get packetsReceived(): number {
    return this.#received.packetsReceived
  }

  get packetsSent(): number {
    return this.#sent.packets
  }

  /** Who we are in handshakes of DTLS: told before the description that needs it. */
  identify(identity: DtlsIdentity): void {
    this.#own = { certificate: identity.certificate, key: privateKeyOf(identity) }
  }

  describe(description: PortDescription): void {
    this.#passing.settle()
    const { srtp, remote } = description
    if (remote && remote.rtcpPort !== remote.rtpPort) void this.#sockets?.separate()
    if (srtp)
      (this.#crypto ??= new PortCrypto()).describe(typeof srtp === 'object' && 'send' in srtp ? srtp : undefined)
    else this.#crypto = undefined
    if (PeerLink.isNeeded(description)) this.#link ??= this.#newLink()
    this.#link?.describe(description)
    this.#lock.describe(remote, this.#options.clock.now())
    this.#reports.describe(description.extendedReports)
    this.#quality.describe(description, this.#options.clock.now())
    this.#receive = receivedFormats(description.receive)
    this.#sends = description.send.length > 0
    this.#speaker.describe(description)
    this.#digits.describe(this.#receive, this.#options.clock.now())
    this.#silence.describe(this.#options.clock.now())
  }

  /** Relay to and from another port; each port forgets the one it was bridged with. */
  bridge(peer: Port): void {
    this.#unbridge()
    peer.#unbridge()
    this.#hears(peer)
    peer.#hears(this)
  }

  #unbridge(): void {
    if (this.#peer) this.#peer.#hears(undefined)
    this.#hears(undefined)
  }

  #hears(peer: Port | undefined): void {
    this.#passing.bridge(peer && peer.#passing)
    this.#peer = peer
    this.#ease()
    this.#speaker.bridge(peer && peer.#ear, peer && peer.#improved)
  }

  /** Send what another port receives, from now on; undefined: nothing any more. */
  sendCopyOf(port: Port | undefined): void {
    if (this.#copyOf) this.#copyOf.#copies.remove(this.#speaker)
    this.#copyOf = port
    if (port) {
      port.#passing.settle()
      port.#copies.add(this.#speaker)
    }
    this.#speaker.bridge(port && port.#ear)
  }

  /** Make the peer's voice better for who hears it, from now on: then it is decoded, and no longer relayed. */
  process(wanted: VoiceProcessing): void {
    this.#passing.settle()
    this.#improved?.close()
    const sent = wanted.echo ? new SentSound() : undefined
    const any = wanted.echo || wanted.denoise || wanted.gainDbov !== undefined
    this.#improved = any ? new ImprovedVoice(this.#ear, wanted, sent) : undefined
    this.#speaker.tell(sent)
    if (this.#peer) this.#peer.#hears(this)
  }

  /** What the peer says, as sound. */
  get voice(): SoundSource {
    this.#passing.settle()
    return this.#improved ?? this.#ear
  }

  /** What the peer hears, as sound. */
  get heard(): Heard {
    return this.#speaker.heard
  }

  /** The highest rate that the peer can hear. */
  get hearsHz(): number {
    return this.#speaker.hearsHz
  }

  /** Let the peer hear this in place of the bridged party, from now on; undefined: the bridged party again. */
  hear(source: SoundSource | undefined): void {
    this.#passing.settle()
    this.#speaker.hear(source)
  }

  /**
   * Let the peer hear a sound besides, or instead.
   *
   * @returns Ends it; twice is fine.
   * @throws {RangeError} for the seventeenth at once.
   */
  say(source: SoundSource, how: Laying): () => void {
    this.#passing.settle()
    return this.#speaker.say(source, how)
  }

  /** Hear digits as tones too, while the peer agrees to no telephone-events. */
  hearTones(on: boolean): void {
    this.#passing.settle()
    this.#digits.hearTones(on, this.#options.clock.now())
  }

  /**
   * The peer told a digit by signalling.
   * @param done Told whether it came in no other way.
   */
  takeDigit(digit: string, durationMs: number, done: (isNew: boolean) => void): void {
    this.#digits.signalled({ digit, durationMs }, this.#options.clock.now(), done)
  }

  /**
   * Send digits, as events where the peer takes them, else as tones.
   *
   * @param done Told when the last has left, or the port has closed before.
   * @returns False when neither can be sent.
   */
  sendDigits(digits: string, toneMs: number, pauseMs: number, done: (complete: boolean) => void): boolean {
    this.#passing.settle()
    return this.#speaker.sendDigits(digits, toneMs, pauseMs, done)
  }

  record(path: string, seal?: Seal): void {
    const { blocks, wallAt, clock, tell } = this.#options
    const failed = (text: string): void => tell('recording-failed', { path, text })
    if (this.#recorder) return
    const heard = (samples: Int16Array, count: number): void => {
      if (!this.#ear.awake) this.#quality.sound(samples, count, clock.now())
    }
    const recorder = new Recorder({ path, seal, blocks, wallAt, heard, failed }, clock.now())
    recorder.pause(this.#recordingPaused)
    for (const { packet, atMs } of this.#preroll?.take(clock.now()) ?? []) recorder.packet(packet, atMs)
    this.#preroll = undefined
    this.#recorder = recorder
  }

  /** What comes is silence in the recording from now on, or sound again; this and every later one. */
  pauseRecording(on: boolean): void {
    this.#recordingPaused = on
    this.#recorder?.pause(on, this.#options.clock.now())
  }

  stopRecording(): Promise<RecordedFile | undefined> {
    const recorder = this.#recorder
    this.#recorder = undefined
    if (!recorder) return Promise.resolve(undefined)
    const file = recorder.close()
    this.#fileClosed = file
    return file
  }

  /** It was somebody else's. */
  #forgetRecorded(): void {
    this.#recorder?.forget()
    this.#preroll?.take(0)
  }

  #newLink(): PeerLink {
    const { clock, tell } = this.#options
    return new PeerLink({
      clock,
      own: () => this.#own,
      lock: this.#lock,
      send: (bytes, to) => this.#sockets?.sendRtp(bytes, 0, bytes.length, to),
      agreed: (keys) => this.#shookHands(keys),
      tell,
    })
  }

  /** Keys of a new association: unlike those of a description they count from the beginning (RFC 5764 §4.2). */
  #shookHands(keys: SrtpKeys): void {
    this.#crypto = new PortCrypto()
    this.#crypto.describe(keys)
  }

  rtp(bytes: Uint8Array, from: Endpoint, nowMs = this.#options.clock.now(), passed = false): void {
    const kind = datagramKind(bytes)
    if (kind === 'rtcp') return this.rtcp(bytes, from, nowMs)
    if (kind !== 'rtp') return this.#other(kind, bytes, from)
    const clear = this.#crypto ? this.#crypto.openRtp(bytes) : bytes
    const valid = clear !== undefined && parseRtp(clear, packet)
    const format = valid ? this.#receive[packet.payloadType] : undefined
    const toBefore = this.#passing.on ? this.#lock.destination : undefined
    if (!format || !this.#lock.accept(from, packet.ssrc, nowMs)) {
      this.#refused++
      if (!clear && this.#crypto?.opens) this.#quality.undecrypted()
      if (valid) this.#quality.refused(from, format || this.#isStranger(from) ? undefined : packet.payloadType)
      return
    }
    const collides = packet.ssrc === this.#sent.ssrc
    if (this.#passing.on && (collides || this.#lock.destination !== toBefore)) {
      const { bytes: clearBytes } = packet
      this.#passing.settle()
      parseRtp(clearBytes, packet) // others were handled meanwhile
    }
    if (this.#lock.takeOver()) this.#forgetRecorded()
    if (collides) this.#collided(from, nowMs)
    this.#silence.packet(nowMs)
    this.#bytesReceived += bytes.length
    if (packet.ssrc !== this.#received.ssrc) this.#digits.restart()
    if (format.clockRateHz !== this.#clockRateHz && format.kind === 'speech') this.#changeClock(format.clockRateHz)
    this.#received.packet(packet.ssrc, packet.sequence, packet.timestamp, nowMs * (this.#clockRateHz / 1000))
    this.#quality.packet(packet, format.encoding, this.#clockRateHz, nowMs, this.#jitterMs, this.#ear.awake)
    if (format.kind === 'event') this.#digits.event(packet, format, nowMs)
    else if (format.kind === 'speech') this.#speech(format, nowMs)
    const listener = this.#peer && this.#peer.#speaker
    listener?.prepare(packet, format, nowMs)
    this.#copies.prepare(packet, format, nowMs)
    if (this.#ear.awake && !this.#ear.put(packet, format, nowMs)) this.#quality.discarded(packet)
    this.#copies.relay(packet, format, nowMs)
    listener?.relay(packet, format, nowMs)
    if (!this.#passing.possible) return
    if (!passed) this.#passing.relayed(this.#rule(from, format, nowMs))
    else if (this.#ear.awake) this.#passing.settle()
  }

  /** How packets like this one, which was just relayed, go on; undefined when each has to be looked at. */
  #rule(from: Endpoint, format: Format, nowMs: number): PassRule | undefined {
    const peer = this.#peer
    const simple =
      peer && !this.#copies.any && !this.#ear.awake && !this.#crypto && !this.#link && !peer.#crypto && !peer.#link
    const rule = simple && peer.#speaker.rule(packet, format, nowMs)
    if (!rule) return undefined
    const { ssrc, payloadType, bytes } = packet
    return { ...rule, from, ssrc, payloadType, mostBytes: bytes.length }
  }

  #changeClock(clockRateHz: number): void {
    this.#clockRateHz = clockRateHz
    this.#received.changeClock()
  }

  /** Not a packet: a check of ICE, a handshake of DTLS, or nothing for us. */
  #other(kind: DatagramKind, bytes: Uint8Array, from: Endpoint): void {
    if (!this.#link?.take(kind, bytes, from)) this.#refused++
  }

  #isStranger({ ip }: Endpoint): boolean {
    return this.#lock.source !== undefined && this.#lock.source.ip !== ip
  }

  /**
   * The peer chose our SSRC: we take leave of it and take another one (RFC 3550 §8.2). Once: who sends us our own packets
   * back, as an echo test does, has the next one too.
   */
  #collided({ ip, port }: Endpoint, nowMs: number): void {
    const source = endpointText(ip, port)
    if (this.#collidedWith === source) return
    this.#collidedWith = source
    this.#rtcp.report(nowMs, true)
    this.#sent.changeSsrc(randomUint32())
  }

  rtcp(bytes: Uint8Array, from: Endpoint, nowMs = this.#options.clock.now()): void {
    if (!this.#rtcp.take(bytes, from, nowMs)) this.#refused++
  }

  #speech(format: Format, nowMs: number): void {
    this.#format = format
    this.#ear.speaks(format, nowMs)
    this.#digits.speech(packet, format)
    this.#news.speech(this.#lock.source, format.encoding, nowMs)
    this.#record(format, nowMs)
  }

  #record(format: Format, nowMs: number): void {
    if (!this.#recorder && !this.#preroll) return
    const speech = speechIn(packet, format)
    if (this.#recorder) this.#recorder.packet(speech, nowMs)
    else this.#preroll?.keep(speech, nowMs, this.#sends)
  }

  get open(): boolean {
    return this.#sends && this.#lock.destination !== undefined
  }

  send(bytes: Uint8Array, start: number, length: number, atMs = this.#options.clock.now()): void {
    const to = this.#lock.destination
    if (!to) return
    if (this.#quality.wantsSent) this.#quality.sent(bytes, start, length, atMs)
    if (!this.#crypto) return this.#sockets?.sendRtp(bytes, start, length, to)
    const sealed = this.#crypto.sealRtp(bytes, start, length)
    if (sealed) this.#sockets?.sendRtp(sealed, 0, sealed.length, to)
  }

  bye(): void {
    this.#rtcp.report(this.#options.clock.now(), true)
  }

  /**
   * Time went by: write, report, notice silence.
   * @param readsLate This thread was busy: packets came before they were read.
   */
  tick(nowMs: number, readsLate?: boolean): void {
    if (this.#passing.away && nowMs - (this.#silence.lastPacketAtMs ?? 0) > mostUntoldMs) this.#passing.settle()
    this.#ease()
    const knownMs = this.#eased || this.#passing.away ? nowMs - mostUntoldMs : nowMs
    this.#digits.pass(knownMs)
    this.#recorder?.tick(nowMs, knownMs, readsLate)
    this.#link?.tick(nowMs)
    this.#ear.rest(nowMs)
    this.#rtcp.tick(nowMs)
    this.#quality.tick(nowMs, this.#ear.latest)
    this.#silence.tick(nowMs)
  }

  get #jitterMs(): number {
    return (this.#received.jitter * 1000) / this.#clockRateHz
  }

  #counted(): Counted {
    const { packetsReceived } = this.#received
    return { packetsReceived, packetsSent: this.#sent.packets, jitterMs: this.#jitterMs }
  }

  stats(): PortStats {
    const source = this.#lock.source
    const roundTripMs = this.#reports.roundTripMs
    const { lastPacketAtMs } = this.#silence
    const idleMs = lastPacketAtMs === undefined ? undefined : this.#options.clock.now() - lastPacketAtMs
    return {
      packetsReceived: this.#received.packetsReceived,
      bytesReceived: this.#bytesReceived,
      packetsLost: this.#received.packetsLost,
      packetsSent: this.#sent.packets,
      packetsRefused: this.#refused,
      jitterMs: this.#jitterMs,
      quality: this.#quality.read(),
      ...(roundTripMs === undefined ? {} : { roundTripMs }),
      ...(this.#format && { codec: this.#format.encoding }),
      ...(source && { source: endpointText(source.ip, source.port) }),
      ...(idleMs === undefined ? {} : { idleMs }),
    }
  }

  /** Say goodbye, finish the file, close the sockets. Call once. */
  async close(): Promise<PortStats> {
    this.#passing.settle()
    this.#quality.end()
    const stats = this.stats()
    this.#unbridge()
    this.sendCopyOf(undefined)
    this.#copies.end()
    this.#digits.close()
    this.#speaker.close()
    this.#improved?.close()
    this.#ear.close()
    if (this.#received.packetsReceived + this.#sent.packets > 0) this.#rtcp.report(this.#options.clock.now(), true)
    this.#link?.close()
    void this.stopRecording()
    await Promise.all([this.#fileClosed, this.#sockets?.close()])
    return stats
  }
}
