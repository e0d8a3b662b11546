/**
 * Opus in Ogg files (RFC 7845), mono or stereo, to be read from anywhere.
 *
 *   bytes ── pages ─▶ here ── packets ─▶ OpusDecoder ─▶ samples, at the rate that is wanted
 *
 * On opening all pages are looked at once and remembered by their place in the file and in time. Reading goes on where
 * it was; elsewhere it begins 80 ms early, for the decoder to find its way (§4.6). Of a file with several streams one
 * after the other only the first is read. A packet that cannot be decoded becomes silence of its length.
 * Missing: more than two channels.
 */
import { OpusDecoder, type OpusRateHz } from '../../../codec/opus.ts'
import { opusTicks } from '../../../codec/opus-packet.ts'
import { mostPageBytes, type OggPage, piecesOf, readPage } from './ogg.ts'
import { type ByteSource, type Recorded, SoundError } from './recorded.ts'

/** Granules count at 48 kHz, whatever was encoded (§4). */
const granuleRateHz = 48_000
const prerollTicks = 3840
/** Longest packet: 120 ms. */
const mostPacketSamples = (granuleRateHz * 120) / 1000
/** A day of pages of half a second; each is remembered. */
const mostPages = 200_000
/** Read at once while a file is looked through. */
const windowBytes = 4 * mostPageBytes

interface PlacedPage {
  readonly at: number
  readonly bytes: number
  readonly continued: boolean
  /** Granule of its first sample. */
  readonly from: number
}

/** What the identification header says (§5.1). */
interface Head {
  readonly preSkip: number
  readonly gain: number
}

function readHead(packet: Uint8Array): Head | undefined {
  const view = new DataView(packet.buffer, packet.byteOffset, packet.length)
  if (packet.length < 19 || Buffer.from(packet.subarray(0, 8)).toString('latin1') !== 'OpusHead') return undefined
  const channels = view.getUint8(9)
  const family = view.getUint8(18)
  if (view.getUint8(8) >> 4 !== 0 || family !== 0 || channels < 1 || channels > 2) return undefined
  return { preSkip: view.getUint16(10, true), gain: 10 ** (view.getInt16(16, true) / 256 / 20) }
}

/** @throws {SoundError} `media.sound-broken` when it is no Ogg file with Opus, or damaged. */
export async function openOggOpus(bytes: ByteSource, sampleRateHz: OpusRateHz): Promise<Recorded> {
  let at = 0
  let window = new Uint8Array(0)
  let windowAt = 0
  const nextPage = async (): Promise<{ page: OggPage; from: number } | undefined> => {
    if (at + mostPageBytes > windowAt + window.length) {
      window = Uint8Array.from(await bytes.read(at, windowBytes))
      windowAt = at
    }
    const from = at - windowAt
    const page = readPage(window, from)
    if (!page && from < window.length) throw new SoundError('media.sound-broken')
    return page && { page, from }
  }
  const opening = await nextPage()
  const [first] = opening ? piecesOf(opening.page, window, opening.from) : []
  const head = first && readHead(first.piece)
  if (!opening || !head) throw new SoundError('media.sound-broken')
  const { serial } = opening.page
  at += opening.page.bytes

  const pages: PlacedPage[] = []
  let granule: number | undefined
  let base = 0
  let headersLeft = 1 // the tags, on pages of their own (§5.2)
  for (let next = await nextPage(); next && pages.length < mostPages; next = await nextPage()) {
    const { page } = next
    if (page.serial === serial && headersLeft > 0) {
      for (const { whole } of piecesOf(page, window, next.from)) if (whole) headersLeft--
    } else if (page.serial === serial) {
      if (granule === undefined && page.granule >= 0) {
        // A stream that was cut out of a longer one begins later than 0 (§4.3).
        base = Math.max(0, page.granule - ticksOn(page, window, next.from))
        granule = base
      }
      pages.push({ at, bytes: page.bytes, continued: page.continued, from: granule ?? 0 })
      if (page.granule >= 0) granule = page.granule
    }
    at += page.bytes
    if (page.serial === serial && page.last) break
  }
  const ratio = granuleRateHz / sampleRateHz
  const samples = Math.floor(((granule ?? 0) - base - head.preSkip) / ratio)
  if (pages.length === 0 || samples <= 0) throw new SoundError('media.sound-broken')
  return new OggOpus(bytes, { pages, base, head, samples, sampleRateHz })
}

function ticksOn(page: OggPage, bytes: Uint8Array, from: number): number {
  let ticks = 0
  for (const { piece, whole } of piecesOf(page, bytes, from)) if (whole) ticks += opusTicks(piece, 0, piece.length)
  return ticks
}

interface Index {
  readonly pages: readonly PlacedPage[]
  readonly base: number
  readonly head: Head
  readonly samples: number
  readonly sampleRateHz: OpusRateHz
}

class OggOpus implements Recorded {
  readonly sampleRateHz: number
  readonly samples: number
  readonly #bytes: ByteSource
  readonly #index: Index
  /** Ticks for each of our samples. */
  readonly #ratio: number
  #decoder: OpusDecoder
  #nextPage = 0
  #packets: Uint8Array[] = []
  /** Of a packet that goes on on the next page. */
  #part: Uint8Array | undefined
  readonly #decoded = new Int16Array(mostPacketSamples)
  /** What of it was not read yet. */
  #from = 0
  #end = 0
  /** Of the next sample that is read, counted from the first one to be heard. */
  #position = Number.NaN

  constructor(bytes: ByteSource, index: Index) {
    this.sampleRateHz = index.sampleRateHz
    this.samples = index.samples
    this.#bytes = bytes
    this.#index = index
    this.#ratio = granuleRateHz / index.sampleRateHz
    this.#decoder = new OpusDecoder({ sampleRateHz: index.sampleRateHz, channels: 1 })
  }

  async read(from: number, count: number): Promise<Int16Array> {
    const sound = new Int16Array(Math.max(0, Math.min(count, this.samples - from)))
    if (from !== this.#position) this.#seek(from)
    for (let made = 0; made < sound.length; ) {
      if (this.#from === this.#end && !(await this.#decodeNext())) break
      // What lies before `from` was decoded for the decoder's sake.
      const early = Math.min(this.#end - this.#from, Math.max(0, from - this.#position))
      this.#from += early
      this.#position += early
      const take = Math.min(this.#end - this.#from, sound.length - made)
      sound.set(this.#decoded.subarray(this.#from, this.#from + take), made)
      this.#from += take
      this.#position += take
      made += take
    }
    const { gain } = this.#index.head
    return gain === 1 ? sound : sound.map((sample) => Math.max(-32_768, Math.min(32_767, Math.round(gain * sample))))
  }

  #seek(from: number): void {
    const { pages, base, head } = this.#index
    const wanted = base + head.preSkip + from * this.#ratio - prerollTicks
    let page = Math.max(
      0,
      pages.findLastIndex((each) => each.from <= wanted && !each.continued),
    )
    while (page > 0 && pages[page]?.continued) page--
    this.#decoder.close()
    this.#decoder = new OpusDecoder({ sampleRateHz: this.#index.sampleRateHz, channels: 1 })
    this.#nextPage = page
    this.#packets = []
    this.#part = undefined
    this.#from = this.#end = 0
    this.#position = Math.round(((pages[page]?.from ?? 0) - base - head.preSkip) / this.#ratio)
  }

  async #decodeNext(): Promise<boolean> {
    while (this.#packets.length === 0) if (!(await this.#takePage())) return false
    const packet = this.#packets.shift() ?? new Uint8Array(0)
    const made = this.#decoder.decode(packet, 0, packet.length, this.#decoded, 0)
    const length = opusTicks(packet, 0, packet.length) / this.#ratio
    if (made === 0) this.#decoded.fill(0, 0, length)
    this.#from = 0
    this.#end = made || length
    return true
  }

  async #takePage(): Promise<boolean> {
    const placed = this.#index.pages[this.#nextPage++]
    if (!placed) return false
    const bytes = await this.#bytes.read(placed.at, placed.bytes)
    const page = readPage(bytes, 0)
    if (!page) throw new SoundError('media.sound-broken')
    for (const { piece, whole } of piecesOf(page, bytes, 0)) {
      const packet: Uint8Array = this.#part ? Buffer.concat([this.#part, piece]) : piece
      this.#part = whole ? undefined : packet
      if (whole) this.#packets.push(packet)
    }
    return true
  }

  async close(): Promise<void> {
    this.#decoder.close()
    await this.#bytes.close()
  }
}
