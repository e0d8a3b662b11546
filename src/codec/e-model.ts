/**
 * The E-model: from delay and loss to the mean opinion score that listeners would give.
 *
 *   statistics of a stream ─▶ here ─▶ R factor, MOS ─▶ facts, metrics, the call's verdict
 *
 * ITU-T G.107 (06/2015) with its default values (table 2) for all that packets do not tell: room noise, loudness,
 * side tone. What is left of it is delay, echo and the codec under loss.
 * Missing: wideband scores (G.107.1); G.722 and Opus are scored like G.711 with concealment, so 4.4 at best.
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

/** G.107 defaults: signal to noise Ro, simultaneous impairment Is; with the listener echo below they leave the known 93.2. */
const signalToNoise = 94.77
const simultaneous = 1.41
/** Echo at the listener, default weighted loss, dB. */
const listenerEchoLossDb = 110

/** Transmission rating R, 0 to 93.2. */
export function ratingFactor(inputs: QualityInputs): number {
  const { ie, bpl } = inputs.impairment
  const lossPercent = 100 * Math.min(1, Math.max(0, inputs.lossShare))
  // (7-29): random loss hurts by the codec's robustness, bursts more
  const equipment = ie + (95 - ie) * (lossPercent / (lossPercent / (inputs.burstRatio ?? 1) + bpl))
  const r = signalToNoise - simultaneous - delayImpairment(inputs.delayMs, inputs.echoLossDb ?? 65) - equipment
  return Math.max(0, r)
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
