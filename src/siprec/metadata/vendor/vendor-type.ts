/** Whose product a recording client is: by its User-Agent, by its foreign data, by headers that only it sends. */
import type { VendorExtension, VendorFacts, VendorType } from '../../../events/siprec.ts'
import type { SipRequest } from '../../../sip/message/types.ts'

interface Signs {
  readonly agent: RegExp
  /** Namespace and path of foreign data. */
  readonly extension?: RegExp
  readonly header?: string
  /** In the Content-Type. */
  readonly boundary?: RegExp
}

/** The first that fits: the makers of clients before those whose calls they carry. */
const signs: readonly (readonly [VendorType, Signs])[] = [
  ['oracle', { agent: /oracle|acme ?packet/i, extension: /acmepacket\.com/i }],
  ['ribbon', { agent: /sonus|ribbon/i, extension: /ns:callData|sonus/i, boundary: /sonus/i }],
  ['cisco', { agent: /cisco/i, header: 'Cisco-Guid' }],
  ['broadworks', { agent: /broadworks|webex/i, extension: /broadWorks|broadsoft/i, boundary: /broadworks/i }],
  ['metaswitch', { agent: /metaswitch|perimeta/i, extension: /metaswitch/i }],
  ['audiocodes', { agent: /audiocodes|mediant/i, extension: /audiocodes/i, header: 'X-AC-Action' }],
  ['jambonz', { agent: /jambonz/i, extension: /jambonz/i }],
  ['opensips', { agent: /opensips/i, boundary: /OSS-unique-boundary/ }],
  ['sems', { agent: /sems|frafos|sipwise/i }],
  ['genesys', { agent: /genesys/i }],
  ['twilio', { agent: /twilio/i, header: 'X-Twilio-CallSid' }],
  ['avaya', { agent: /avaya|asbce/i, boundary: /boundary="?foobar/ }],
]

export function vendorTypeOf(
  invite: SipRequest | undefined,
  extensions: readonly VendorExtension[],
  { ucid, ciscoRefci }: Partial<VendorFacts>,
): VendorType | undefined {
  const agent = invite?.headers.get('User-Agent') ?? invite?.headers.get('Server') ?? ''
  const contentType = invite?.headers.get('Content-Type') ?? ''
  const foreign = extensions.map(({ namespace, path }) => `${namespace} ${path}`)
  const fits = ({ agent: pattern, extension, header, boundary }: Signs): boolean =>
    pattern.test(agent) ||
    foreign.some((text) => extension?.test(text)) ||
    (header !== undefined && invite?.headers.get(header) !== undefined) ||
    boundary?.test(contentType) === true
  const found = signs.find(([, of]) => fits(of))?.[0]
  if (found) return found
  if (ciscoRefci !== undefined) return 'cisco'
  return ucid === undefined ? undefined : 'avaya'
}
