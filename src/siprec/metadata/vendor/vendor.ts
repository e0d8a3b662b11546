/**
 * Vendor facts: what a recording client tells beyond the RFCs, by which other systems know the call.
 *
 *   INVITE ── headers ─▶           ┐
 *   documents ── foreign data ─▶   ┴ VendorMemory ─▶ VendorFacts
 *
 * Known values get a name of their own; everything else of the foreign data and of the X- headers stays beside them as
 * it came. docs/siprec/metadata.md has the table.
 */
import type { VendorExtension, VendorFacts } from '../../../events/siprec.ts'
import { fromOf } from '../../../sip/message/fields.ts'
import type { SipRequest } from '../../../sip/message/types.ts'
import type { MetadataDocument } from '../model.ts'
import { ucidOf } from './ucid.ts'
import { vendorTypeOf } from './vendor-type.ts'

const maxHeaders = 32
const maxExtensions = 64
const maxValueLength = 1_024

type Known = Omit<VendorFacts, 'headers' | 'extensions' | 'type'>
type Field = keyof Known

export class VendorMemory {
  readonly #invite: SipRequest | undefined
  readonly #headers: Readonly<Record<string, string>>
  /** By where it stands: a later document's value takes the place of an earlier one's. */
  readonly #extensions = new Map<string, VendorExtension>()
  readonly #ids = new Set<string>()
  readonly #before: VendorFacts | undefined

  /** @param before What was known of a session that is taken up again. */
  constructor(invite: SipRequest | undefined, before?: VendorFacts) {
    this.#invite = invite
    this.#before = before
    this.#headers = { ...before?.headers, ...(invite && foreignHeaders(invite)) }
    for (const extension of before?.extensions ?? []) this.#extensions.set(placeOf(extension), extension)
  }

  learn({ extensions, sessions }: MetadataDocument): void {
    for (const extension of extensions) {
      const place = placeOf(extension)
      if (this.#extensions.has(place) || this.#extensions.size < maxExtensions) this.#extensions.set(place, extension)
    }
    for (const { id, sipSessionIds = [] } of sessions.values()) {
      for (const text of [id, ...sipSessionIds]) if (this.#ids.size < maxExtensions) this.#ids.add(text)
    }
  }

  get facts(): VendorFacts | undefined {
    const extensions = [...this.#extensions.values()]
    const { type: typeBefore, headers: _headers, extensions: _extensions, ...before } = this.#before ?? nothing
    const known: Known = {
      ...before,
      ...fromIds(this.#ids),
      ...fromExtensions(extensions),
      ...fromHeaders(this.#invite),
    }
    const type = vendorTypeOf(this.#invite, extensions, known) ?? typeBefore
    const isEmpty = Object.keys(known).length + Object.keys(this.#headers).length + extensions.length === 0
    if (isEmpty && type === undefined) return undefined
    return { ...(type && { type }), ...known, headers: this.#headers, extensions }
  }
}

const nothing: VendorFacts = { headers: {}, extensions: [] }

const placeOf = ({ of, id, namespace, path }: VendorExtension): string => [of, id, namespace, path].join(' ')

/** `X-…` headers, but for what looks like a secret. */
function foreignHeaders({ headers }: SipRequest): Record<string, string> {
  const found: Record<string, string> = {}
  for (const [name, value] of headers.entries()) {
    const key = name.toLowerCase()
    if (!key.startsWith('x-') || /auth|token|secret|passw|credential|api-?key/.test(key)) continue
    if (Object.keys(found).length >= maxHeaders && !(key in found)) break
    found[key] = (key in found ? `${found[key]}, ${value}` : value).slice(0, maxValueLength)
  }
  return found
}

function fromHeaders(invite: SipRequest | undefined): Known {
  if (!invite) return {}
  const header = (name: string) => invite.headers.get(name)?.trim().slice(0, maxValueLength)
  const userToUser = /^[0-9a-f]+/i.exec(header('User-to-User') ?? '')?.[0]
  return known({
    userToUser,
    ucid: ucidOf(header('X-Avaya-UCID') ?? userToUser ?? ''),
    sessionId: header('Session-ID'),
    ciscoGuid: header('Cisco-Guid') ?? gtdCallId(invite),
    ciscoRefci: fromOf(invite)?.uri.params.get('x-refci') ?? undefined,
    genesysUuid: header('X-Genesys-CallUUID'),
    icid: /(?:^|;)\s*icid-value="?([^";]+)/i.exec(header('P-Charging-Vector') ?? '')?.[1],
  })
}

/** `GCI` of the ISUP that a Cisco gateway sends along as text (application/gtd). */
const gtdCallId = ({ body }: SipRequest): string | undefined =>
  body.length > 0 ? /\nGCI,([0-9a-f]{32})/i.exec(Buffer.from(body).toString('latin1'))?.[1] : undefined

/** Last name of a path, in lower case, to what it is. */
const fields: ReadonlyMap<string, Field> = new Map([
  ['gcid', 'gcid'],
  ['genesysuuid', 'genesysUuid'],
  ['exttrackingid', 'extTrackingId'],
  ['serviceproviderid', 'serviceProviderId'],
  ['userid', 'userId'],
  ['recordingtype', 'recordingType'],
])

function fromExtensions(extensions: readonly VendorExtension[]): Known {
  const found: Record<string, string | undefined> = {}
  for (const { namespace, path, value } of extensions) {
    const name = (path.split('/').at(-1) ?? '').toLowerCase()
    const field = fields.get(name)
    if (field !== undefined) found[field] ??= value
    if (name.endsWith('ucid')) found['ucid'] ??= ucidOf(value) ?? value
    if (/^calldata\/callid$|^header\[call-id\]/i.test(path)) found['callId'] ??= value
    if (namespace !== jambonz) continue
    if (name === 'callsid') found['jambonzCallSid'] ??= value
    if (name === 'accountsid') found['jambonzAccountSid'] ??= value
  }
  return known(found)
}

const jambonz = 'http://jambonz.org/siprec'

/** Session ids of RFC 7989 by their form; Call-IDs by elimination; Avaya's client makes the UCID its session id. */
function fromIds(ids: ReadonlySet<string>): Known {
  const all = [...ids]
  const sessionId = all.find((id) => /^[0-9a-f]{32}(;|$)/i.test(id))
  const ucid = all.map((id) => (/fa08/i.test(id) ? ucidOf(id) : undefined)).find((id) => id !== undefined)
  return known({ sessionId, ucid })
}

function known(values: { readonly [Name in Field]?: string | undefined }): Known {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined && value !== ''))
}
