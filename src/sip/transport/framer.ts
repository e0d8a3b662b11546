/**
 * Cuts a byte stream into SIP messages (RFC 3261 §18.3) and keep-alive pings (RFC 5626 §4.4.1); tells them apart where
 * they come whole (RFC 7118 §5).
 *
 *   connection ── chunks cut anywhere ──▶  here  ──▶  whole messages, pings, or what is wrong
 *
 * A chunk that holds whole messages is not copied. What is unfinished waits in one buffer that doubles, so that a
 * sender of single bytes costs no more than one that sends all at once.
 */
import { contentLength, findHeadEnd, limits } from '../message/frame.ts'

const LF = 0x0a
const CR = 0x0d

export type FramingProblem = 'too-large' | 'content-length'

export interface FramerUser {
  /** A whole message; the bytes are the user's to keep. */
  message(bytes: Buffer): void
  /** CRLF CRLF between messages: answer with CRLF. */
  ping(): void
  /** Where the next message begins is lost. `head` is what was read, when it is a whole head. */
  failed(problem: FramingProblem, head?: Buffer): void
}

/** Takes what a connection brings. */
export interface Cutter {
  /** True while a message has begun and not ended. */
  readonly unfinished: boolean
  push(chunk: Buffer): void
}

/** TCP and TLS: messages one after the other, by their Content-Length. */
export const inStream = (user: FramerUser): Cutter => new Framer(user)

/** WebSocket: each chunk is one message; Content-Length may be missing (RFC 7118 §5). */
export const wholeMessages = (user: FramerUser): Cutter => ({
  unfinished: false,
  push(chunk) {
    if (chunk.some((byte) => byte !== CR && byte !== LF)) user.message(chunk)
    else if (chunk.length >= 4) user.ping()
  },
})

const firstCapacityBytes = 2_048

export class Framer implements Cutter {
  readonly #user: FramerUser
  #store: Buffer = Buffer.alloc(0)
  #stored = 0
  /** Where the search for the end of the head goes on. */
  #scanFrom = 0
  /** End of the message whose head is complete, counted from its start; 0 while the head is not. */
  #messageEnd = 0
  /** Line ends seen since the last message: four make a ping. */
  #lineEnds = 0
  #failed = false

  constructor(user: FramerUser) {
    this.#user = user
  }

  /** True while a message has begun and not ended. */
  get unfinished(): boolean {
    return this.#stored > 0
  }

  push(chunk: Buffer): void {
    if (this.#failed) return
    let rest = chunk
    if (this.#stored > 0) {
      this.#keep(chunk)
      rest = this.#store.subarray(0, this.#stored)
    }
    const used = this.#cut(rest)
    if (this.#failed) return
    const left = rest.subarray(used)
    if (this.#stored > 0 && used === 0) return
    // Messages handed out are views of the old buffer: what is left moves to a new one.
    this.#store = Buffer.alloc(0)
    this.#stored = 0
    if (left.length > 0) this.#keep(left)
  }

  /** Hand out what is whole at the start of `bytes`; returns how many bytes that was. */
  #cut(bytes: Buffer): number {
    let at = 0
    for (;;) {
      if (this.#messageEnd === 0 && this.#scanFrom === 0) at = this.#skipLineEnds(bytes, at)
      if (at >= bytes.length) return at
      const length = this.#lengthOf(bytes.subarray(at))
      if (length === undefined) return at
      this.#messageEnd = 0
      this.#scanFrom = 0
      this.#user.message(bytes.subarray(at, at + length))
      at += length
    }
  }

  /** Length of the message at the start of `bytes` once it is whole. */
  #lengthOf(bytes: Buffer): number | undefined {
    if (this.#messageEnd === 0) {
      const headEnd = findHeadEnd(bytes, this.#scanFrom)
      if (headEnd < 0) {
        this.#scanFrom = Math.max(0, bytes.length - 3)
        if (bytes.length > limits.messageBytes) this.#fail('too-large')
        return undefined
      }
      const head = bytes.subarray(0, headEnd)
      const length = contentLength(head)
      if (typeof length === 'string') return this.#fail('content-length', head)
      if (headEnd + length > limits.messageBytes) return this.#fail('too-large', head)
      this.#messageEnd = headEnd + length
    }
    return bytes.length >= this.#messageEnd ? this.#messageEnd : undefined
  }

  #skipLineEnds(bytes: Buffer, from: number): number {
    let at = from
    for (; bytes[at] === CR || bytes[at] === LF; at++) {
      if (++this.#lineEnds < 4) continue
      this.#lineEnds = 0
      this.#user.ping()
    }
    if (at < bytes.length) this.#lineEnds = 0
    return at
  }

  #fail(problem: FramingProblem, head?: Buffer): undefined {
    this.#failed = true
    this.#store = Buffer.alloc(0)
    this.#stored = 0
    this.#user.failed(problem, head)
  }

  #keep(bytes: Buffer): void {
    const needed = this.#stored + bytes.length
    if (needed > this.#store.length) {
      const grown = Buffer.allocUnsafe(Math.max(firstCapacityBytes, 2 * this.#store.length, needed))
      this.#store.copy(grown, 0, 0, this.#stored)
      this.#store = grown
    }
    bytes.copy(this.#store, this.#stored)
    this.#stored = needed
  }
}
