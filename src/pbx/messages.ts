/**
 * Text messages between extensions (MESSAGE, RFC 3428): each goes to all registered devices of who is named.
 *
 *   device  ── MESSAGE ─▶  here  ── MESSAGE ─▶  device, device, …
 *           ◀── 200, 202 ──       ◀──── 200 ────
 *
 * The sender hears of success as soon as one device took it. Nothing is stored: who has no device that answers gets
 * none (480). What was said is handed on and kept nowhere, facts and log included.
 * Missing: trunks (403), store for who is offline.
 */

import { partyAt, peerOf } from '../call/party.ts'
import type { Clock } from '../core/clock.ts'
import { Tally } from '../core/tally.ts'
import type { FactBus } from '../events/bus.ts'
import { fromOf } from '../sip/message/fields.ts'
import { printNameAddr } from '../sip/message/name-addr.ts'
import type { SipRequest, SipResponse } from '../sip/message/types.ts'
import { sipUri } from '../sip/message/uri.ts'
import type { ExtraHeaders, Flow, IncomingRequest, SipStack } from '../sip/stack.types.ts'
import { type Directory, type Extension, partyOf } from './directory.ts'
import type { RegisteredTarget, Registrar } from './registrar.ts'
import type { TrunkLines } from './trunk-lines.ts'
import { dialledNumber } from './trunks.ts'

export interface MessagesOptions {
  readonly clock: Clock
  readonly bus: FactBus
  readonly stack: Pick<SipStack, 'message'>
  readonly directory: Directory
  readonly registrar: Pick<Registrar, 'targets'>
  readonly trunks: Pick<TrunkLines, 'routes'>
  /** Our address as that peer knows it. */
  readonly advertisedIp: (peer: Flow | string | undefined) => string
}

/** The sender's transaction ends after 32 s without a word to anybody (RFC 4320 §4.2): the answer comes before. */
const patienceMs = 20_000
/** Messages of one extension that are under way at a time. Judgement: a person types one. */
const maxWaiting = 20

/** What a message carries besides its text (RFC 3428 §4, §10). */
const passedOn = [
  'Content-Type',
  'Content-Encoding',
  'Content-Language',
  'Content-Disposition',
  'Date',
  'Expires',
  'Subject',
  'Priority',
  'In-Reply-To',
]

export class Messages {
  readonly #options: MessagesOptions
  readonly #waiting = new Tally()

  constructor(options: MessagesOptions) {
    this.#options = options
  }

  /** Answer a MESSAGE of this extension's device, when it is known what became of it. */
  async take(incoming: IncomingRequest, sender: Extension): Promise<void> {
    const { directory, trunks } = this.#options
    const { request } = incoming
    if (request.body.length > 0 && !request.headers.has('Content-Type')) return incoming.respond(400)
    const dialled = dialledNumber(request.uri)
    const receiver = dialled === undefined ? undefined : directory.find(dialled)
    if (!receiver) {
      const outside = dialled !== undefined && trunks.routes(dialled, sender.number).length > 0
      return incoming.respond(outside ? 403 : 404)
    }
    if (this.#waiting.of(sender.number) >= maxWaiting) return incoming.respond(503, { headers: { 'Retry-After': '5' } })
    this.#waiting.add(sender.number)
    const status = await this.#deliver(request, sender, receiver)
    this.#waiting.remove(sender.number)
    incoming.respond(status)
  }

  /** @returns The status for the sender. */
  async #deliver(request: SipRequest, sender: Extension, receiver: Extension): Promise<number> {
    const { clock, bus, registrar } = this.#options
    const targets = registrar.targets(receiver.number)
    const status = targets.length === 0 ? 480 : await this.#firstOf(targets, request, sender, receiver)
    const from = partyOf(sender, partyAt(fromOf(request)).uri)
    const to = partyOf(receiver, request.uri)
    const fact = { atMs: clock.wallMs(), from, to, bytes: request.body.length }
    if (status < 300) bus.publish({ name: 'message.delivered', ...fact })
    else bus.publish({ name: 'message.failed', ...fact, sipStatus: status })
    return status
  }

  /** The first success; else the mildest refusal, or 480 when nobody said anything in time. */
  #firstOf(
    targets: readonly RegisteredTarget[],
    request: SipRequest,
    sender: Extension,
    receiver: Extension,
  ): Promise<number> {
    return new Promise((resolve) => {
      const refused: number[] = []
      const late = this.#options.clock.after(patienceMs, () => resolve(480))
      for (const target of targets) {
        void this.#send(target, request, sender, receiver).then(({ status }) => {
          if (status >= 300) refused.push(status)
          if (status >= 300 && refused.length < targets.length) return
          late.cancel()
          resolve(status < 300 ? status : mildest(refused))
        })
      }
    })
  }

  #send(
    { routes, ...target }: RegisteredTarget,
    request: SipRequest,
    sender: Extension,
    receiver: Extension,
  ): Promise<SipResponse> {
    const host = this.#options.advertisedIp(peerOf(target))
    const headers: Record<string, readonly string[]> = routes ? { Route: routes } : {}
    for (const name of passedOn) if (request.headers.has(name)) headers[name] = request.headers.all(name)
    return this.#options.stack.message({
      target,
      from: addressOf(sender, host),
      to: addressOf(receiver, host),
      headers: headers satisfies ExtraHeaders,
      body: request.body,
    })
  }
}

/** A device that was not reached says less than one that refused; a challenge is nothing the sender could answer. */
function mildest(statuses: readonly number[]): number {
  const [best = 480] = statuses.filter((status) => ![401, 407, 408, 503].includes(status)).sort((a, b) => a - b)
  return best
}

/** As the directory says who it is, whatever the From claims. */
const addressOf = ({ number, displayName }: Extension, host: string): string =>
  printNameAddr({
    ...(displayName && { displayName }),
    uri: sipUri(number, host),
    params: new Map(),
  })
