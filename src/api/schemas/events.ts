/**
 * The WebSocket at `/api/events`: each fact as one JSON text, as soon as it is told.
 *
 * `?kinds=call,leg` or a message `{"type":"subscribe","kinds":["call","leg"]}` narrows it to facts whose name starts
 * so; all kinds otherwise. `call.traced` is left out: ask `/api/calls/:id/messages`.
 */
import { z } from 'zod'

const factKinds = [
  'archive',
  'call',
  'erasure',
  'export',
  'job',
  'leg',
  'message',
  'registration',
  'recording',
  'siprec',
  'security',
  'server',
  'srs',
  'trunk',
  'worker',
] as const
const factKindSchema = z.enum(factKinds)
export type FactKind = z.infer<typeof factKindSchema>

/** A fact: its name, when, and the fields that docs/events.md lists for it. */
export const eventSchema = z.looseObject({ name: z.string(), atMs: z.number() }).meta({ id: 'Event' })
export type Event = z.infer<typeof eventSchema>

export const subscribeSchema = z.strictObject({ type: z.literal('subscribe'), kinds: z.array(factKindSchema) })

export const eventsQuerySchema = z.object({
  kinds: z
    .string()
    .max(200)
    .optional()
    .transform((text) => text?.split(',').map((kind) => kind.trim()))
    .pipe(z.array(factKindSchema).optional())
    .describe('Comma list of kinds.'),
})

/** Why the server closed the socket (4000-4999 are the application's, RFC 6455 §7.4.2). */
export const eventsCloseCodes = {
  /** Wrong message from the client. */
  badMessage: 4400,
  /** The session or the key ended. */
  signedOut: 4401,
  /** The reader was too slow: reconnect and read the lists anew. */
  tooSlow: 4408,
  /** The server stops (RFC 6455 §7.4.1). */
  goingAway: 1001,
} as const
