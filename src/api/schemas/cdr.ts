/** Call detail records: one flat row for each call that has ended. */
import { z } from 'zod'
import { callKindSchema, endReasonSchema, flagQuery, pageOf, pageQuery } from './common.ts'
import { recordingStateSchema } from './recordings.ts'

export const cdrSchema = z
  .object({
    callId: z.string(),
    kind: callKindSchema,
    direction: z
      .enum(['internal', 'inbound', 'outbound', 'transit', 'recorded'])
      .describe('`recorded`: a SIPREC session. `transit`: from outside to outside.'),
    from: z.string(),
    fromName: z.string().optional(),
    fromExtension: z.string().optional(),
    to: z.string(),
    toName: z.string().optional(),
    toExtension: z.string().optional(),
    startedAtMs: z.number(),
    answeredAtMs: z.number().optional(),
    endedAtMs: z.number(),
    ringMs: z.number().describe('To the answer, or to the end when nobody answered.'),
    talkMs: z.number().describe('From the answer to the end; 0 when nobody answered.'),
    endReason: endReasonSchema,
    sipStatus: z.int().optional(),
    sipCallIds: z.array(z.string()).readonly(),
    codecs: z.array(z.string()).readonly(),
    mos: z.number().optional().describe('Of the leg that was heard worst (ITU-T G.107).'),
    packetsReceived: z.int(),
    packetsLost: z.int(),
    recordings: z.array(z.object({ id: z.string(), state: recordingStateSchema })).readonly(),
    peer: z.string().optional(),
    tags: z.array(z.string()).readonly(),
  })
  .meta({ id: 'Cdr' })
export type Cdr = z.infer<typeof cdrSchema>

const filter = {
  kind: callKindSchema.optional(),
  fromMs: z.coerce.number().int().optional().describe('Began at or after.'),
  untilMs: z.coerce.number().int().optional().describe('Began before.'),
  person: z.string().max(300).optional().describe('A number or an address in the call, in full.'),
  extension: z.string().max(64).optional(),
  tag: z.string().max(64).optional(),
  endReason: endReasonSchema.optional(),
  answered: flagQuery.optional(),
  recorded: flagQuery.optional(),
}

export const cdrFilterSchema = z.object(filter)
export const cdrQuerySchema = z.object({ ...pageQuery, ...filter })

export const cdrPageSchema = pageOf(cdrSchema).meta({ id: 'CdrPage' })
export type CdrPage = z.infer<typeof cdrPageSchema>
