/** Health and status. Field names in snake case are those that SIPREC monitoring in the field already reads. */
import { z } from 'zod'

export const healthSchema = z
  .object({
    status: z.enum(['healthy', 'unhealthy']),
    timestamp: z.string().describe('ISO 8601.'),
    uptime: z.string().describe('`1h2m3s`'),
    version: z.string(),
    checks: z.record(z.string(), z.object({ status: z.enum(['healthy', 'unhealthy']), message: z.string() })),
    system: z.object({
      memory_mb: z.number(),
      cpu_count: z.int(),
      active_calls: z.int(),
      ports_in_use: z.int(),
    }),
  })
  .meta({ id: 'Health' })
export type Health = z.infer<typeof healthSchema>

export const aliveSchema = z.object({ status: z.literal('alive') }).meta({ id: 'Alive' })
export type Alive = z.infer<typeof aliveSchema>

export const readySchema = z
  .object({ status: z.enum(['ready', 'not_ready']), reasons: z.array(z.string()) })
  .meta({ id: 'Ready' })
export type Ready = z.infer<typeof readySchema>

/** Where SIP is spoken: what to point a phone or an SBC at. */
export const sipListenerSchema = z.object({
  transport: z.enum(['udp', 'tcp', 'tls', 'ws', 'wss']),
  ip: z.string().describe('The address to use from outside, not the wildcard it may be bound to.'),
  port: z.int(),
})

export const statusSchema = z
  .object({
    status: z.literal('ok'),
    version: z.string(),
    started_at: z.string(),
    uptime: z.string(),
    uptimeSeconds: z.int(),
    active_calls: z.int().describe('Calls of all kinds.'),
    active_sessions: z.int().describe('Of these, SIPREC sessions.'),
    registrations: z.int(),
    media: z.object({ io: z.enum(['dgram', 'native']) }).describe('How packets come in and go out.'),
    sip: z.object({ domain: z.string(), listeners: z.array(sipListenerSchema).readonly() }),
  })
  .meta({ id: 'Status' })
export type Status = z.infer<typeof statusSchema>
