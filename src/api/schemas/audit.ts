/** The audit record: who did what. */
import { z } from 'zod'

export const auditRecordSchema = z
  .object({
    sequence: z.int().describe('1, 2, 3… without a gap.'),
    atMs: z.number(),
    who: z.string().describe('Name of the user or API key; `server` when nobody asked.'),
    via: z.enum(['session', 'api-key', 'token', 'command-line', 'server']),
    source: z.string().optional().describe('The IP address it was asked from.'),
    action: z.string().describe('`recording.deleted`'),
    subject: z.string().optional().describe('A kind and an id, `recording:Xk3v…`.'),
    details: z.record(z.string(), z.unknown()),
    previous: z.string().describe('The hash of the record before.'),
    hash: z.string().describe('SHA-256 over this record and `previous`.'),
  })
  .meta({ id: 'AuditRecord' })
export type AuditRecord = z.infer<typeof auditRecordSchema>

export const auditQuerySchema = z.object({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.coerce.number().int().min(1).optional().describe('`nextCursor` of the page before.'),
  action: z.string().max(64).optional().describe('`recording.deleted`, or `recording` for all that begin so.'),
  who: z.string().max(128).optional(),
  subject: z.string().max(256).optional(),
  fromMs: z.coerce.number().int().optional(),
  untilMs: z.coerce.number().int().optional(),
})
export type AuditQuery = z.input<typeof auditQuerySchema>

export const auditPageSchema = z
  .object({ items: z.array(auditRecordSchema).readonly(), nextCursor: z.int().optional() })
  .meta({ id: 'AuditPage' })
export type AuditPage = z.infer<typeof auditPageSchema>

export const auditVerdictSchema = z
  .object({
    intact: z.boolean(),
    records: z.int().describe('How many were checked.'),
    head: z.string().describe('Hash of the last one: note it elsewhere, and a later check can look for it.'),
    broken: z
      .object({
        sequence: z.int(),
        fault: z
          .enum(['missing', 'changed', 'unlinked'])
          .describe('`missing`: taken out. `changed`: not what was hashed. `unlinked`: not made for the one before.'),
      })
      .optional()
      .describe('The first that does not fit.'),
    headFound: z.boolean().optional().describe('Whether `head` of the request is still among them.'),
  })
  .meta({ id: 'AuditVerdict' })
export type AuditVerdict = z.infer<typeof auditVerdictSchema>

export const auditVerifyQuery = z.object({
  head: z
    .string()
    .regex(/^[0-9a-f]{64}$/, '64 hexadecimal digits')
    .optional()
    .describe('A hash that was the head once, from the log or an earlier check.'),
})
