/**
 * One small world, decided by its seed: three phones, with a server between them or not, on a network that loses, doubles,
 * delays and overtakes, or is gone for a while.
 *
 *   simulate(seed)  ─▶  phones, server  ── datagrams ─▶  MemoryNetwork
 *                   ◀─  problems, ladder
 *
 * Once nobody waits for anything any more: no transaction, timer, dialog or connection is left, both sides of each call
 * agree on its outcome, and every 2xx was acknowledged or ended by BYE. The same seed gives the same world.
 */
import { type Logger, silentLogger } from '../../src/core/logger.ts'
import { MemoryNetwork } from '../../src/net/memory-network.ts'
import { type CountedSipStack, createSipStack } from '../../src/sip/stack.ts'
import { Chance } from './chance.ts'
import { VirtualClock } from './clock.ts'
import { Ladder } from './ladder.ts'
import { Pbx } from './pbx.ts'
import { Phone } from './phone.ts'
import { Sides } from './side.ts'

const people = [
  { name: 'alice', number: '101', ip: '192.0.2.101' },
  { name: 'bob', number: '102', ip: '192.0.2.102' },
  { name: 'carol', number: '103', ip: '192.0.2.103' },
] as const
const serverIp = '192.0.2.1'

/** Longer than any call: who has not hung up by then never will. */
const longestMs = 4 * 3_600_000
/** What is done at the same moments is done at multiples of this. */
const stepMs = 4_000
/** Calls that transfers beget are bounded as well. */
const mostCalls = 12

export interface Result {
  readonly seed: number
  /** Empty when all went as it must. */
  readonly problems: readonly string[]
  readonly calls: number
  readonly ladder: () => string
}

export class World {
  readonly chance: Chance
  readonly clock = new VirtualClock()
  readonly sides = new Sides()
  readonly log: Logger
  readonly ladder = new Ladder(this.clock)
  readonly problems: string[] = []
  readonly #network: MemoryNetwork
  readonly #stacks: CountedSipStack[] = []
  readonly #transport: 'udp' | 'tcp'
  readonly #hasServer: boolean
  readonly #isCalm: boolean
  readonly #isInStep: boolean
  #placed = 0

  static async run(seed: number): Promise<Result> {
    const world = new World(seed)
    await world.#live()
    return { seed, problems: world.problems, calls: world.sides.size, ladder: () => world.ladder.print() }
  }

  private constructor(seed: number) {
    this.chance = new Chance(seed)
    const { chance, clock } = this
    this.#hasServer = chance.is(0.4)
    this.#transport = chance.is(0.25) ? 'tcp' : 'udp'
    this.#isInStep = chance.is(0.3)
    this.#isCalm = chance.is(0.25)
    this.#network = new MemoryNetwork({
      clock,
      seed,
      loss: this.#isCalm ? 0 : chance.between(0, 0.3),
      duplicates: this.#isCalm ? 0 : chance.between(0, 0.25),
      delayMs: [1, chance.pick(5, 50, 400, 1_500)],
    })
    this.log = { ...silentLogger, child: () => this.log, error: (sentence, fields) => this.#fail(sentence, fields) }
  }

  note(who: string, text: string): void {
    this.ladder.note(who, `· ${text}`)
  }

  later(delayMs: number, act: () => void): void {
    this.clock.after(delayMs, act)
  }

  /** When somebody does something: in some worlds all do it at the same moments, and their requests cross. */
  moment(withinMs: number): number {
    const atMs = this.chance.between(0, withinMs)
    return this.#isInStep ? Math.ceil((this.clock.now() + atMs) / stepMs) * stepMs - this.clock.now() : atMs
  }

  /** A call was lost: a network that loses nothing is no excuse. */
  lost(what: string): void {
    if (this.#isCalm) this.problems.push(`${what} though no message was lost`)
  }

  /** Where a call may go from there. */
  someoneElse(phone: Phone): string {
    const [first, second] = people.filter(({ number }) => number !== phone.number)
    const number = this.chance.pick(first?.number ?? '', second?.number ?? '', '999')
    return this.#uriOf(number)
  }

  /** False once enough calls were made. */
  mayPlace(): boolean {
    return ++this.#placed <= mostCalls
  }

  async #live(): Promise<void> {
    const { chance } = this
    const phones: Phone[] = []
    for (const person of people) phones.push(new Phone(this, person, await this.#stack(person.name, person.ip)))
    const directUri = (number: string) =>
      people.filter((person) => person.number === number).map(({ ip }) => this.#uri(number, ip))
    const pbx = this.#hasServer ? new Pbx(this, serverIp, await this.#stack('server', serverIp), directUri) : undefined
    for (const phone of phones) {
      for (let calls = chance.pick(0, 1, 2); calls > 0; calls--)
        this.later(chance.between(0, 20_000), () => phone.place(this.someoneElse(phone)))
    }
    if (!this.#isCalm && chance.is(0.25)) this.#outage(chance.between(0, 60_000), chance.pick(3_000, 20_000, 90_000))
    for (let breaks = this.#isCalm ? 0 : chance.pick(0, 0, 1, 3); breaks > 0; breaks--)
      this.later(chance.between(0, 90_000), () => {
        this.note('network', 'breaks all connections')
        this.#network.breakConnections()
      })
    await this.clock.run(longestMs)
    this.#check(pbx)
    for (const stack of this.#stacks) await stack.close()
  }

  async #stack(name: string, ip: string): Promise<CountedSipStack> {
    const listen = [
      { transport: 'udp', ip, port: 5060 },
      { transport: 'tcp', ip, port: 5060 },
    ] as const
    const { clock, log } = this
    const session = { expiresS: this.chance.pick(90, 300, 1_800), minS: 90 }
    const observe = this.ladder.observer(name)
    const stack = await createSipStack({ clock, log, network: this.#network, listen, session, observe })
    this.#stacks.push(stack)
    return stack
  }

  #uriOf(number: string): string {
    const owner = people.find((person) => person.number === number)
    return this.#uri(number, this.#hasServer ? serverIp : (owner?.ip ?? people[0].ip))
  }

  #uri(number: string, ip: string): string {
    return `sip:${number}@${ip}:5060${this.#transport === 'tcp' ? ';transport=tcp' : ''}`
  }

  #outage(atMs: number, lastsMs: number): void {
    this.later(atMs, () => {
      this.note('network', 'gone')
      this.#network.plugged = false
    })
    this.later(atMs + lastsMs, () => {
      this.note('network', 'back')
      this.#network.plugged = true
    })
  }

  #check(pbx: Pbx | undefined): void {
    const { problems } = this
    const timers = this.clock.pending
    if (timers > 0) problems.push(`${timers} timers are left`)
    for (const stack of this.#stacks) {
      const left = Object.entries(stack.counts()).filter(([, count]) => count > 0)
      for (const [what, count] of left) if (what !== 'connections') problems.push(`${count} ${what} are left`)
    }
    problems.push(
      ...this.sides.problems(!this.#hasServer),
      ...this.ladder.unacknowledged.map((line) => `no ACK: ${line}`),
    )
    if (pbx) problems.push(...pbx.problems())
  }

  #fail(sentence: string, fields: object = {}): void {
    this.problems.push(`${sentence} ${JSON.stringify(fields)}`)
  }
}

/** Live through the world of a seed. `Math.random` is the seed's as well meanwhile: one world at a time. */
export async function simulate(seed: number): Promise<Result> {
  const { random } = Math
  Math.random = new Chance(seed ^ 0x5eed).random
  try {
    return await World.run(seed)
  } finally {
    Math.random = random
  }
}
