/** All trunks: whose call came in, and which of them a call may go out by. */
import { toTag } from '../sip/message/fields.ts'
import type { SipRequest } from '../sip/message/types.ts'
import type { Flow, SipStack } from '../sip/stack.types.ts'
import { TrunkLine, type TrunkLineOptions } from './trunk-line.ts'
import type { TrunkStatus, TrunkStatuses } from './trunk-status.ts'
import { numberCalled, type OutboundRoute, outboundRoutes, type Trunk } from './trunks.ts'

/** Who it is that a request came from, as far as trunks are concerned. */
export interface TrunkCallers {
  trunkOf(request: SipRequest, flow: Flow): Trunk | undefined
}

/** A way out, with the trunk as it fares now. */
export interface LineRoute extends OutboundRoute {
  readonly line: TrunkLine
}

export class TrunkLines implements TrunkStatuses, TrunkCallers {
  readonly #lines: readonly TrunkLine[]

  constructor(trunks: readonly Trunk[], options: Omit<TrunkLineOptions, 'trunk'>) {
    this.#lines = trunks.map((trunk) => new TrunkLine({ ...options, trunk }))
  }

  /** From now on they register and are asked for life signs. */
  open(stack: SipStack): void {
    for (const line of this.#lines) line.open(stack)
  }

  async close(): Promise<void> {
    await Promise.all(this.#lines.map((line) => line.close()))
  }

  list(): readonly TrunkStatus[] {
    return this.#lines.map((line) => line.status())
  }

  /**
   * By the Contact that we registered there, else by the address. Several accounts at one carrier have one address: the
   * number called tells them apart.
   */
  trunkOf(request: SipRequest, flow: Flow): Trunk | undefined {
    const inside = toTag(request) !== undefined
    const named = inside ? undefined : this.#lines.find((line) => line.isCalledBy(request.uri))
    if (named) return named.trunk
    const here = this.#lines.filter((line) => line.isAt(flow.remote.ip)).map(({ trunk }) => trunk)
    if (here.length < 2) return here[0]
    return here.find((trunk) => Object.hasOwn(trunk.inbound, numberCalled(trunk, request) ?? '')) ?? here[0]
  }

  /** Ways for what that extension dialled, best first; those that are down come last, for who knows. */
  routes(dialled: string, extension: string): readonly LineRoute[] {
    const routes = outboundRoutes(
      this.#lines.map(({ trunk }) => trunk),
      dialled,
      extension,
    ).flatMap((route) => {
      const line = this.#lines.find(({ trunk }) => trunk === route.trunk)
      return line ? [{ ...route, line }] : []
    })
    return routes.toSorted((a, b) => Number(a.line.isDown) - Number(b.line.isDown))
  }
}
