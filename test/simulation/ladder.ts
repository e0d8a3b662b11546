/**
 * What happened in one world: the messages, and what its people did. Also holds the one rule that only the wire can tell:
 * every 2xx to an INVITE is acknowledged, or its dialog is ended by BYE (RFC 3261 §13.2.2.4, §13.3.1.4).
 */
import type { Clock } from '../../src/core/clock.ts'
import type { MessageObserver } from '../../src/sip/stack.types.ts'

interface Line {
  readonly atMs: number
  readonly who: string
  readonly text: string
}

export class Ladder {
  readonly #clock: Clock
  readonly #who: string[] = []
  readonly #lines: Line[] = []
  /** 2xx answers sent or received, by who saw them, Call-ID and CSeq number, until their ACK or a BYE. */
  readonly #open = new Map<string, string>()
  /** Calls whose BYE was seen, by who saw it. */
  readonly #ended = new Set<string>()
  readonly #answered = new Set<string>()
  /** Calls get small numbers in the order they appear. */
  readonly #calls = new Map<string, number>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  note(who: string, text: string): void {
    this.#lines.push({ atMs: this.#clock.now(), who, text })
  }

  /** The observer for the stack of one of them. */
  observer(who: string): MessageObserver {
    this.#who.push(who)
    return (direction, _flow, text, sipCallId) => {
      const [, seq = '', method = ''] = /^CSeq:\s*(\d+)\s+(\w+)/im.exec(text) ?? []
      const first = text.startsWith('SIP/2.0') ? `${text.slice(8, 11)} ${method}` : method
      this.note(who, `${direction === 'out' ? '→' : '←'} ${first} ${seq}  (call ${this.#numberOf(sipCallId)})`)
      this.#follow(who, sipCallId, first, seq)
    }
  }

  /** Answers that nobody acknowledged. */
  get unacknowledged(): readonly string[] {
    return [...this.#open.values()]
  }

  /** One column each. */
  print(): string {
    const width = 34
    const head = `${' '.repeat(11)}${this.#who.map((who) => who.padEnd(width)).join('')}`
    const lines = this.#lines.map(({ atMs, who, text }) => {
      const column = Math.max(0, this.#who.indexOf(who))
      return `${(atMs / 1000).toFixed(3).padStart(9)}  ${' '.repeat(column * width)}${text}`
    })
    return [head, ...lines].join('\n')
  }

  #numberOf(callId: string): number {
    const number = this.#calls.get(callId) ?? this.#calls.size + 1
    this.#calls.set(callId, number)
    return number
  }

  #follow(who: string, callId: string, what: string, seq: string): void {
    const key = `${who} ${callId} `
    if (/^2\d\d INVITE$/.test(what)) {
      // A copy, or an answer that comes after the end.
      if (this.#answered.has(key + seq) || this.#ended.has(key)) return
      this.#answered.add(key + seq)
      this.#open.set(key + seq, `${who}: ${what} ${seq} of call ${this.#numberOf(callId)}`)
    } else if (what === 'ACK') this.#open.delete(key + seq)
    else if (what === 'BYE') {
      this.#ended.add(key)
      for (const open of this.#open.keys()) if (open.startsWith(key)) this.#open.delete(open)
    }
  }
}
