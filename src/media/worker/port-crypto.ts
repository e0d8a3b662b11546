/**
 * SRTP at the edge of a port: what comes in is decrypted before anybody reads it, what goes out is encrypted last.
 *
 *   socket ─▶ open ─▶ Port ─▶ seal ─▶ socket
 *
 * Recorder, bridge and statistics know nothing of it. A port without keys has no such object.
 */
import type { SrtpKey } from '../../core/srtp.ts'
import { SrtpReceiver, SrtpSender } from '../../rtp/srtp.ts'
import type { SrtpKeys } from '../types.ts'

export class PortCrypto {
  #keys: SrtpKeys | undefined
  #sender: SrtpSender | undefined
  #receiver: SrtpReceiver | undefined

  /**
   * Keys as agreed now. One that stays goes on counting its packets, for no number may be used twice; one that is new goes
   * on with the roll-over counter.
   * @param keys undefined while we wait for those of the peer: nothing is taken and nothing sent.
   */
  describe(keys: SrtpKeys | undefined): void {
    // What was agreed before stands until the peer has said its new key.
    if (!keys) return
    const before = this.#keys
    this.#keys = keys
    if (!before || !isSame(before.send, keys.send)) this.#sender = new SrtpSender(keys.send, this.#sender)
    if (!before || !isSame(before.receive, keys.receive)) {
      this.#receiver = new SrtpReceiver(keys.receive, this.#receiver, keys.rollOvers)
    }
  }

  /** Whether this is the key that we send with. */
  sendsWith(key: SrtpKey): boolean {
    return this.#keys !== undefined && isSame(this.#keys.send, key)
  }

  /** The peer's key is known: what does not open is not authentic. */
  get opens(): boolean {
    return this.#receiver !== undefined
  }

  openRtp(bytes: Uint8Array): Uint8Array | undefined {
    return this.#receiver?.rtp(bytes)
  }

  openRtcp(bytes: Uint8Array): Uint8Array | undefined {
    return this.#receiver?.rtcp(bytes)
  }

  sealRtp(bytes: Uint8Array, from: number, length: number): Uint8Array | undefined {
    return this.#sender?.rtp(bytes, from, length)
  }

  sealRtcp(bytes: Uint8Array): Uint8Array | undefined {
    return this.#sender?.rtcp(bytes)
  }
}

const isSame = (a: SrtpKey, b: SrtpKey): boolean =>
  a.suite === b.suite && a.mkiBytes === b.mkiBytes && Buffer.compare(a.master, b.master) === 0
