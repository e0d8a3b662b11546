/** How long recordings are kept: rules, holds, what would go. */
import { z } from 'zod'
import { callKindSchema } from './common.ts'

const name = z.string().min(1).max(128)

export const newRetentionRuleSchema = z
  .strictObject({
    name,
    kind: callKindSchema.optional(),
    peer: name.optional().describe('Name of a SIPREC peer or a trunk.'),
    tag: z.string().min(1).max(64).optional(),
    extension: z.string().min(1).max(64).optional().describe('Who took part in the call.'),
    days: z.int().min(1).max(36_500).optional().describe('After the end of the recording; left out: for ever.'),
  })
  .meta({ id: 'NewRetentionRule' })
export type NewRetentionRule = z.infer<typeof newRetentionRuleSchema>

export const retentionRuleSchema = newRetentionRuleSchema
  .extend({ id: z.string(), createdAtMs: z.number() })
  .meta({ id: 'RetentionRule' })
export type RetentionRule = z.infer<typeof retentionRuleSchema>

export const retentionRulesSchema = z
  .object({
    items: z.array(retentionRuleSchema).readonly(),
    settingDays: z.int().describe('RECORDING_CLEANUP_DAYS, where nothing else applies; 0: for ever.'),
  })
  .meta({ id: 'RetentionRules' })
export type RetentionRules = z.infer<typeof retentionRulesSchema>

export const holdSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['recording', 'call', 'person']),
    subject: z
      .string()
      .describe('Id of the recording or call; of a person `number:4930123` or `address:a@example.com`.'),
    why: z.string(),
    placedBy: z.string(),
    placedAtMs: z.number(),
    liftedBy: z.string().optional(),
    liftedAtMs: z.number().optional(),
    liftedWhy: z.string().optional(),
  })
  .meta({ id: 'Hold' })
export type Hold = z.infer<typeof holdSchema>

export const holdsSchema = z.object({ items: z.array(holdSchema).readonly() }).meta({ id: 'Holds' })
export type Holds = z.infer<typeof holdsSchema>

const why = z.string().trim().min(1).max(1_000).describe('Kept with it: a case number, a name.')

export const newHoldSchema = z
  .strictObject({
    recordingId: z.string().min(1).max(128).optional(),
    callId: z.string().min(1).max(128).optional(),
    person: z
      .string()
      .min(1)
      .max(300)
      .optional()
      .describe('A number or an address; calls that come later are held too.'),
    why,
  })
  .refine(({ recordingId, callId, person }) => [recordingId, callId, person].filter(Boolean).length === 1, {
    error: 'one of recordingId, callId and person',
  })
  .meta({ id: 'NewHold' })
export type NewHold = z.input<typeof newHoldSchema>

export const holdsQuery = z.object({ all: z.enum(['true', 'false']).default('false').describe('Lifted ones too.') })
export const whyQuery = z.object({ why })

const reasonSchema = z.object({
  by: z.enum(['rule', 'call', 'setting']).describe('`call`: asked for with the call itself (X-Recording-Retention).'),
  ruleId: z.string().optional(),
  name: z.string().optional().describe('Of the rule.'),
  days: z.number().optional().describe('Absent: for ever.'),
})

const dueShape = {
  keepUntilMs: z.number().optional().describe('It is deleted after that; absent: never.'),
  counts: reasonSchema.describe('The longest of `reasons`.'),
  reasons: z.array(reasonSchema).readonly().describe('All that apply.'),
  holds: z.array(holdSchema).readonly().describe('While one stands nothing is deleted.'),
}

export const recordingRetentionSchema = z.object(dueShape).meta({ id: 'RecordingRetention' })
export type RecordingRetention = z.infer<typeof recordingRetentionSchema>

export const previewRequestSchema = z
  .strictObject({
    rules: z
      .array(newRetentionRuleSchema)
      .max(200)
      .optional()
      .describe('Tried instead of those that are kept; left out: those.'),
    limit: z.int().min(0).max(200).default(50),
  })
  .meta({ id: 'RetentionPreviewRequest' })
export type PreviewRequest = z.input<typeof previewRequestSchema>

export const previewSchema = z
  .object({
    items: z.array(
      z.object({
        recordingId: z.string(),
        callId: z.string(),
        startedAtMs: z.number(),
        endedAtMs: z.number(),
        ...dueShape,
      }),
    ),
    due: z.int().describe('How many would go now, and of these'),
    held: z.int().describe('how many a hold keeps.'),
    complete: z
      .boolean()
      .describe('False: there are more recordings than a preview looks at; these are of the oldest.'),
  })
  .meta({ id: 'RetentionPreview' })
export type Preview = z.infer<typeof previewSchema>

export const sweepResultSchema = z
  .object({ looked: z.int(), deleted: z.int(), held: z.int() })
  .meta({ id: 'RetentionSweep' })
export type SweepResult = z.infer<typeof sweepResultSchema>

export const orphansSchema = z
  .object({
    items: z.array(z.object({ name: z.string(), bytes: z.number(), changedAtMs: z.number() })).readonly(),
    complete: z.boolean().describe('False: there are more.'),
  })
  .meta({ id: 'OrphanFiles' })
export type Orphans = z.infer<typeof orphansSchema>
