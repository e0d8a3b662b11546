/**
 * What of a running recording session has to be known to go on with it: its dialog, its streams, and the messages that
 * told who is in it, which are read again rather than what was made of them.
 */
import { z } from 'zod'
import { type SrtpSuite, srtpSuites } from '../../core/srtp.ts'
import { dialectNames } from '../peers/dialects.ts'
import { siprecSrtpModes } from '../peers/peer.ts'

const suites = Object.keys(srtpSuites) as [SrtpSuite, ...SrtpSuite[]]
const address = z.object({ ip: z.string(), port: z.number() })

const dialog = z.object({
  side: z.enum(['caller', 'called']),
  id: z.object({ callId: z.string(), localTag: z.string(), remoteTag: z.string() }),
  flow: z.object({
    transport: z.enum(['udp', 'tcp', 'tls', 'ws', 'wss']),
    reliable: z.boolean(),
    local: address,
    remote: address,
  }),
  local: z.string(),
  remote: z.string(),
  remoteTarget: z.string(),
  routeSet: z.array(z.string()),
  localSeq: z.number(),
  remoteSeq: z.number().optional(),
  stay: z.boolean(),
  contactUser: z.string().optional(),
  contactParams: z.string().optional(),
  session: z.object({
    expiresS: z.number().optional(),
    weRefresh: z.boolean().optional(),
    peerKnows: z.boolean().optional(),
    takesUpdate: z.boolean(),
    takesInfo: z.boolean().optional(),
    description: z.string().optional(),
  }),
})

const stream = z.object({
  index: z.number(),
  legId: z.string(),
  rtpPort: z.number(),
  remote: z.object({ ip: z.string(), rtpPort: z.number(), rtcpPort: z.number() }).optional(),
  key: z.object({ suite: z.enum(suites), master: z.string(), mkiBytes: z.number() }).optional(),
})

const terms = z.object({
  name: z.string().optional(),
  dialect: z.enum(dialectNames),
  srtp: z.enum(siprecSrtpModes).optional(),
  codecs: z.array(z.string()).optional(),
  retentionDays: z.number().optional(),
  tags: z.array(z.string()),
})

const checkpointSchema = z.object({
  version: z.literal(1),
  /** Of the call. */
  id: z.string(),
  startedAtMs: z.number(),
  answeredAtMs: z.number(),
  terms,
  /** The INVITE, then the requests that had metadata: one character a byte. */
  messages: z.array(z.object({ atMs: z.number(), text: z.string() })),
  /** The client's description that holds now. */
  description: z.string(),
  ours: z.object({ address: z.string(), sessionId: z.string(), version: z.number() }),
  streams: z.array(stream),
  dialog,
})

export type Checkpoint = z.infer<typeof checkpointSchema>

/** Undefined for what another version wrote, or nobody. */
export function readCheckpoint(text: string): Checkpoint | undefined {
  try {
    return checkpointSchema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}
