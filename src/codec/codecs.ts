/**
 * The table of codecs: by the name, clock and channels of an SDP rtpmap, what decodes and encodes it.
 *
 * To add one: a file with its encoder and decoder, its name in `SoundEncoding` (codec.ts), a maker here.
 * All are mono here, as telephones speak; stereo that comes in Opus is mixed by its decoder.
 */
import type { Codec, Decoder, Encoder, SoundEncoding } from './codec.ts'
import { Concealer } from './conceal.ts'
import { decodeG711Into, encodeG711Into, type G711Law } from './g711.ts'
import { G722Decoder, G722Encoder } from './g722.ts'
import { decodeL16Into, encodeL16Into } from './l16.ts'
import { type OpusRateHz, opus } from './opus.ts'

/** The shape of codecs whose payload is so long as it has samples, whatever is in it. */
interface Proportional {
  readonly encoding: SoundEncoding
  readonly clockRateHz: number
  readonly sampleRateHz: number
  /** Whole samples of `bytesTogether` bytes each time. */
  readonly samplesTogether: number
  readonly bytesTogether: number
  readonly decode: () => (bytes: Uint8Array, from: number, count: number, samples: Int16Array, to: number) => void
  readonly encode: () => (samples: Int16Array, from: number, count: number, bytes: Uint8Array, to: number) => void
}

/** Adds bounds and loss concealment to a bare decoder. */
class ProportionalDecoder implements Decoder {
  readonly #form: Proportional
  readonly #decode: ReturnType<Proportional['decode']>
  readonly #concealer: Concealer

  constructor(form: Proportional) {
    this.#form = form
    this.#decode = form.decode()
    this.#concealer = new Concealer(form.sampleRateHz)
  }

  decode(bytes: Uint8Array, fromByte: number, byteCount: number, samples: Int16Array, toSample: number): number {
    const { samplesTogether, bytesTogether } = this.#form
    const count = (byteCount / bytesTogether) * samplesTogether
    if (byteCount % bytesTogether || fromByte + byteCount > bytes.length || toSample + count > samples.length) return 0
    this.#decode(bytes, fromByte, byteCount, samples, toSample)
    this.#concealer.received(samples, toSample, count)
    return count
  }

  conceal(samples: Int16Array, toSample: number, count: number): void {
    this.#concealer.conceal(samples, toSample, count)
  }

  recover(): number {
    return 0
  }

  close(): void {}
}

class ProportionalEncoder implements Encoder {
  readonly #form: Proportional
  readonly #encode: ReturnType<Proportional['encode']>

  constructor(form: Proportional) {
    this.#form = form
    this.#encode = form.encode()
  }

  encode(samples: Int16Array, fromSample: number, count: number, bytes: Uint8Array, toByte: number): number {
    const { samplesTogether, bytesTogether } = this.#form
    const byteCount = (count / samplesTogether) * bytesTogether
    if (count % samplesTogether || fromSample + count > samples.length || toByte + byteCount > bytes.length) return 0
    this.#encode(samples, fromSample, count, bytes, toByte)
    return byteCount
  }

  close(): void {}
}

const proportional = (form: Proportional): Codec => ({
  encoding: form.encoding,
  clockRateHz: form.clockRateHz,
  sampleRateHz: form.sampleRateHz,
  channels: 1,
  samplesTogether: form.samplesTogether,
  payloadBytes: (samples) => Math.ceil(samples / form.samplesTogether) * form.bytesTogether,
  ticksOf: (_bytes, _from, count) => {
    const samples = count % form.bytesTogether ? 0 : (count / form.bytesTogether) * form.samplesTogether
    return (samples * form.clockRateHz) / form.sampleRateHz
  },
  createDecoder: () => new ProportionalDecoder(form),
  createEncoder: () => new ProportionalEncoder(form),
})

const g711 = (law: G711Law): Codec =>
  proportional({
    encoding: law,
    clockRateHz: 8000,
    sampleRateHz: 8000,
    samplesTogether: 1,
    bytesTogether: 1,
    decode: () => (bytes, from, count, samples, to) => decodeG711Into(law, bytes, from, count, samples, to),
    encode: () => (samples, from, count, bytes, to) => encodeG711Into(law, samples, from, count, bytes, to),
  })

const g722 = proportional({
  encoding: 'G722',
  clockRateHz: 8000,
  sampleRateHz: 16_000,
  samplesTogether: 2,
  bytesTogether: 1,
  decode: () => {
    const decoder = new G722Decoder()
    return (bytes, from, count, samples, to) => decoder.decode(bytes, from, count, samples, to)
  },
  encode: () => {
    const encoder = new G722Encoder()
    return (samples, from, count, bytes, to) => encoder.encode(samples, from, count, bytes, to)
  },
})

const l16 = (sampleRateHz: number): Codec =>
  proportional({
    encoding: 'L16',
    clockRateHz: sampleRateHz,
    sampleRateHz,
    samplesTogether: 1,
    bytesTogether: 2,
    decode: () => (bytes, from, count, samples, to) => decodeL16Into(bytes, from, count, samples, to),
    encode: () => encodeL16Into,
  })

/** L16 may have any rate; these are the ones that the resampler is measured at. */
const l16RatesHz = [8000, 16_000, 24_000, 32_000, 44_100, 48_000]

/** Opus at each of its rates. The first is what it is found as. */
const opusRatesHz: readonly OpusRateHz[] = [48_000, 24_000, 16_000, 12_000, 8000]
const opusCodecs = opusRatesHz.map((rate) => opus(rate))

/** Every codec there is, each once. */
export const codecs: readonly Codec[] = [
  g711('PCMU'),
  g711('PCMA'),
  g722,
  ...l16RatesHz.map(l16),
  ...opusCodecs.slice(0, 1),
]

/**
 * The codec of an rtpmap, undefined when it cannot be decoded here.
 *
 * @param encoding In any case (RFC 4855 §3).
 * @param channels 1 where the rtpmap says nothing; 2 for Opus whatever it carries (RFC 7587 §7).
 */
export function findCodec(encoding: string, clockRateHz: number, channels = 1): Codec | undefined {
  const name = encoding.toUpperCase()
  return codecs.find(
    (codec) =>
      codec.encoding.toUpperCase() === name &&
      codec.clockRateHz === clockRateHz &&
      channels === (codec.encoding === 'opus' ? 2 : 1),
  )
}

/**
 * The same codec for sound of this rate: Opus at the lowest of its rates that holds it, which spares a resampler and
 * much of the work; any other one as it is.
 */
export const codecFor = (codec: Codec, sampleRateHz: number): Codec =>
  codec.encoding === 'opus' ? (opusCodecs.findLast((each) => each.sampleRateHz >= sampleRateHz) ?? codec) : codec
