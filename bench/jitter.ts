/**
 * What it costs to hear one party: microseconds of CPU for each 20 ms, one packet in and one frame out.
 *
 *   npm run bench -- jitter --frames 20000
 */
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import type { Codec } from '../src/codec/codec.ts'
import { codecs } from '../src/codec/codecs.ts'
import { VoiceDecoder } from '../src/media/worker/voice/voice-decoder.ts'
import { emptyRtpPacket } from '../src/rtp/packet.ts'

const { values } = parseArgs({ options: { frames: { type: 'string', default: '20000' } } })
const frames = Number(values.frames)

/** How packets come: late by a random time, lost by chance, from a sender whose clock is off. */
interface Network {
  readonly name: string
  readonly jitterMs: number
  readonly loss: number
  readonly ppm: number
}

const networks: readonly Network[] = [
  { name: 'clean', jitterMs: 0, loss: 0, ppm: 0 },
  { name: '30 ms of jitter', jitterMs: 30, loss: 0, ppm: 0 },
  { name: 'clock 100 ppm off', jitterMs: 0, loss: 0, ppm: 100 },
  { name: '5 % lost', jitterMs: 0, loss: 0.05, ppm: 0 },
]

/** A second of harmonics, encoded in packets of 20 ms. */
function payloads(codec: Codec): readonly Uint8Array[] {
  const rate = codec.sampleRateHz
  const count = rate / 50
  const encoder = codec.createEncoder()
  const sound = Int16Array.from({ length: rate }, (_, i) => {
    let sum = 0
    for (let k = 1; k < 16; k++) sum += Math.sin((2 * Math.PI * 140 * k * i) / rate + k * k) / k
    return 6000 * sum
  })
  return Array.from({ length: 50 }, (_, index) => {
    const payload = new Uint8Array(codec.payloadBytes(count))
    return payload.slice(0, encoder.encode(sound, index * count, count, payload, 0))
  })
}

function run(codec: Codec, { jitterMs, loss, ppm }: Network): { us: number; voice: VoiceDecoder } {
  const voice = new VoiceDecoder(codec, { minMs: 40, maxMs: 200 })
  const sent = payloads(codec)
  const packet = emptyRtpPacket()
  let us = 0
  for (let index = 0; index < frames; ) {
    // A tenth to warm up
    const from = index > frames / 10 ? process.cpuUsage() : undefined
    for (let i = 0; i < 50; i++, index++) {
      packet.bytes = sent[i] ?? packet.bytes
      packet.payloadEnd = packet.bytes.length
      packet.sequence = index & 0xffff
      packet.timestamp = (index * codec.clockRateHz) / 50
      const atMs = index * 20 * (1 + ppm / 1e6)
      if (Math.random() >= loss) voice.put(packet, 'sound', atMs + jitterMs * Math.random())
      voice.read(atMs + 19)
    }
    if (!from) continue
    const { user, system } = process.cpuUsage(from)
    us += user + system
  }
  return { us: us / (0.9 * frames), voice }
}

console.log(`${cpus()[0]?.model}, Node ${process.version}, ${frames} frames of 20 ms each\n`)
console.log('what                                         µs a frame')
for (const codec of codecs.filter(({ encoding }) => encoding !== 'L16')) {
  for (const network of networks) {
    const { us, voice } = run(codec, network)
    console.log(`${`${codec.encoding} ${codec.sampleRateHz}, ${network.name}`.padEnd(44)}${us.toFixed(2).padStart(8)}`)
    voice.close()
  }
}
