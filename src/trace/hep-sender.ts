/**
 * Sends each SIP message to a Homer server (HEP version 3), beside the calls and never in their way.
 *
 *   sip/trace.ts  ── message, credentials removed ─▶  here  ── packets, in batches ─▶  collector (hep-outlet.ts)
 *   events/       ── leg.started ──────────────────▶        (correlated by our id of the call)
 *
 * A message waits half a second, so that the call which its INVITE starts is known and both legs get one correlation id.
 * Nothing is acknowledged: what the collector loses is lost. What waits is bounded; what finds no room, or fits in no
 * packet, is counted.
 */
import type { Clock, Timer } from '../core/clock.ts'
import { isIP } from '../core/ip.ts'
import type { Logger } from '../core/logger.ts'
import type { FactBus } from '../events/bus.ts'
import type { TracedMessage } from '../events/catalogue.ts'
import type { Network } from '../net/network.ts'
import { type HepAgent, hepPacket } from './hep.ts'
import { type HepOutlet, tcpOutlet, udpOutlet } from './hep-outlet.ts'

export interface HepSenderOptions extends HepAgent {
  readonly clock: Clock
  readonly log: Logger
  readonly network: Network
  readonly bus: FactBus
  readonly transport: 'udp' | 'tcp'
  /** A name is looked up again now and then. */
  readonly host: string
  readonly port: number
}

const batchMs = 500
/** Some seconds of a busy server. */
const maxWaiting = 5_000
/** Of one datagram over IPv4, and less over IPv6. */
const maxPacketBytes = 65_000
const maxCorrelated = 20_000
const lookAgainMs = 60_000

export class HepSender {
  /** Ever rising: messages sent, and those that were not. */
  readonly counts = { sent: 0, dropped: 0 }
  readonly #options: HepSenderOptions
  /** Our id of the call, by SIP Call-ID. */
  readonly #calls = new Map<string, string>()
  readonly #unsubscribe: () => void
  #waiting: TracedMessage[] = []
  #batch: Timer | undefined
  #look: Timer | undefined
  #collector: { readonly outlet: HepOutlet; readonly ip: string } | undefined
  #closed = false

  constructor(options: HepSenderOptions) {
    this.#options = options
    this.#unsubscribe = options.bus.on('leg.started', ({ sipCallId, callId }) => {
      this.#calls.set(sipCallId, callId)
      if (this.#calls.size > maxCorrelated) this.#calls.delete(this.#calls.keys().next().value ?? '')
    })
  }

  /** Find the collector; messages may come before and wait. Never rejects: the collector may come up later. */
  async start(): Promise<void> {
    await this.#find()
    if (this.#closed) return this.close()
    this.#look = this.#options.clock.after(lookAgainMs, () => void this.start())
  }

  /** Fits `told` of the trace. */
  readonly take = (message: TracedMessage): void => {
    if (this.#waiting.length >= maxWaiting || this.#closed) {
      this.counts.dropped++
      return
    }
    this.#waiting.push(message)
    this.#batch ??= this.#options.clock.after(batchMs, () => this.#send())
  }

  /** What waits is sent. */
  async close(): Promise<void> {
    this.#send()
    this.#closed = true
    this.#unsubscribe()
    this.#look?.cancel()
    await this.#collector?.outlet.close()
    this.#collector = undefined
  }

  #send(): void {
    this.#batch?.cancel()
    this.#batch = undefined
    const messages = this.#waiting
    this.#waiting = []
    for (const message of messages) {
      const packet = hepPacket(message, this.#options, this.#calls.get(message.sipCallId))
      const sent = packet.length <= maxPacketBytes && this.#collector?.outlet.send(packet, this.#failed)
      if (sent) this.counts.sent++
      else this.counts.dropped++
    }
  }

  readonly #failed = (): void => {
    this.counts.sent--
    this.counts.dropped++
  }

  async #find(): Promise<void> {
    const { host, port, transport, network, clock, log } = this.#options
    try {
      const ip = isIP(host) ? host : (await network.lookup(host))[0]
      if (ip === undefined || ip === this.#collector?.ip) return
      const to = { ip, port }
      const outlet = transport === 'tcp' ? tcpOutlet(network, to, clock) : await udpOutlet(network, to)
      await this.#collector?.outlet.close()
      this.#collector = { outlet, ip }
      log.info('SIP messages are sent to a HEP collector', { transport, ip, port })
    } catch (error) {
      log.warn('The HEP collector was not found; it is looked for again every minute', { host, error: String(error) })
    }
  }
}
