/** Exports and erasures: giving people what is kept of them, and taking it away. */
import { z } from 'zod'

const person = z.string().min(1).max(300)

const subjectShape = {
  callId: z.string().min(1).max(128).optional(),
  person: z
    .union([person, z.array(person).min(1).max(20)])
    .optional()
    .describe('A number or an address, or all under which the same person is known.'),
}
const oneOfBoth = (given: { callId?: string | undefined; person?: unknown }): boolean =>
  (given.callId === undefined) !== (given.person === undefined)
const oneOfBothError = { error: 'one of callId and person' }

export const exportRequestSchema = z
  .strictObject(subjectShape)
  .refine(oneOfBoth, oneOfBothError)
  .meta({ id: 'ExportRequest' })
export type ExportRequest = z.input<typeof exportRequestSchema>

const subjectSchema = z.union([
  z.object({ kind: z.literal('call'), callId: z.string() }),
  z.object({ kind: z.literal('person'), keys: z.array(z.string()).readonly() }),
])

export const exportSchema = z
  .object({
    id: z.string(),
    subject: subjectSchema,
    state: z.enum(['waiting', 'running', 'ready', 'failed', 'expired']),
    askedBy: z.string(),
    askedAtMs: z.number(),
    done: z.int().describe('Parts that are written, of'),
    total: z.int().describe('so many; 0 while they are not counted.'),
    bytes: z.number().optional(),
    sha256: z.string().optional().describe('Of the archive.'),
    expiresAtMs: z.number().optional(),
    error: z.string().optional(),
    missing: z
      .int()
      .optional()
      .describe('It is incomplete: so many files could not be read; `index.json` in it says which, and why.'),
  })
  .meta({ id: 'Export' })
export type Export = z.infer<typeof exportSchema>

export const exportsSchema = z.object({ items: z.array(exportSchema).readonly() }).meta({ id: 'Exports' })
export type Exports = z.infer<typeof exportsSchema>

export const erasureRequestSchema = z
  .strictObject({
    ...subjectShape,
    dryRun: z.boolean().default(true).describe('Only tell what would go. Send false to erase.'),
    why: z
      .string()
      .trim()
      .min(1)
      .max(1_000)
      .optional()
      .describe('Needed to erase; stands in the audit record: no names.'),
  })
  .refine(oneOfBoth, oneOfBothError)
  .refine(({ dryRun, why }) => dryRun || why !== undefined, { error: 'why is missing' })
  .meta({ id: 'ErasureRequest' })
export type ErasureRequest = z.input<typeof erasureRequestSchema>

const countsShape = {
  calls: z.int(),
  recordings: z.int(),
  files: z.int().describe('On this machine.'),
  copies: z.record(z.string(), z.int()).describe('In archives, by store.'),
  rows: z.record(z.string(), z.int()).describe('By table of the database.'),
  mentions: z.int().describe('SIP messages and documents of other calls in which the number or address stands.'),
  exports: z.int(),
  jobs: z.int(),
}

export const erasurePreviewSchema = z
  .object({
    ...countsShape,
    items: z
      .array(z.object({ callId: z.string(), startedAtMs: z.number(), recordings: z.int() }))
      .readonly()
      .describe('The first hundred of the calls.'),
    refused: z.object({ code: z.string(), text: z.string() }).optional().describe('Why it would be refused.'),
  })
  .meta({ id: 'ErasurePreview' })
export type ErasurePreview = z.infer<typeof erasurePreviewSchema>

export const erasureSchema = z
  .object({
    id: z.string(),
    kind: z.enum(['call', 'person']),
    state: z
      .enum(['running', 'done', 'incomplete'])
      .describe('`done`: the scan at the end found nothing. `incomplete`: `report.left` says what is left and why.'),
    askedBy: z.string(),
    askedAtMs: z.number(),
    finishedAtMs: z.number().optional(),
    waits: z
      .string()
      .optional()
      .describe('Why it is still `running`: a file or copy could not be removed. It is tried again.'),
    report: z
      .object({
        ...countsShape,
        left: z.array(z.object({ where: z.string(), count: z.int(), why: z.string() })).readonly(),
        verified: z.boolean(),
      })
      .optional(),
    auditHash: z.string().optional().describe('Of the audit record that holds the report.'),
  })
  .meta({ id: 'Erasure' })
export type Erasure = z.infer<typeof erasureSchema>

export const erasuresSchema = z.object({ items: z.array(erasureSchema).readonly() }).meta({ id: 'Erasures' })
export type Erasures = z.infer<typeof erasuresSchema>
