/** Who is shut out of SIP, and why. */
import { z } from 'zod'

export const banSchema = z
  .object({
    source: z.string().describe('An IPv4 address, or the /64 of an IPv6 one.'),
    why: z.enum(['guessing', 'scanning']),
    who: z.string().optional().describe('The user name it tried last.'),
    sinceMs: z.number(),
    untilMs: z.number(),
  })
  .meta({ id: 'Ban' })
export type Ban = z.infer<typeof banSchema>

export const bansSchema = z.object({ items: z.array(banSchema).readonly() }).meta({ id: 'Bans' })
export type Bans = z.infer<typeof bansSchema>

export const banQuerySchema = z.object({ source: z.string().min(1).max(64).describe('As the list names it.') })
