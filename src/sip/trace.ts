/**
 * The SIP messages of recent calls, for a person who asks what happened: kept in memory, bounded, without secrets.
 *
 *   stack ── observe ─▶  here  ── messages(Call-IDs) ─▶  call/, siprec/
 *                          └───── told, each at once ──▶  trace/
 *
 * What comes in numbers must not push out calls that live: until a Call-ID has got an answer below 300 it shares a small
 * part of the room with all others like it, and so do registrations and calls that are over and written down. Room is
 * freed where nothing was heard for longest; what a live call loses is counted.
 */
import type { Clock } from '../core/clock.ts'
import { endpointText, isWildcardIp, readEndpoint } from '../core/ip.ts'
import { detached } from './message/scan.ts'
import type { Flow } from './stack.types.ts'
import { withoutDigits, withoutSecrets, withoutWords } from './without-secrets.ts'

/** One SIP message as it crossed the wire, credentials removed; the shape of `TracedMessage` in events/. */
export interface TracedSipMessage {
  readonly atMs: number
  readonly direction: 'in' | 'out'
  readonly transport: string
  readonly local: string
  readonly remote: string
  readonly sipCallId: string
  readonly summary: string
  readonly text: string
}

export interface TraceLimits {
  /** Messages of one Call-ID; beyond, its beginning and its latest are kept. */
  readonly messagesPerCall: number
  /** Characters of all messages of calls that live. */
  readonly callChars: number
  /** Characters of registrations and the like, and of calls that are over. */
  readonly otherChars: number
  /** Characters of Call-IDs nobody has answered below 300. */
  readonly strangerChars: number
}

/** Some 16,000 messages of 1,000 to 2,000 live calls, and the last minutes of the rest. */
const defaultLimits: TraceLimits = {
  messagesPerCall: 200,
  callChars: 24 << 20,
  otherChars: 6 << 20,
  strangerChars: 2 << 20,
}

export interface TraceOptions {
  readonly limits?: Partial<TraceLimits>
  /** Our address towards that peer, for sockets bound to all of them. */
  readonly localIp?: (remoteIp: string) => string
  /** Keep what people write to each other (MESSAGE). */
  readonly keepWords?: boolean
  /** Whether digits that a party tells by INFO are not kept now. */
  readonly hidesDigits?: (sipCallId: string) => boolean
  /** Hears of each message as it is kept. */
  readonly told?: (message: TracedSipMessage) => void
}

export interface RecentQuery {
  readonly sipCallId?: string | undefined
  /** The peer's. */
  readonly address?: string | undefined
  /** Part of the text. */
  readonly search?: string | undefined
  readonly limit: number
}

interface Kept {
  readonly sipCallId: string
  readonly messages: Seen[]
  chars: number
  /** Holds an INVITE. */
  isCall: boolean
}

interface Seen {
  readonly message: TracedSipMessage
  /** Counts over all calls: what one message caused on another leg often falls into the same millisecond. */
  readonly place: number
}

/** We sent a request: an answer that nobody asked for is a stranger's too. */
const asked = ({ messages }: Kept): boolean =>
  messages.some(({ message: { direction, summary } }) => direction === 'out' && !summary.startsWith('SIP/2.0'))

/** Call-IDs in the order they were last heard of, and the characters they take together. */
class Shelf {
  readonly calls = new Map<string, Kept>()
  chars = 0

  put(callId: string, kept: Kept): void {
    this.calls.set(callId, kept)
    this.chars += kept.chars
  }

  take(callId: string): Kept | undefined {
    const kept = this.calls.get(callId)
    if (!kept) return undefined
    this.calls.delete(callId)
    this.chars -= kept.chars
    return kept
  }

  /** @returns How many messages that cost. */
  shrinkTo(chars: number): number {
    // Asked for each message: to step over what was taken from the map before takes time.
    if (this.chars <= chars) return 0
    let dropped = 0
    for (const callId of this.calls.keys()) {
      if (this.chars <= chars) break
      dropped += this.take(callId)?.messages.length ?? 0
    }
    return dropped
  }
}

export class SipTrace {
  /** Messages of live calls that had no room, ever rising. */
  readonly lost = { ofLongCalls: 0, ofAllCalls: 0 }
  readonly #clock: Clock
  readonly #limits: TraceLimits
  readonly #options: TraceOptions
  readonly #calls = new Shelf()
  readonly #others = new Shelf()
  readonly #strangers = new Shelf()
  #seen = 0

  constructor(clock: Clock, options: TraceOptions = {}) {
    this.#clock = clock
    this.#options = options
    this.#limits = { ...defaultLimits, ...options.limits }
  }

  /** Fits `MessageObserver` of the stack. */
  readonly observe = (direction: 'in' | 'out', flow: Flow, text: string, sipCallId: string): void => {
    const { shelf, kept } = this.#takeKept(sipCallId)
    const message = this.#describe(direction, flow, text, kept.sipCallId)
    kept.messages.push({ message, place: this.#seen++ })
    kept.chars += message.text.length
    kept.isCall ||= text.startsWith('INVITE ')
    const { messagesPerCall, callChars, otherChars, strangerChars } = this.#limits
    if (kept.messages.length > messagesPerCall) {
      const [dropped] = kept.messages.splice(messagesPerCall >> 1, 1)
      kept.chars -= dropped?.message.text.length ?? 0
      if (shelf === this.#calls) this.lost.ofLongCalls++
    }
    const answered = shelf !== this.#strangers || (/^SIP\/2\.0 [12]/.test(text) && (direction === 'out' || asked(kept)))
    const home = answered ? (shelf === this.#others || !kept.isCall ? this.#others : this.#calls) : this.#strangers
    home.put(kept.sipCallId, kept)
    this.#strangers.shrinkTo(strangerChars)
    this.#others.shrinkTo(otherChars)
    this.lost.ofAllCalls += this.#calls.shrinkTo(callChars)
    this.#options.told?.(message)
  }

  /** These calls are over and their messages written down: their room goes to who lives. */
  release(sipCallIds: Iterable<string>): void {
    for (const callId of sipCallIds) {
      const kept = this.#calls.take(callId)
      if (kept) this.#others.put(callId, kept)
    }
    this.#others.shrinkTo(this.#limits.otherChars)
  }

  /** Call-IDs with a message in which one of the texts stands are kept no more; `texts` in lower case. */
  forget(texts: readonly string[]): void {
    for (const shelf of this.#shelves)
      for (const [callId, { messages }] of shelf.calls) {
        const named = messages.some(({ message }) => texts.some((text) => message.text.toLowerCase().includes(text)))
        if (named) shelf.take(callId)
      }
  }

  /** The messages of these Call-IDs in the order they crossed the wire. */
  messages(sipCallIds: readonly string[]): readonly TracedSipMessage[] {
    return Array.from(new Set(sipCallIds))
      .flatMap((id) => this.#shelves.map((shelf) => shelf.calls.get(id)).find((kept) => kept)?.messages ?? [])
      .sort((a, b) => a.place - b.place)
      .map(({ message }) => message)
  }

  /** The latest messages of all Call-IDs that fit what is given, in order. */
  recent({ sipCallId, address, search, limit }: RecentQuery): readonly TracedSipMessage[] {
    const fits = ({ message }: Seen): boolean =>
      (address === undefined || readEndpoint(message.remote).ip === address) &&
      (search === undefined || message.text.includes(search))
    return this.#shelves
      .flatMap(({ calls }) => (sipCallId === undefined ? Array.from(calls.values()) : (calls.get(sipCallId) ?? [])))
      .flatMap(({ messages }) => messages.filter(fits))
      .sort((a, b) => a.place - b.place)
      .slice(-limit)
      .map(({ message }) => message)
  }

  get #shelves(): readonly Shelf[] {
    return [this.#calls, this.#others, this.#strangers]
  }

  #takeKept(sipCallId: string): { readonly shelf: Shelf; readonly kept: Kept } {
    for (const shelf of this.#shelves) {
      const kept = shelf.take(sipCallId)
      if (kept) return { shelf, kept }
    }
    return { shelf: this.#strangers, kept: { sipCallId: detached(sipCallId), messages: [], chars: 0, isCall: false } }
  }

  #describe(direction: 'in' | 'out', flow: Flow, text: string, sipCallId: string): TracedSipMessage {
    const { localIp, keepWords, hidesDigits } = this.#options
    const told = hidesDigits && text.startsWith('INFO ') && hidesDigits(sipCallId) ? withoutDigits(text) : text
    const clean = withoutSecrets(keepWords ? told : withoutWords(told))
    const { local, remote } = flow
    const ip = localIp && isWildcardIp(local.ip) ? localIp(remote.ip) : local.ip
    return {
      atMs: this.#clock.wallMs(),
      direction,
      transport: flow.transport,
      local: endpointText(ip, local.port),
      remote: endpointText(remote.ip, remote.port),
      sipCallId,
      summary: clean.slice(0, clean.search(/[\r\n]|$/)),
      text: clean,
    }
  }
}
