/** A server between the phones: calls of call/ over a media plane that only remembers, with transfers, and displays that follow them. */
import { Call } from '../../src/call/call.ts'
import { usualRules } from '../../src/call/codec-rules.ts'
import { LiveCalls } from '../../src/call/live-calls.ts'
import type { CallServices } from '../../src/call/services.ts'
import type { Onwards, Route } from '../../src/call/transfer.ts'
import { FactBus } from '../../src/events/bus.ts'
import type { EndReason, FactName } from '../../src/events/catalogue.ts'
import { FakeMedia } from '../../src/media/test-support.ts'
import { presentToPhone } from '../../src/pbx/connected.ts'
import { parseUri } from '../../src/sip/message/uri.ts'
import type { CountedSipStack } from '../../src/sip/stack.ts'
import type { World } from './world.ts'

const party = (number: string) => ({ uri: `sip:${number}@pbx`, extension: number })

export class Pbx {
  readonly #media = new FakeMedia()
  readonly #live = new LiveCalls()
  readonly #told = new Map<FactName, number>()

  /** @param uriOf The phones of a number; none for one that nobody has. */
  constructor(world: World, ip: string, stack: CountedSipStack, uriOf: (number: string) => readonly string[]) {
    const { clock, log } = world
    const bus = new FactBus((error) => log.error('a listener of facts failed', { error: String(error) }))
    bus.onAny(({ name }) => this.#told.set(name, this.#times(name) + 1))
    const recording = { addTrack: () => {}, endTrack: () => {}, stop: () => Promise.resolve() }
    const services: CallServices = {
      clock,
      log,
      stack,
      bus,
      media: this.#media,
      live: this.#live,
      recorder: { start: () => recording },
      advertisedIp: () => ip,
      messages: () => [],
      rtpTimeoutMs: 0,
      holdMusic: [{ builtIn: 'music' }],
      srtp: 'accepted',
      codecs: usualRules,
    }
    const routeTo = (number: string): Route | EndReason => {
      const destinations = uriOf(number).map((uri) => ({
        target: { uri },
        party: party(number),
        present: presentToPhone,
      }))
      return destinations.length === 0 ? 'not-found' : { destinations, ringMs: 20_000, record: true }
    }
    const onwards: Onwards = { numberIn: ({ user }) => user, route: routeTo }
    stack.on('invite', (invite) => {
      const from = /sip:(\d+)@/.exec(invite.request.headers.get('From') ?? '')?.[1] ?? ''
      const to = parseUri(invite.request.uri)?.user ?? ''
      const call = new Call(invite, { from: party(from), to: party(to) }, services)
      const route = routeTo(to)
      if (typeof route === 'string') void call.refuse(route)
      else void call.dial({ ...route, recordingName: 'simulated', onwards, present: presentToPhone })
    })
  }

  /** What it kept of calls that are over. */
  problems(): readonly string[] {
    const problems: string[] = []
    const open = this.#media.ports.filter(({ closed }) => !closed).length
    if (this.#live.size > 0) problems.push(`the server still has ${this.#live.size} calls`)
    if (open > 0) problems.push(`the server still has ${open} media ports`)
    for (const what of ['call', 'leg'] as const) {
      const [started, ended] = [this.#times(`${what}.started`), this.#times(`${what}.ended`)]
      if (started !== ended) problems.push(`the server told of ${started} ${what}s that began and ${ended} that ended`)
    }
    return problems
  }

  #times(name: FactName): number {
    return this.#told.get(name) ?? 0
  }
}
