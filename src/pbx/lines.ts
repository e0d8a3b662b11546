/**
 * Which calls each extension has now, from the facts of calls: what busy lamps and presence show.
 *
 *   events/  ── call.*, leg.* ─▶  here  ── changed ─▶  extension-events.ts
 *
 * A call is one line of an extension on each side of it, however many of its devices ring. Lives as long as the calls.
 */
import type { FactBus } from '../events/bus.ts'
import type { Fact, FactOf, LegRole, Party } from '../events/catalogue.ts'

/** From ringing nowhere yet to talking; the order is that of a call's life. */
const states = ['trying', 'early', 'confirmed'] as const
export type LineState = (typeof states)[number]

export interface Line {
  readonly callId: string
  readonly direction: 'initiator' | 'recipient'
  readonly state: LineState
  /** Who is at the other end. */
  readonly remote: Party
}

interface LineLeg {
  readonly role: LegRole
  readonly party: Party
  state: LineState
}

interface LineCall {
  readonly from: Party
  readonly to: Party
  readonly legs: Map<string, LineLeg>
}

export class Lines {
  readonly #changed: (extension: string) => void
  readonly #calls = new Map<string, LineCall>()
  /** Calls of an extension, oldest first. */
  readonly #byExtension = new Map<string, Set<string>>()

  /** @param changed Told after each fact that may have changed the lines of an extension. */
  constructor(bus: FactBus, changed: (extension: string) => void) {
    this.#changed = changed
    bus.onAny((fact) => this.#hear(fact))
  }

  of(extension: string): readonly Line[] {
    return Array.from(this.#byExtension.get(extension) ?? []).flatMap((callId) => this.#linesOf(callId, extension))
  }

  #linesOf(callId: string, extension: string): readonly Line[] {
    const call = this.#calls.get(callId)
    if (!call) return []
    return (['caller', 'callee'] as const).flatMap((role) => {
      const own = [...call.legs.values()].filter((leg) => leg.role === role && leg.party.extension === extension)
      if (own.length === 0) return []
      const direction = role === 'caller' ? 'initiator' : 'recipient'
      return [{ callId, direction, state: furthest(own), remote: remoteOf(call, role) }]
    })
  }

  #hear(fact: Fact): void {
    switch (fact.name) {
      case 'call.started':
        if (fact.kind === 'pbx') this.#calls.set(fact.callId, { from: fact.from, to: fact.to, legs: new Map() })
        break
      case 'leg.started':
        this.#legStarted(fact)
        break
      case 'call.ringing':
        this.#ringing(fact)
        break
      case 'leg.answered':
        this.#enter(fact.callId, fact.legId, 'confirmed')
        break
      case 'leg.ended':
      case 'call.transferred':
        this.#legLeft(fact)
        break
      case 'call.ended':
        this.#callEnded(fact.callId)
        break
    }
  }

  #legStarted({ callId, legId, role, party }: FactOf<'leg.started'>): void {
    const call = this.#calls.get(callId)
    if (!call) return
    call.legs.set(legId, { role, party, state: 'trying' })
    const { extension } = party
    if (extension !== undefined) {
      const calls = this.#byExtension.get(extension) ?? new Set()
      this.#byExtension.set(extension, calls.add(callId))
    }
    this.#tell(call)
  }

  /** Who calls hears that it rings, so both sides are early now. */
  #ringing({ callId, legId }: FactOf<'call.ringing'>): void {
    const call = this.#calls.get(callId)
    for (const [id, leg] of call?.legs ?? [])
      if ((id === legId || leg.role === 'caller') && leg.state === 'trying') leg.state = 'early'
    if (call) this.#tell(call)
  }

  #enter(callId: string, legId: string, state: LineState): void {
    const call = this.#calls.get(callId)
    const leg = call?.legs.get(legId)
    if (!call || !leg) return
    leg.state = state
    this.#tell(call)
  }

  #legLeft({ callId, legId }: { readonly callId: string; readonly legId: string }): void {
    const call = this.#calls.get(callId)
    const leg = call?.legs.get(legId)
    if (!call || !leg) return
    call.legs.delete(legId)
    const { extension } = leg.party
    const others = [...call.legs.values()].some(({ party }) => party.extension === extension)
    if (extension !== undefined && !others) this.#forget(extension, callId)
    if (extension !== undefined) this.#changed(extension)
    this.#tell(call)
  }

  #callEnded(callId: string): void {
    const call = this.#calls.get(callId)
    if (!call) return
    this.#calls.delete(callId)
    for (const extension of extensionsOf(call)) this.#forget(extension, callId)
    this.#tell(call)
  }

  #forget(extension: string, callId: string): void {
    const calls = this.#byExtension.get(extension)
    calls?.delete(callId)
    if (calls?.size === 0) this.#byExtension.delete(extension)
  }

  #tell(call: LineCall): void {
    for (const extension of extensionsOf(call)) this.#changed(extension)
  }
}

const extensionsOf = ({ legs }: LineCall): ReadonlySet<string> =>
  new Set([...legs.values()].flatMap(({ party }) => party.extension ?? []))

const furthest = (legs: readonly LineLeg[]): LineState =>
  states[Math.max(...legs.map(({ state }) => states.indexOf(state)))] ?? 'trying'

/** The one that talks on the other side; before anybody does, who the call is for, or from. */
function remoteOf({ from, to, legs }: LineCall, role: 'caller' | 'callee'): Party {
  const talks = [...legs.values()].find((leg) => leg.role !== role && leg.state === 'confirmed')
  return talks?.party ?? (role === 'caller' ? to : from)
}
