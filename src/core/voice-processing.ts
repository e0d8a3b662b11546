/** What a voice is heard with: its energy, or RNNoise's network, which is not taken in by loud noise and costs 200 µs a frame. */
export type VoiceModel = 'energy' | 'rnnoise'

/** What the level of a voice may be brought to. */
export const gainRangeDbov = { min: -40, max: -10 } as const

/** What is done to the voice of one leg before somebody hears it decoded: settings ask for it, media workers do it. */
export interface VoiceProcessing {
  /** Take out what we sent and it sends back. */
  readonly echo: boolean
  /** Suppress noise, where RNNoise is installed. */
  readonly denoise: boolean
  /** Bring the voice to this level, dBov; absent leaves it as it is. */
  readonly gainDbov?: number | undefined
}
