/** Calls: the ones that live now, the ones that were, their SIP messages; SIPREC sessions. */
import { z } from 'zod'
import { callKindSchema, endReasonSchema, flagQuery, legRoleSchema, pageOf, pageQuery, partySchema } from './common.ts'
import { recordingSchema } from './recordings.ts'
import { vendorFactsSchema } from './siprec.ts'

export const qualitySchema = z
  .object({
    mos: z.number().optional().describe('Mean opinion score of a conversation, 1 to 4.5 (ITU-T G.107, G.107.1).'),
    rating: z.number().optional().describe('Transmission rating R: 93.2 at best, 129 on the wideband scale.'),
    scale: z.enum(['narrowband', 'wideband']).optional(),
    lossShare: z.number().describe('0 to 1.'),
    discardShare: z.number().describe('Came, but too late to be played; 0 to 1.'),
    concealedShare: z.number().optional().describe('Of the sound decoded here, what was made up; 0 to 1.'),
    burstRatio: z.number().describe('1 for losses at random, more when they come together.'),
    jitterMs: z.number(),
    delayMs: z.number().describe('One way on this side: half of the round trip, a packet, the jitter buffer.'),
    roundTripMs: z.number().optional(),
    levelDbov: z.number().optional().describe('Of the last seconds; 0 at most.'),
    heardByPeer: z
      .object({ lossShare: z.number(), jitterMs: z.number(), mos: z.number().optional() })
      .optional()
      .describe('How this party hears us, as it reports.'),
    verdicts: z
      .array(z.object({ code: z.string(), text: z.string(), advice: z.string() }))
      .readonly()
      .describe('What is wrong: now while the call lives, at its end all that ever was.'),
  })
  .meta({ id: 'Quality' })
export type Quality = z.infer<typeof qualitySchema>

export const mediaSummarySchema = z
  .object({
    codec: z.string().optional(),
    packetsReceived: z.int(),
    packetsLost: z.int(),
    packetsSent: z.int(),
    jitterMs: z.number().describe('Interarrival jitter, RFC 3550 §6.4.1.'),
    source: z.string().optional().describe('Where the packets came from, `192.0.2.1:4000`.'),
    quality: qualitySchema.optional(),
  })
  .meta({ id: 'MediaSummary' })
export type MediaSummary = z.infer<typeof mediaSummarySchema>

const encryptionSchema = z
  .enum(['none', 'sdes', 'dtls'])
  .describe('Of its audio: none, keys in the signalling, or agreed by DTLS.')
const suiteSchema = z.string().describe('Of SRTP, `AES_CM_128_HMAC_SHA1_80`; with DTLS once the handshake is over.')

export const legSchema = z
  .object({
    id: z.string(),
    role: legRoleSchema,
    party: partySchema,
    sipCallId: z.string(),
    transport: z.string(),
    remote: z.string().describe('Signalling address, `192.0.2.1:5060`.'),
    label: z.string().optional(),
    startedAtMs: z.number(),
    answeredAtMs: z.number().optional(),
    endedAtMs: z.number().optional(),
    codec: z.string().optional(),
    encryption: encryptionSchema.optional(),
    suite: suiteSchema.optional(),
    sipStatus: z.int().optional(),
    digits: z.string(),
    media: mediaSummarySchema.optional(),
  })
  .meta({ id: 'Leg' })
export type Leg = z.infer<typeof legSchema>

export const callSchema = z
  .object({
    id: z.string(),
    kind: callKindSchema,
    from: partySchema,
    to: partySchema,
    startedAtMs: z.number(),
    answeredAtMs: z.number().optional(),
    endedAtMs: z.number().optional(),
    endReason: endReasonSchema.optional(),
    sipStatus: z.int().optional(),
    metadataProblems: z.int().optional().describe('SIPREC: how many faults its metadata had.'),
    legs: z.array(legSchema).readonly(),
    recordings: z.array(recordingSchema).readonly(),
  })
  .meta({ id: 'Call' })
export type Call = z.infer<typeof callSchema>

export const liveLegSchema = z
  .object({
    id: z.string(),
    role: legRoleSchema,
    party: partySchema,
    state: z.enum(['calling', 'ringing', 'answered', 'ended']),
    sipCallId: z.string(),
    transport: z.string(),
    remote: z.string(),
    codec: z.string().optional(),
    encryption: encryptionSchema.optional(),
    suite: suiteSchema.optional(),
    label: z.string().optional(),
    quality: qualitySchema.optional().describe('As told last.'),
  })
  .meta({ id: 'LiveLeg' })
export type LiveLeg = z.infer<typeof liveLegSchema>

export const liveCallSchema = z
  .object({
    id: z.string(),
    kind: callKindSchema,
    from: partySchema,
    to: partySchema,
    startedAtMs: z.number(),
    answeredAtMs: z.number().optional(),
    recording: z.boolean(),
    legs: z.array(liveLegSchema).readonly(),
  })
  .meta({ id: 'LiveCall' })
export type LiveCall = z.infer<typeof liveCallSchema>

export const liveCallsSchema = z.object({ items: z.array(liveCallSchema).readonly() }).meta({ id: 'LiveCalls' })
export type LiveCalls = z.infer<typeof liveCallsSchema>

/** One call; `live` is there while it lives. `call` is what has been kept of it so far. */
export const callDetailSchema = z
  .object({ call: callSchema, live: liveCallSchema.optional(), vendor: vendorFactsSchema.optional() })
  .meta({ id: 'CallDetail' })
export type CallDetail = z.infer<typeof callDetailSchema>

export const callsQuerySchema = z.object({
  ...pageQuery,
  kind: callKindSchema.optional(),
  search: z
    .string()
    .max(200)
    .optional()
    .describe("Part of a party's URI, name or extension, of a SIP Call-ID, or of a key of another system."),
  key: z
    .string()
    .max(255)
    .optional()
    .describe('A number by which another system knows a SIPREC call, in full: UCID, Session-ID, gcid, …'),
  endReason: endReasonSchema.optional(),
  recorded: flagQuery.optional(),
  fromMs: z.coerce.number().int().optional(),
  untilMs: z.coerce.number().int().optional(),
})
export type CallsQuery = z.input<typeof callsQuerySchema>

export const callsPageSchema = pageOf(callSchema).meta({ id: 'CallsPage' })
export type CallsPage = z.infer<typeof callsPageSchema>

export const tracedMessageSchema = z
  .object({
    atMs: z.number(),
    direction: z.enum(['in', 'out']),
    transport: z.string(),
    local: z.string(),
    remote: z.string(),
    sipCallId: z.string(),
    summary: z.string().describe('The first line.'),
    text: z.string().describe('The whole message, credentials removed.'),
  })
  .meta({ id: 'TracedMessage' })
export type TracedMessage = z.infer<typeof tracedMessageSchema>

export const messagesSchema = z.object({ items: z.array(tracedMessageSchema).readonly() }).meta({ id: 'Messages' })
export type Messages = z.infer<typeof messagesSchema>

/** Which messages: all that is given has to fit. */
export const sipMessagesQuery = z.object({
  sipCallId: z.string().max(256).optional(),
  address: z.string().max(64).optional().describe("The peer's IP address."),
  search: z.string().max(200).optional().describe('Part of the message, such as `sip:101@` or `REGISTER`.'),
  limit: z.coerce.number().int().min(1).max(5_000).default(500).describe('The latest are given.'),
})
