/**
 * The E-model: from delay and loss to the mean opinion score that listeners would give.
 *
 *   statistics of a stream ─▶ here ─▶ R factor, MOS ─▶ facts, metrics, the call's verdict
 *
 * ITU-T G.107 (06/2015) with its default values (table 2) for all that packets do not tell: room noise, loudness,
 * side tone. What is left of it is delay, echo and the codec under loss. Wideband codecs by ITU-T G.107.1 (06/2015):
 * another scale, 129 at best instead of 93.2, on which G.711 would be 93.2 too. A score says what people of its scale
 * say, so that scores of the two scales are not to be compared (ITU-T P.800.1: MOS-CQEN, MOS-CQEW).
 * Missing: fullband (G.107.2), talker echo on the wideband scale.
 */

export interface QualityInputs {
  /** One way, mouth to ear, ms: network, jitter buffer, packet time. */
  readonly delayMs: number
  /** Packets lost or late, 0 to 1. */
  readonly lossShare: number
  /** How much losses come together: 1 at random, 2 twice as long runs (G.107 §3.5); 1 when absent. */
  readonly burstRatio?: number
  readonly impairment: CodecImpairment
  /** How much of the talker's voice comes back, dB; 65 when absent (G.107 table 2). */
  readonly echoLossDb?: number
}

/** Equipment impairment without loss, and robustness against it. */
export interface CodecImpairment {
  readonly ie: number
  readonly bpl: number
}

/** ITU-T G.113 appendix I (05/2002), tables I.1 and I.2. */
export const impairments = {
  g711: { ie: 0, bpl: 4.3 },
  g711Concealed: { ie: 0, bpl: 25.1 },
  g729a: { ie: 11, bpl: 19 },
} as const satisfies Record<string, CodecImpairment>

/** Whom a score is from: people who know telephones, or people who know wideband too. */
export type Scale = 'narrowband' | 'wideband'

export interface CodecRating {
  readonly scale: Scale
  readonly impairment: CodecImpairment
}

/** G.107.1 §7.1: the rating of wideband without any impairment. */
const bestWideband = 129

/**
 * By encoding of the rtpmap, in lower case. With concealment, ours taken to be as good as that of G.711 appendix I.
 * G.722: Ie of G.113 appendix IV, its robustness a guess of ours. Opus, a guess too: as AMR-WB of 23.85 kbit/s there.
 */
const ratings: Readonly<Record<string, CodecRating>> = {
  pcmu: { scale: 'narrowband', impairment: impairments.g711Concealed },
  pcma: { scale: 'narrowband', impairment: impairments.g711Concealed },
  g729: { scale: 'narrowband', impairment: impairments.g729a },
  g722: { scale: 'wideband', impairment: { ie: 13, bpl: 25.1 } },
  opus: { scale: 'wideband', impairment: { ie: 8, bpl: 25.1 } },
}

/** Undefined for codecs of which we know nothing. L16 by its rate: nothing is lost in it but packets. */
export function ratingOf(encoding: string, sampleRateHz: number): CodecRating | undefined {
  const name = encoding.toLowerCase()
  if (name !== 'l16') return ratings[name]
  const scale = sampleRateHz >= 16_000 ? 'wideband' : 'narrowband'
  return { scale, impairment: impairments.g711Concealed }
}

/** Transmission rating on the wideband scale, 0 to 129 (G.107.1 §7): delay and loss alone. */
export function widebandRating(inputs: Omit<QualityInputs, 'echoLossDb'>): number {
  return Math.max(0, bestWideband - pureDelay(inputs.delayMs) - equipmentImpairment(inputs))
}

/** The score of a wideband rating: of its share of the scale (G.107.1 annex A). */
export const widebandScore = (r: number): number => meanOpinionScore(r / (bestWideband / 100))

/** G.107 defaults: signal to noise Ro, simultaneous impairment Is; with the listener echo below they leave the known 93.2. */
const signalToNoise = 94.77
const simultaneous = 1.41
/** Echo at the listener, default weighted loss, dB. */
const listenerEchoLossDb = 110

/** Transmission rating R, 0 to 93.2. */
export function ratingFactor(inputs: QualityInputs): number {
  const delay = delayImpairment(inputs.delayMs, inputs.echoLossDb ?? 65)
  return Math.max(0, signalToNoise - simultaneous - delay - equipmentImpairment(inputs))
}

/** Ie,eff, (7-29): random loss hurts by the codec's robustness, bursts more. */
function equipmentImpairment({ impairment: { ie, bpl }, lossShare, burstRatio = 1 }: QualityInputs): number {
  const lossPercent = 100 * Math.min(1, Math.max(0, lossShare))
  return ie + (95 - ie) * (lossPercent / (lossPercent / burstRatio + bpl))
}

/** Mean opinion score, 1 to 4.41, of a rating: G.107 annex B. */
export function meanOpinionScore(r: number): number {
  if (r <= 0) return 1
  if (r >= 100) return 4.5
  return Math.max(1, 1 + 0.035 * r + r * (r - 60) * (100 - r) * 7e-6)
}

/** Id = Idte + Idle + Idd, G.107 §7.4. */
function delayImpairment(delayMs: number, echoLossDb: number): number {
  return talkerEcho(delayMs, echoLossDb) + listenerEcho(2 * delayMs) + pureDelay(delayMs)
}

/** (7-20) to (7-24). */
function talkerEcho(delayMs: number, echoLossDb: number): number {
  if (delayMs < 1) return 0
  const masked =
    echoLossDb - 40 * Math.log10((1 + delayMs / 10) / (1 + delayMs / 150)) + 6 * Math.exp(-0.3 * delayMs ** 2)
  const re = 80 + 2.5 * (masked - 14)
  const half = (signalToNoise - re) / 2
  return (half + Math.sqrt(half ** 2 + 100) - 1) * (1 - Math.exp(-delayMs))
}

/** (7-25), (7-26). */
function listenerEcho(roundTripMs: number): number {
  const rle = 10.5 * (listenerEchoLossDb + 7) * (roundTripMs + 1) ** -0.25
  const half = (signalToNoise - rle) / 2
  return half + Math.sqrt(half ** 2 + 169)
}

/** (7-27), (7-28): nobody minds the first 100 ms. */
function pureDelay(delayMs: number): number {
  if (delayMs <= 100) return 0
  const x = Math.log2(delayMs / 100)
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2)
}
