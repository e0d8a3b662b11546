/** Trunks of the settings, and how they fare. */
import { z } from 'zod'

export const trunkSchema = z
  .object({
    name: z.string(),
    host: z.string(),
    state: z.enum(['up', 'down', 'unknown']).describe('`unknown`: nothing was heard of it yet, or nobody asks.'),
    sinceMs: z.number().describe('Since when it is so.'),
    reason: z.string().optional().describe('Why it is down.'),
    server: z.string().optional().describe('The server that answered last: `udp 192.0.2.1:5060`.'),
    lastAnswerAtMs: z.number().optional(),
    roundTripMs: z.number().optional().describe('From the last OPTIONS to its answer.'),
    registration: z
      .object({
        state: z.enum(['registering', 'registered', 'failed', 'closed']),
        untilMs: z.number().optional().describe('Registered: until when, unless refreshed.'),
        retryAtMs: z.number().optional().describe('Failed: when it is tried again.'),
      })
      .optional()
      .describe('Of trunks that register.'),
  })
  .meta({ id: 'Trunk' })
export type Trunk = z.infer<typeof trunkSchema>

export const trunksSchema = z.object({ items: z.array(trunkSchema).readonly() }).meta({ id: 'Trunks' })
export type Trunks = z.infer<typeof trunksSchema>
