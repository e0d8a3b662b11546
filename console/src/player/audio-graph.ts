/**
 * What is heard: each channel of the file through its own gain, mixed to both ears.
 *
 *   <audio> ▸ splitter ▸ gain (one a channel) ▸ mix (mono) ▸ speakers
 *
 * Built at the first "play": browsers let a page make sound only after somebody asked for it.
 */
export class AudioGraph {
  readonly #context = new AudioContext()
  readonly #gains: readonly GainNode[]

  constructor(element: HTMLMediaElement, channels: number) {
    const source = this.#context.createMediaElementSource(element)
    const splitter = this.#context.createChannelSplitter(channels)
    const mix = this.#context.createGain()
    mix.channelCount = 1
    mix.channelCountMode = 'explicit'
    source.connect(splitter)
    mix.connect(this.#context.destination)
    this.#gains = Array.from({ length: channels }, (_, channel) => {
      const gain = this.#context.createGain()
      splitter.connect(gain, channel)
      gain.connect(mix)
      return gain
    })
  }

  /** Hear only the channels that are not muted. */
  mute(muted: ReadonlySet<number>): void {
    // A ramp of some milliseconds: a sudden step clicks.
    const at = this.#context.currentTime
    for (const [channel, gain] of this.#gains.entries()) {
      gain.gain.setTargetAtTime(muted.has(channel) ? 0 : 1, at, 0.01)
    }
  }

  async resume(): Promise<void> {
    if (this.#context.state === 'suspended') await this.#context.resume()
  }

  close(): void {
    void this.#context.close()
  }
}
