/** Recording servers elsewhere, and the calls that are sent to them. */
import { z } from 'zod'

export const recordingServerSchema = z
  .object({
    name: z.string(),
    uri: z.string(),
    state: z.enum(['up', 'down', 'unknown']).describe('`unknown`: nothing was heard of it yet, or nobody asks.'),
    sinceMs: z.number().describe('Since when it is so.'),
    reason: z.string().optional().describe('Why it is down.'),
  })
  .meta({ id: 'RecordingServer' })

export const recordingServersSchema = z
  .object({ items: z.array(recordingServerSchema).readonly() })
  .meta({ id: 'RecordingServers' })
export type RecordingServers = z.infer<typeof recordingServersSchema>

const listRule = '`main`, or `main|spare`: the first that takes the call'

/** Lists of names of servers, each as one text. */
export const recordToSchema = z.array(
  z.string().regex(/^[a-z0-9-]{1,32}(\|[a-z0-9-]{1,32}){0,7}$/, { error: listRule }),
)

export const sendCallSchema = z
  .object({
    servers: recordToSchema.min(1).max(4).describe(`Lists of servers; each list gets the call: ${listRule}.`),
  })
  .meta({ id: 'SendCall' })

export const sentCallSchema = z
  .object({
    callId: z.string(),
    paused: z.boolean(),
    to: z
      .array(
        z.object({
          servers: z.array(z.string()).readonly(),
          server: z.string().optional().describe('The one that has the call now; none yet, or none any more.'),
        }),
      )
      .readonly(),
  })
  .meta({ id: 'SentCall' })
export type SentCall = z.infer<typeof sentCallSchema>
