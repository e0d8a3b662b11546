/**
 * How losses lie in time: alone, where concealment hides them, or in bursts, where words go.
 *
 *   playout-model.ts  ── each packet's fate, in order ─▶  here  ── densities, durations, burst ratio ─▶  XR, E-model
 *
 * RFC 3611 §4.7.2: a burst begins and ends with a packet that is missing (lost or discarded) and holds no run of Gmin
 * or more that were there; all else is gap. One missing packet alone is part of the gap. ITU-T G.107 §3.5: burst ratio.
 */

/** RFC 3611 §4.7.2: fewer packets than this between two that are missing keep a burst going. */
export const gmin = 16

/** Counts of packets, but for `burstRatio`. */
export interface LossReading {
  readonly expected: number
  readonly lost: number
  readonly discarded: number
  readonly bursts: number
  readonly burstPackets: number
  readonly burstMissing: number
  /** Packets that are in no burst, and those of them that are missing. */
  readonly gapPackets: number
  readonly gapMissing: number
  /** Mean run of missing packets over what random loss of that rate gives (G.107 §3.5); 1 at least. */
  readonly burstRatio: number
}

export class LossPattern {
  #expected = 0
  #lost = 0
  #discarded = 0
  #bursts = 0
  #burstPackets = 0
  #burstMissing = 0
  /** Runs of packets that are missing one after the other. */
  #runs = 0
  /** Since the last one that is missing; at first as if much had come. */
  #present = gmin
  /** The cluster that may become a burst: from its first missing packet to its last. */
  #clusterPackets = 0
  #clusterMissing = 0

  received(): void {
    this.#expected++
    this.#present++
    if (this.#present === gmin) this.#endCluster()
  }

  lost(): void {
    this.#lost++
    this.#missing()
  }

  /** It came, but too late to be played. */
  discarded(): void {
    this.#discarded++
    this.#missing()
  }

  #missing(): void {
    this.#expected++
    if (this.#present > 0) this.#runs++
    this.#clusterPackets += this.#clusterMissing === 0 ? 1 : this.#present + 1
    this.#clusterMissing++
    this.#present = 0
  }

  #endCluster(): void {
    if (this.#clusterMissing > 1) {
      this.#bursts++
      this.#burstPackets += this.#clusterPackets
      this.#burstMissing += this.#clusterMissing
    }
    this.#clusterPackets = 0
    this.#clusterMissing = 0
  }

  /** A cluster that still goes on counts as the burst it is by now. */
  read(): LossReading {
    const open = this.#clusterMissing > 1
    const burstPackets = this.#burstPackets + (open ? this.#clusterPackets : 0)
    const burstMissing = this.#burstMissing + (open ? this.#clusterMissing : 0)
    const missing = this.#lost + this.#discarded
    const present = this.#expected === 0 ? 1 : 1 - missing / this.#expected
    return {
      expected: this.#expected,
      lost: this.#lost,
      discarded: this.#discarded,
      bursts: this.#bursts + (open ? 1 : 0),
      burstPackets,
      burstMissing,
      gapPackets: this.#expected - burstPackets,
      gapMissing: missing - burstMissing,
      burstRatio: this.#runs === 0 ? 1 : Math.max(1, (missing / this.#runs) * present),
    }
  }
}
