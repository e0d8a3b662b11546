/**
 * A thousand bad networks, each from a seed: the jitter buffer beside a slow model of it that knows no slots, no wrapping
 * numbers and no memory of its own, and sees each packet as its sender numbered it.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { emptyRtpPacket } from '../packet.ts'
import { type Carries, JitterBuffer } from './jitter-buffer.ts'

const patterns = 1000
const tickMs = 20
const pulledTicks = 160
const heldTicks = 80
const startAfterMs = 60

/** As its sender sees it: numbers that never wrap. */
interface Sent {
  readonly stream: number
  readonly index: number
  readonly time: number
  readonly carries: Carries
}

interface Arrival extends Sent {
  readonly atMs: number
}

/** Mulberry32: numbers from 0 to 1. */
function chance(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t ^= t + Math.imul(t ^ (t >>> 7), 61 | t)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

/** What is played, told as text, and what was thrown away. */
interface Heard {
  readonly lines: string[]
  late: number
  duplicate: number
  reordered: number
  lost: number
}

/** The slow model: sets, sorting and searching. */
class Model {
  readonly heard: Heard = { lines: [], late: 0, duplicate: 0, reordered: 0, lost: 0 }
  #stream = -1
  #kept: Sent[] = []
  #done = new Set<number>()
  #playing = false
  #head = 0
  #headTime = 0
  #held = 0
  readonly #packetTicks: number

  constructor(packetTicks: number) {
    this.#packetTicks = packetTicks
  }

  put(sent: Sent): void {
    const isAnother = sent.stream !== this.#stream
    if (sent.carries === 'other' && (isAnother || sent.index < this.#head)) return
    if (isAnother) {
      this.#stream = sent.stream
      this.#kept = []
      this.#done = new Set()
      this.#playing = false
      this.#head = sent.index
      this.#headTime = sent.time
      this.#held = 0
    }
    if (this.#kept.some(({ index }) => index === sent.index) || this.#done.has(sent.index)) {
      this.heard.duplicate++
      return
    }
    if (sent.index < this.#head && this.#playing) {
      this.heard.late++
      return
    }
    if (sent.index < this.#head) {
      this.#head = sent.index
      this.#headTime = sent.time
    }
    if ([...this.#done, ...this.#kept.map(({ index }) => index)].some((index) => index > sent.index))
      this.heard.reordered++
    this.#kept.push(sent)
    this.#kept.sort((a, b) => a.index - b.index)
  }

  start(): void {
    this.#playing = true
  }

  /** One step; the ticks of sound it made. */
  step(): number {
    this.#skipOthers()
    const next = this.#kept.find(({ carries }) => carries === 'sound')
    if (!next) {
      this.#held += heldTicks
      return heldTicks
    }
    const made = Math.max(0, Math.min(this.#held, next.time - this.#headTime))
    this.#held -= made
    this.#headTime += made
    const gap = next.time - this.#headTime
    if (next.index === this.#head && gap > 0) return this.#move('gap', gap, false)
    if (next.index === this.#head) {
      this.#headTime = next.time
      this.#held = 0
      this.#done.add(next.index)
      this.#kept.shift()
      return this.#move(`${next.index}`, this.#packetTicks, true)
    }
    const others = this.#kept.filter(({ index }) => index < next.index).length
    const missing = next.index - this.#head - others
    this.heard.lost++
    if (gap > 0) this.#held = 0
    return gap > 0 ? this.#move('lost', Math.min(this.#packetTicks, Math.ceil(gap / missing)), true) : this.#forget()
  }

  #forget(): number {
    this.#head++
    return 0
  }

  #move(what: string, ticks: number, isPacket: boolean): number {
    this.heard.lines.push(`${what} ${ticks}`)
    this.#headTime += ticks
    if (isPacket) this.#head++
    return ticks
  }

  #skipOthers(): void {
    while (this.#kept[0]?.index === this.#head && this.#kept[0].carries === 'other') {
      this.#done.add(this.#head++)
      this.#kept.shift()
    }
  }
}

/** The buffer, driven the same way. */
class Tried {
  readonly heard: Heard
  readonly buffer = new JitterBuffer({ clockRateHz: 8000, minMs: 20, maxMs: 1000 })
  readonly #packetTicks: number
  readonly #lines: string[] = []

  constructor(packetTicks: number) {
    this.#packetTicks = packetTicks
    const { counts } = this.buffer
    this.heard = Object.assign(counts, { lines: this.#lines })
  }

  step(): number {
    const { buffer } = this
    const next = buffer.next()
    if (next === 'none') {
      buffer.hold(heldTicks)
      return heldTicks
    }
    const ticks = next === 'packet' ? this.#packetTicks : buffer.ticks
    const { bytes, payloadStart: at } = buffer
    this.#lines.push(`${next === 'packet' ? ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0) : next} ${ticks}`)
    buffer.advance(ticks)
    return ticks
  }
}

/** Packets of two or three streams as they arrive at the end of a network, in its order. */
function arrivals(random: () => number, packetMs: number): Arrival[] {
  const loss = random() < 0.3 ? 0 : random() * 0.4
  const burst = random() < 0.5 ? 1 : 1 + random() * 10
  const jitterMs = random() < 0.3 ? 0 : random() * 200
  const repeated = random() < 0.5 ? 0 : random() * 0.2
  const pauses = random() < 0.5 ? 0 : 0.05
  const events = random() < 0.5 ? 0 : 0.03
  const streams = random() < 0.7 ? 1 : 3
  const come: Arrival[] = []
  let beginsMs = 0
  for (let stream = 0; stream < streams; stream++) {
    let time = 0
    let burstLeft = 0
    let eventLeft = 0
    const count = 40 + Math.floor(random() * 80)
    for (let index = 0; index < count; index++) {
      if (eventLeft === 0 && random() < events) eventLeft = 1 + Math.floor(random() * 8)
      const carries = eventLeft > 0 ? 'other' : 'sound'
      if (eventLeft > 0) eventLeft--
      else if (random() < pauses) time += Math.floor(random() * 3000)
      const atMs = beginsMs + time / 8
      if (burstLeft === 0 && random() < loss / burst) burstLeft = Math.ceil(random() * 2 * burst)
      if (burstLeft > 0) burstLeft--
      else come.push({ stream, index, time, carries, atMs: atMs + random() * jitterMs })
      if (random() < repeated) come.push({ stream, index, time, carries, atMs: atMs + random() * jitterMs })
      time += packetMs * 8
    }
    // A stream begins when the one before is over: what of that came later would begin it anew
    beginsMs += time / 8 + 300
  }
  return come.sort((a, b) => a.atMs - b.atMs)
}

test('a thousand patterns of loss, bursts, jitter, repeats, pauses, digits and new streams play as in a slow model', () => {
  let played = 0
  for (let seed = 1; seed <= patterns; seed++) {
    const random = chance(seed)
    const packetMs = [10, 20, 30, 40, 60][seed % 5] ?? 20
    const model = new Model(packetMs * 8)
    const tried = new Tried(packetMs * 8)
    const packet = emptyRtpPacket()
    packet.bytes = new Uint8Array(packetMs * 8)
    packet.payloadEnd = packet.bytes.length
    const firstSequence = random() < 0.5 ? 65_530 : Math.floor(random() * 65_536)
    const firstTimestamp = random() < 0.5 ? 2 ** 32 - 3000 : Math.floor(random() * 2 ** 32)
    const come = arrivals(random, packetMs)
    let startedAtMs = 0
    let stream = -1
    let owed = 0
    let next = 0
    const endMs = (come.at(-1)?.atMs ?? 0) + 1000
    for (let nowMs = 0; nowMs < endMs; nowMs += tickMs) {
      for (let sent = come[next]; sent && sent.atMs <= nowMs; sent = come[++next]) {
        if (sent.stream !== stream && sent.carries === 'sound') {
          startedAtMs = sent.atMs
          stream = sent.stream
          owed = 0
        }
        packet.ssrc = 1000 + sent.stream
        packet.sequence = (firstSequence + sent.index) & 0xffff
        packet.timestamp = (firstTimestamp + sent.time) >>> 0
        packet.bytes[0] = sent.index >> 8
        packet.bytes[1] = sent.index
        tried.buffer.put(packet, sent.carries, sent.atMs)
        model.put(sent)
      }
      if (stream === -1 || nowMs - startedAtMs < startAfterMs) continue
      tried.buffer.start()
      model.start()
      const before = owed
      for (owed += pulledTicks; owed > 0; ) owed -= model.step()
      let triedOwed = before + pulledTicks
      while (triedOwed > 0) triedOwed -= tried.step()
      assert.equal(triedOwed, owed, `pattern ${seed}, at ${nowMs} ms: ${tried.heard.lines.slice(-3).join(', ')}`)
    }
    const { lines, late, duplicate, reordered, lost } = tried.heard
    assert.deepEqual({ lines, late, duplicate, reordered, lost }, model.heard, `pattern ${seed}`)
    assert.equal(tried.buffer.counts.overflowed + tried.buffer.counts.stray, 0, `pattern ${seed}`)
    played += lines.filter((line) => /^\d/.test(line)).length
  }
  assert.ok(played > 50_000, `${played}`)
})
