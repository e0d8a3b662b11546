/**
 * Whether somebody speaks: by energy, or by RNNoise's network, which is not taken in by loud noise.
 *
 *   frame ─▶ VoiceActivity ─▶ speaks, voiceProbability   (talk detection, turn taking, silence suppression)
 *
 * With the network a voice begins with two frames that hold one and ends 200 ms after the last: a click starts nobody,
 * the gap before a plosive ends nobody. Music and voices in the background are voices to both.
 */
import { SpeechDetector } from '../codec/level.ts'
import type { VoiceModel } from '../core/voice-processing.ts'
import { createDenoise } from './denoise.ts'
import { frameMs, isVoiceRate, type VoiceMeter } from './stage.ts'

/** A frame of this probability holds a voice: of 0.3 to 0.9 it serves best over white noise, hum and babble. */
const threshold = 0.8
const framesToBegin = 2
const framesToEnd = 200 / frameMs

/** What is heard of one stream. */
export interface VoiceActivity extends VoiceMeter {
  /** What it listens with. */
  readonly model: VoiceModel
  /** Take one frame of 20 ms, which stays as it is. True while somebody speaks. */
  hears(frame: Int16Array): boolean
  /** Twice is fine. */
  close(): void
}

/** By the network where it is installed and works at that rate, else by energy. */
export function createVoiceActivity(sampleRateHz: number, model: VoiceModel): VoiceActivity {
  const network = model === 'rnnoise' && isVoiceRate(sampleRateHz) ? createDenoise(sampleRateHz) : undefined
  if (!network) return new EnergyActivity(sampleRateHz)
  const heard = new Int16Array((sampleRateHz * frameMs) / 1000)
  const smooth = new MeteredActivity(network)
  return {
    model: 'rnnoise',
    get voiceProbability() {
      return network.voiceProbability
    },
    hears(frame) {
      heard.set(frame)
      network.process(heard)
      return smooth.speaks()
    },
    close: () => network.close(),
  }
}

class EnergyActivity implements VoiceActivity {
  readonly model = 'energy'
  voiceProbability = 0
  readonly #detector: SpeechDetector

  constructor(sampleRateHz: number) {
    this.#detector = new SpeechDetector(sampleRateHz)
  }

  hears(frame: Int16Array): boolean {
    const speaks = this.#detector.hears(frame)
    this.voiceProbability = speaks ? 1 : 0
    return speaks
  }

  close(): void {
    // Memory alone
  }
}

/** Makes beginnings and ends of what a meter hears: for chains whose noise suppression has the answer already. */
export class MeteredActivity {
  readonly #meter: VoiceMeter
  #above = 0
  #left = 0

  constructor(meter: VoiceMeter) {
    this.#meter = meter
  }

  /** Ask once for each frame, after it was processed. */
  speaks(): boolean {
    const voice = this.#meter.voiceProbability > threshold
    this.#above = voice ? this.#above + 1 : 0
    if (this.#above >= framesToBegin || (voice && this.#left > 0)) this.#left = framesToEnd + 1
    if (this.#left > 0) this.#left--
    return this.#left > 0
  }
}
