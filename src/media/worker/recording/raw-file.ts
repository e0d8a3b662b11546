/**
 * Packets of a codec that is not decoded, stored as they came: a file in the format rtpdump of the rtptools.
 *
 *   recorder  ── packet ─▶  block  ── output-file.ts ─▶  <leg>.rtpdump
 *
 * Wireshark and rtpplay read it: a text line, a head of 16 bytes, then for each packet its length with and without these
 * eight bytes, the milliseconds since the beginning, and the packet, decrypted, with an RTP header of 12 bytes. All
 * numbers are big-endian. In the order of arrival; loss, order and time are in the headers.
 */
import { rtpHeaderBytes, writeRtpHeader } from '../../../rtp/packet.ts'
import { type BlockPool, blockSamples } from './block-pool.ts'
import { createOutput, type OutputFile, type OutputOptions } from './output-file.ts'
import type { SpeechPacket } from './speech-packet.ts'

const headBytes = 16
const recordBytes = 8
/** Of the block: a packet that is longer is none of speech. */
const roomBytes = blockSamples * 2

export class RawFile {
  readonly #blocks: BlockPool
  readonly #file: OutputFile
  readonly #startedAtMs: number
  #block: Int16Array
  #bytes: Buffer
  #filled = 0
  readonly #headBytes: number
  #position = 0

  constructor(options: OutputOptions, blocks: BlockPool) {
    const { startedAtMs } = options
    this.#blocks = blocks
    this.#startedAtMs = startedAtMs
    this.#file = createOutput(options)
    this.#block = blocks.take()
    this.#bytes = Buffer.from(this.#block.buffer)
    this.#filled = this.#bytes.write('#!rtpplay1.0 0.0.0.0/0\n', 'latin1')
    const head = Buffer.alloc(headBytes)
    head.writeUInt32BE(Math.floor(startedAtMs / 1000), 0)
    head.writeUInt32BE(Math.floor((startedAtMs % 1000) * 1000), 4)
    this.#filled += head.copy(this.#bytes, this.#filled)
    this.#headBytes = this.#filled
  }

  /** @param wallMs When it came. */
  packet(packet: SpeechPacket, wallMs: number): void {
    const { bytes, from, to } = packet
    const packetBytes = rtpHeaderBytes + to - from
    const length = recordBytes + packetBytes
    if (length > roomBytes) return
    if (this.#filled + length > roomBytes) this.flush()
    const at = this.#filled
    this.#bytes.writeUInt16BE(length, at)
    this.#bytes.writeUInt16BE(packetBytes, at + 2)
    this.#bytes.writeUInt32BE(Math.max(0, Math.round(wallMs - this.#startedAtMs)) >>> 0, at + 4)
    writeRtpHeader(this.#bytes, at + recordBytes, packet)
    this.#bytes.set(bytes.subarray(from, to), at + recordBytes + rtpHeaderBytes)
    this.#filled += length
  }

  /** Forget the packets that are not written yet; those that are stay. */
  clear(): void {
    if (this.#position === 0) this.#filled = this.#headBytes
  }

  flush(): void {
    if (this.#filled === 0) return
    const block = this.#block
    const bytes = this.#bytes.subarray(0, this.#filled)
    this.#file.write(bytes, this.#position, () => this.#blocks.giveBack(block))
    this.#position += this.#filled
    this.#filled = 0
    this.#block = this.#blocks.take()
    this.#bytes = Buffer.from(this.#block.buffer)
  }

  async close(): Promise<void> {
    this.flush()
    this.#blocks.giveBack(this.#block)
    await this.#file.close()
  }
}
