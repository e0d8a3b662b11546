/**
 * The SIP messages of recent calls, for a person who asks what happened: kept in memory, bounded, without secrets.
 *
 *   stack ── observe ─▶  here  ── messages(Call-IDs) ─▶  call/, siprec/
 *
 * Strangers must not push out real calls: until a Call-ID has got an answer below 300 it shares a small part of the room
 * with all others like it. Room is freed where nothing was heard for longest.
 */
import type { Clock } from '../core/clock.ts'
import { endpointText } from '../core/ip.ts'
import type { Flow } from './stack.types.ts'

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
  /** Characters of all messages together. */
  readonly chars: number
  /** The part of `chars` for Call-IDs nobody has answered below 300. */
  readonly strangerChars: number
}

/** About 20,000 messages: the calls of the last minutes on a busy day. */
const defaultLimits: TraceLimits = { messagesPerCall: 200, chars: 32 << 20, strangerChars: 2 << 20 }

interface Kept {
  readonly messages: Seen[]
  chars: number
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

  shrinkTo(chars: number): void {
    for (const callId of this.calls.keys()) {
      if (this.chars <= chars) return
      this.take(callId)
    }
  }
}

export class SipTrace {
  readonly #clock: Clock
  readonly #limits: TraceLimits
  readonly #answered = new Shelf()
  readonly #strangers = new Shelf()
  #seen = 0

  constructor(clock: Clock, limits: Partial<TraceLimits> = {}) {
    this.#clock = clock
    this.#limits = { ...defaultLimits, ...limits }
  }

  /** Fits `MessageObserver` of the stack. */
  readonly observe = (direction: 'in' | 'out', flow: Flow, text: string, sipCallId: string): void => {
    const { answered: callIsAnswered, kept } = this.#takeKept(sipCallId)
    const message = this.#describe(direction, flow, text, sipCallId)
    kept.messages.push({ message, place: this.#seen++ })
    kept.chars += message.text.length
    const { messagesPerCall, chars, strangerChars } = this.#limits
    if (kept.messages.length > messagesPerCall) {
      const [dropped] = kept.messages.splice(messagesPerCall >> 1, 1)
      kept.chars -= dropped?.message.text.length ?? 0
    }
    const isAnswered = callIsAnswered || (/^SIP\/2\.0 [12]/.test(text) && (direction === 'out' || asked(kept)))
    const shelf = isAnswered ? this.#answered : this.#strangers
    shelf.put(sipCallId, kept)
    this.#strangers.shrinkTo(strangerChars)
    this.#answered.shrinkTo(chars - strangerChars)
  }

  /** The messages of these Call-IDs in the order they crossed the wire. */
  messages(sipCallIds: readonly string[]): readonly TracedSipMessage[] {
    return Array.from(new Set(sipCallIds))
      .flatMap((id) => (this.#answered.calls.get(id) ?? this.#strangers.calls.get(id))?.messages ?? [])
      .sort((a, b) => a.place - b.place)
      .map(({ message }) => message)
  }

  #takeKept(sipCallId: string): { answered: boolean; kept: Kept } {
    const known = this.#answered.take(sipCallId)
    if (known) return { answered: true, kept: known }
    return { answered: false, kept: this.#strangers.take(sipCallId) ?? { messages: [], chars: 0 } }
  }

  #describe(direction: 'in' | 'out', flow: Flow, text: string, sipCallId: string): TracedSipMessage {
    const clean = withoutSecrets(text)
    const { local, remote } = flow
    return {
      atMs: this.#clock.wallMs(),
      direction,
      transport: flow.transport,
      local: endpointText(local.ip, local.port),
      remote: endpointText(remote.ip, remote.port),
      sipCallId,
      summary: clean.slice(0, clean.search(/[\r\n]|$/)),
      text: clean,
    }
  }
}

const credentials = /^((?:proxy-)?authorization[ \t]*:[ \t]*\w*)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*/gim
const cryptoKeys = /^(a=crypto:\d+ \S+ ).*$/gm
const sdpKeys = /^(k=\w+:).*$/gm
const uriPasswords = /(\bsips?:[^\s@:;<>]+):[^\s@<>]*@/gi

/** The message without digest answers, SDES keys (RFC 4568), SDP keys (RFC 4566 §5.12) and passwords in URIs. */
export function withoutSecrets(text: string): string {
  return text
    .replaceAll(credentials, '$1 (removed)')
    .replaceAll(cryptoKeys, '$1(removed)')
    .replaceAll(sdpKeys, '$1(removed)')
    .replaceAll(uriPasswords, '$1:(removed)@')
}
