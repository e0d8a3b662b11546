/** The metadata of a SIPREC session: documents, communication sessions (RFC 7865), vendor facts. */
import { z } from 'zod'

const textList = z.array(z.string()).readonly()

export const communicationSessionSchema = z
  .object({
    id: z.string(),
    sipSessionIds: textList.describe('Of the recorded dialogs: RFC 7989 session ids, or Call-IDs.'),
    groupId: z.string().optional(),
    startedAtMs: z.number().optional(),
    stoppedAtMs: z.number().optional(),
    reasons: textList.describe('`SIP 486 Busy Here`.'),
    participants: z
      .array(
        z.object({
          id: z.string(),
          uris: textList,
          names: z.array(z.object({ text: z.string(), lang: z.string().optional() })).readonly(),
          present: z.boolean(),
          spans: z
            .array(z.object({ fromMs: z.number().optional(), untilMs: z.number().optional() }))
            .readonly()
            .describe('When it was there by the documents; one for each time it came.'),
          params: z.array(z.object({ name: z.string(), value: z.string() })).readonly(),
          sends: textList.describe('Labels of its streams.'),
          receives: textList,
        }),
      )
      .readonly(),
  })
  .meta({ id: 'CommunicationSession' })
export type CommunicationSession = z.infer<typeof communicationSessionSchema>

const text = z.string().optional()

export const vendorFactsSchema = z
  .object({
    type: z
      .enum([
        'oracle',
        'ribbon',
        'cisco',
        'broadworks',
        'avaya',
        'metaswitch',
        'audiocodes',
        'genesys',
        'jambonz',
        'opensips',
        'sems',
        'twilio',
      ])
      .optional(),
    ucid: text.describe('Universal Call ID of Avaya: 20 digits.'),
    userToUser: text,
    sessionId: text.describe('RFC 7989.'),
    ciscoGuid: text,
    ciscoRefci: text,
    gcid: text,
    callId: text.describe('Of the recorded dialog.'),
    genesysUuid: text,
    extTrackingId: text,
    serviceProviderId: text,
    userId: text,
    recordingType: text,
    jambonzCallSid: text,
    jambonzAccountSid: text,
    icid: text,
    headers: z.record(z.string(), z.string()).readonly().describe('X- headers of the INVITE, names in lower case.'),
    extensions: z
      .array(
        z.object({
          of: z.string().describe('The element it stands in: `recording`, `session`, `participant`.'),
          id: text,
          namespace: z.string(),
          path: z.string().describe('Names from outside in: `callData/gcid`, `header[Call-ID]/value`, `agent@id`.'),
          value: z.string(),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'VendorFacts' })
export type VendorFacts = z.infer<typeof vendorFactsSchema>

export const callMetadataSchema = z
  .object({
    documents: z
      .array(
        z.object({
          atMs: z.number(),
          raw: z.string().describe('As it came.'),
          problems: textList.describe('What was wrong with it.'),
        }),
      )
      .readonly(),
    sessions: z.array(communicationSessionSchema).readonly().describe('By all documents together.'),
    vendor: vendorFactsSchema.optional(),
  })
  .meta({ id: 'CallMetadata' })
export type CallMetadata = z.infer<typeof callMetadataSchema>
