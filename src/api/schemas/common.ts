/**
 * What several routes of the API share. The console and the command line take their types from this folder,
 * so nothing here imports anything but zod and what core/ has of rules.
 *
 * Times are milliseconds since 1970 (`…AtMs`), durations are in the unit their name ends with.
 */
import { z } from 'zod'

/** An error answer, `application/problem+json` (RFC 9457) with a code to branch on. */
export const problemSchema = z
  .object({
    type: z.string().describe('`about:blank` or a page that explains the code.'),
    title: z.string().describe('What went wrong, in one sentence.'),
    status: z.int().describe('The HTTP status.'),
    code: z.string().describe('Stable; branch on this: `auth.required`, `directory.exists`.'),
    detail: z.string().optional().describe('More about this one occurrence.'),
    error: z.string().optional().describe('`detail`, else `title`: where clients of loreste/siprec look.'),
    fields: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .describe('Validation only: what is wrong where, `body.number`.'),
  })
  .meta({ id: 'Problem' })
export type Problem = z.infer<typeof problemSchema>

export const roleSchema = z
  .enum(['admin', 'operator', 'viewer'])
  .describe('A viewer reads; an operator pauses recordings besides; an administrator changes everything.')
export type Role = z.infer<typeof roleSchema>

export const callKindSchema = z.enum(['pbx', 'siprec'])
export type CallKind = z.infer<typeof callKindSchema>

export const legRoleSchema = z.enum(['caller', 'callee', 'stream'])
export type LegRole = z.infer<typeof legRoleSchema>

export const endReasonSchema = z.enum([
  'hangup',
  'cancelled',
  'busy',
  'declined',
  'no-answer',
  'unreachable',
  'not-found',
  'not-allowed',
  'no-common-codec',
  'encryption-failed',
  'transferred',
  'media-timeout',
  'media-lost',
  'limit',
  'shutdown',
  'interrupted',
  'failed',
])
export type EndReason = z.infer<typeof endReasonSchema>

/** Someone at an end of a call. */
export const partySchema = z
  .object({
    uri: z.string(),
    name: z.string().optional(),
    extension: z.string().optional(),
    private: z.boolean().optional().describe('Asked not to be named to who is called.'),
  })
  .meta({ id: 'Party' })
export type Party = z.infer<typeof partySchema>

/** Limit and cursor of a list, newest first. */
export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(200).optional().describe('`nextCursor` of the page before.'),
}

/** One page of a list; `nextCursor` is absent on the last. */
export const pageOf = <Item extends z.ZodType>(item: Item) =>
  z.object({ items: z.array(item).readonly(), nextCursor: z.string().optional() })

/** `?recorded=true` */
export const flagQuery = z.enum(['true', 'false']).transform((text) => text === 'true')

export const idParams = z.object({ id: z.string().min(1).max(128) })
