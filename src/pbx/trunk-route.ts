/**
 * The ways of one call by trunks: the first that serves it takes it, the others are there for when it does not. A
 * trunk that is there and says no (busy, no such number) has the last word.
 */
import type { Destination } from '../call/fork.types.ts'
import type { Route } from '../call/transfer.ts'
import type { Party } from '../events/catalogue.ts'
import type { SipResponse } from '../sip/message/types.ts'
import { printUri } from '../sip/message/uri.ts'
import { presenterFor, reachedByTrunk } from './connected.ts'
import { introduceToTrunk, type Luggage } from './introduction.ts'
import type { LineRoute } from './trunk-lines.ts'
import { type OutboundRoute, trunkUri } from './trunks.ts'

/** How long a trunk may ring before the caller hears no answer. */
const trunkRingSeconds = 120

/** A number in the world, as it is shown. */
export const trunkParty = ({ trunk, number }: OutboundRoute): Party => ({
  uri: trunkUri({ host: trunk.host }, number),
})

/** Who calls there, or sends a call there. */
export interface Outbound {
  readonly by: string
  readonly luggage: Luggage
  /** One more call that way. Returns what to call when it is over; undefined when it is one too many. */
  readonly begin: (way: LineRoute) => (() => void) | undefined
}

export const trunkRoute = (routes: readonly LineRoute[], outbound: Outbound): Omit<Route, 'record'> => ({
  destinations: routes.map((route, order) => destinationOf(route, order, outbound)),
  ringMs: trunkRingSeconds * 1000,
})

function destinationOf(route: LineRoute, order: number, { by, luggage, begin }: Outbound): Destination {
  const { trunk, line, number } = route
  const { credentials } = trunk
  const { target, routes } = line.target(number)
  const party = trunkParty(route)
  const present = presenterFor(trunk)
  const destination = {
    party,
    order,
    isWay: true,
    introduce: (caller: Party, host: string) => introduceToTrunk(caller, { trunk, host, number, by, luggage }),
    take: () => begin(route),
    ...(present && { present }),
    reached: (response: SipResponse) => reachedByTrunk(trunk, party, response),
    report: (served: boolean) => line.served(served),
    ...(credentials && { credentials }),
    ...(trunk.srtp && { srtp: trunk.srtp }),
    ...(trunk.codecs && { codecs: trunk.codecs }),
    ...(trunk.sound && { voice: trunk.sound }),
    ...(routes.length > 0 && { routes }),
  }
  return {
    ...destination,
    target,
    // A trunk may send a call from one of its servers to another, and to nobody else's: those are not its to spend.
    follow: (uris) => {
      const uri = uris.find(
        ({ host, scheme }) => scheme !== 'tel' && (host === trunk.host.toLowerCase() || line.isAt(host)),
      )
      return uri ? [{ ...destination, target: { uri: printUri({ ...uri, headers: new Map() }) } }] : []
    },
  }
}
