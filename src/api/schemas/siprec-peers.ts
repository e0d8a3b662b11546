/** Recording clients (SIPREC peers): how they are known, what holds for them, how they fare. */
import { z } from 'zod'
import { codecName, codecsRule, mostCodecs } from '../../core/codec-names.ts'
import { devicePasswordLength } from '../../core/extension-number.ts'
import { isNetwork } from '../../core/networks.ts'

/** What each lets pass stands in docs/siprec/peers.md. */
export const siprecDialects = ['rfc', 'lenient', 'network'] as const

const source = z.string().refine(isNetwork, { error: 'an address or a network such as 10.0.0.0/8' })

const changeable = {
  name: z.string().min(1).max(100),
  enabled: z.boolean().describe('Off: it is refused with 403.'),
  sources: z.array(source).max(100).readonly().describe('Addresses and networks it sends from.'),
  dialect: z
    .enum(siprecDialects)
    .describe(
      'How far it may depart from RFC 7866. `rfc`: not at all. `lenient`: the option tag or the feature tag may be missing. `network`: every call of it is recorded.',
    ),
  tags: z.array(z.string().min(1).max(64)).max(20).readonly().describe('Given to each of its recordings.'),
}

const optional = {
  username: z.string().min(1).max(100).describe('User name it answers our challenge with.'),
  certificate: z
    .string()
    .min(1)
    .max(255)
    .describe('A name in its TLS certificate, or the SHA-256 fingerprint of that; needs TLS_CLIENT_AUTH.'),
  srtp: z.enum(['none', 'accepted', 'mandatory']).describe('Whether its streams are encrypted; left out: SIPREC_SRTP.'),
  codecs: z
    .array(z.string().regex(codecName, { error: codecsRule }))
    .min(1)
    .max(mostCodecs)
    .readonly()
    .describe('The codecs that are taken from it, `others` for all that are not named; left out: all.'),
  retentionDays: z.int().min(1).max(36_500).describe('How long its recordings are kept.'),
  contact: z
    .string()
    .max(255)
    .regex(/^sips?:[^\s<>"]+$/i)
    .describe('Where it takes orders to record: `sip:sbc.example.com`.'),
}

const password = z.string().min(devicePasswordLength.min).max(devicePasswordLength.max)

export const siprecPeerStateSchema = z
  .object({
    sessionsNow: z.int(),
    sessions: z.int().describe('Since the start of the server.'),
    lastSessionAtMs: z.number().optional(),
    lastError: z.object({ atMs: z.number(), code: z.string(), text: z.string() }).optional(),
    lastPingAtMs: z.number().optional().describe('Its last OPTIONS.'),
    lastSource: z.string().optional().describe('Where it was seen last.'),
  })
  .meta({ id: 'SiprecPeerState' })
export type SiprecPeerState = z.infer<typeof siprecPeerStateSchema>

export const siprecPeerSchema = z
  .object({
    id: z.string(),
    origin: z.enum(['file', 'api']).describe('`file`: changed in patchbay.yaml alone.'),
    ...changeable,
    username: optional.username.optional(),
    certificate: optional.certificate.optional(),
    srtp: optional.srtp.optional(),
    codecs: optional.codecs.optional(),
    retentionDays: optional.retentionDays.optional(),
    contact: optional.contact.optional(),
    createdAtMs: z.number(),
    state: siprecPeerStateSchema,
  })
  .meta({ id: 'SiprecPeer' })
export type SiprecPeer = z.infer<typeof siprecPeerSchema>

export const siprecPeersSchema = z
  .object({
    items: z.array(siprecPeerSchema).readonly(),
    unnamed: siprecPeerStateSchema.describe('Of clients that no peer names, but SIPREC_ALLOWED_SOURCES admits.'),
  })
  .meta({ id: 'SiprecPeers' })
export type SiprecPeers = z.infer<typeof siprecPeersSchema>

export const newSiprecPeerSchema = z
  .strictObject({
    name: changeable.name,
    enabled: changeable.enabled.default(true),
    sources: changeable.sources.default([]),
    dialect: changeable.dialect.default('lenient'),
    tags: changeable.tags.default([]),
    username: optional.username.optional(),
    password: password.optional().describe('Goes with `username`; kept as hashes only.'),
    certificate: optional.certificate.optional(),
    srtp: optional.srtp.optional(),
    codecs: optional.codecs.optional(),
    retentionDays: optional.retentionDays.optional(),
    contact: optional.contact.optional(),
  })
  .meta({ id: 'NewSiprecPeer' })
export type NewSiprecPeer = z.input<typeof newSiprecPeerSchema>

export const siprecPeerChangesSchema = z
  .strictObject({
    name: changeable.name.optional(),
    enabled: changeable.enabled.optional(),
    sources: changeable.sources.optional(),
    dialect: changeable.dialect.optional(),
    tags: changeable.tags.optional(),
    username: optional.username
      .nullable()
      .optional()
      .describe('null: it signs in no more. A new one needs a password.'),
    password: password.optional(),
    certificate: optional.certificate.nullable().optional(),
    srtp: optional.srtp.nullable().optional().describe('null: as SIPREC_SRTP says.'),
    codecs: optional.codecs.nullable().optional().describe('null: all.'),
    retentionDays: optional.retentionDays.nullable().optional(),
    contact: optional.contact.nullable().optional(),
  })
  .meta({ id: 'SiprecPeerChanges' })
export type SiprecPeerChanges = z.input<typeof siprecPeerChangesSchema>

export const siprecPeerParams = z.object({ id: z.string().min(1).max(64) })

export const siprecOrderSchema = z
  .strictObject({ contact: optional.contact.optional().describe("Where to ask; left out: the peer's contact.") })
  .meta({ id: 'SiprecOrder' })
export type SiprecOrder = z.input<typeof siprecOrderSchema>

export const siprecOrderedSchema = z
  .object({
    callId: z.string(),
    status: z.int().describe("Of the client's answer; 200: it is being recorded."),
  })
  .meta({ id: 'SiprecOrdered' })
export type SiprecOrdered = z.infer<typeof siprecOrderedSchema>
