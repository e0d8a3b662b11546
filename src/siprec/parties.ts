/** People and ports of a session in the words of the facts. */
import type { MediaSummary, Participant, Party } from '../events/catalogue.ts'
import type { PortStats } from '../media/types.ts'
import type { NameAddr } from '../sip/message/types.ts'
import { printUri } from '../sip/message/uri.ts'

/** Somebody of the metadata; undefined when it gives no address. */
export function partyOf(person: Participant | undefined): Party | undefined {
  if (person?.uri === undefined) return undefined
  return { uri: person.uri, ...(person.name !== undefined && { name: person.name }) }
}

/** Whom a From or To names. */
export function partyAt(address: NameAddr | undefined): Party {
  const uri = address ? printUri(address.uri) : 'sip:anonymous@anonymous.invalid'
  return { uri, ...(address?.displayName && { name: address.displayName }) }
}

export function summaryOf(stats: PortStats): MediaSummary {
  const { packetsReceived, packetsLost, packetsSent, jitterMs, codec, source } = stats
  return { packetsReceived, packetsLost, packetsSent, jitterMs, ...(codec && { codec }), ...(source && { source }) }
}
