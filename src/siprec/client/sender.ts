/**
 * Sends calls to recording servers elsewhere (SIPREC client, RFC 7866): which calls go where now.
 *
 *   call/ ── start ─▶  here  ── SentCallToServers, one for each call
 *   events/ ── recording.paused, .resumed ─▶ │  a pause holds for all who record
 *   api/  ── pause, resume, list ─▶
 *
 * Each of those who pause holds it for himself, and for the whole call: what is sent to servers that are named in the middle
 * of a pause begins paused.
 */
import type { CodecRules } from '../../call/codec-rules.ts'
import type { CallSender } from '../../call/services.ts'
import { type SenderServices, SentCallToServers, type SentTo } from './sent-call.ts'
import type { RecordingServers, ServerStatus } from './servers.ts'

export interface SentCallStatus {
  readonly callId: string
  readonly paused: boolean
  /** One for each list of servers. */
  readonly to: readonly SentTo[]
}

/** The recording here; somebody by the API; a party's phone (`a=recordpref`). */
export type SendingHolder = 'recording' | 'order' | 'wish'

export interface RecordingSenderOptions {
  readonly services: SenderServices
  readonly servers: RecordingServers
  /** Of phones, as they are now. */
  readonly codecs: () => CodecRules
}

export class RecordingSender implements CallSender {
  readonly servers: RecordingServers
  readonly #options: RecordingSenderOptions
  readonly #calls = new Map<string, SentCallToServers>()
  /** Who holds a pause, by call. */
  readonly #holders = new Map<string, Set<SendingHolder>>()

  constructor(options: RecordingSenderOptions) {
    this.#options = options
    this.servers = options.servers
    const { bus } = options.services
    bus.on('recording.paused', ({ callId, what }) => {
      if (what !== 'transcription') this.#hold(callId, 'recording', true)
    })
    bus.on('recording.resumed', ({ callId, what }) => {
      if (what !== 'transcription') this.#hold(callId, 'recording', false)
    })
    bus.on('recording.stored', ({ callId }) => this.#hold(callId, 'recording', false))
    bus.on('call.ended', ({ callId }) => this.#holders.delete(callId))
  }

  start(call: Parameters<CallSender['start']>[0]): SentCallToServers {
    const { services, servers, codecs } = this.#options
    const sent: SentCallToServers = new SentCallToServers({
      ...call,
      services,
      servers,
      // Packets go as they come; what everybody takes stands behind that, for a server that does not take it.
      rules: { ...codecs(), codecs: ['others', 'PCMA', 'PCMU'] },
      over: () => {
        if (this.#calls.get(call.callId) === sent) this.#calls.delete(call.callId)
      },
    })
    this.#calls.set(call.callId, sent)
    if (this.#holders.has(call.callId)) sent.pause(true)
    return sent
  }

  list(): readonly SentCallStatus[] {
    return Array.from(this.#calls.values(), statusOf)
  }

  of(callId: string): SentCallStatus | undefined {
    const call = this.#calls.get(callId)
    return call && statusOf(call)
  }

  /** It goes on when nobody holds it any more. @returns False when this call is sent to nobody. */
  pause(callId: string, on: boolean, by: Exclude<SendingHolder, 'recording'> = 'order'): boolean {
    if (!this.#calls.has(callId)) return false
    this.#hold(callId, by, on)
    return true
  }

  #hold(callId: string, by: SendingHolder, on: boolean): void {
    const holders = this.#holders.get(callId) ?? new Set()
    holders[on ? 'add' : 'delete'](by)
    if (holders.size > 0) this.#holders.set(callId, holders)
    else this.#holders.delete(callId)
    this.#calls.get(callId)?.pause(holders.size > 0)
  }

  serverStates(): readonly ServerStatus[] {
    return this.servers.list()
  }
}

const statusOf = (call: SentCallToServers): SentCallStatus => ({
  callId: call.callId,
  paused: call.paused,
  to: call.status(),
})
