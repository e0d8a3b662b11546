/**
 * Recording sessions in the words of loreste/siprec, beside ours. Snake case is theirs; what a field means stands here,
 * where theirs leaves it open.
 */
import { z } from 'zod'
import { liveCallSchema } from './calls.ts'

/** `id` or the SIP Call-ID of the recording session, percent-encoded. */
export const sessionParams = z.object({ id: z.string().min(1).max(512) })

export const siprecSessionSchema = liveCallSchema
  .extend({
    call_id: z.string().describe('The SIP Call-ID of the recording session.'),
    state: z.enum(['connecting', 'connected']),
    created_at: z.string().describe('ISO 8601.'),
    participants: z.array(z.string()).readonly().describe('Their addresses.'),
    recording_path: z.string().optional().describe('Where the combined file will be.'),
    paused: z.boolean(),
  })
  .meta({ id: 'SiprecSession' })
export type SiprecSession = z.infer<typeof siprecSessionSchema>

export const siprecSessionsSchema = z
  .object({ sessions: z.array(siprecSessionSchema).readonly(), count: z.int() })
  .meta({ id: 'SiprecSessions' })

export const sessionsQuery = z.object({
  id: z.string().max(512).optional().describe('One session, as itself and not in a list.'),
})

export const sessionStatsSchema = z
  .object({
    active_calls: z.int().describe('Of all kinds.'),
    active_sessions: z.int(),
    recording_sessions: z.int(),
    paused_sessions: z.int(),
    muted_sessions: z.int(),
    active_streams: z.int(),
    timestamp: z.string(),
  })
  .meta({ id: 'SessionStats' })
export type SessionStats = z.infer<typeof sessionStatsSchema>

/** What is left out is as PAUSE_RECORDING and PAUSE_TRANSCRIPTION say. */
export const pauseOrderSchema = z
  .object({ pause_recording: z.boolean().optional(), pause_transcription: z.boolean().optional() })
  .meta({ id: 'PauseOrder' })
export type PauseOrder = z.infer<typeof pauseOrderSchema>

export const pauseStatusSchema = z
  .object({
    session_id: z.string().describe('The SIP Call-ID.'),
    is_paused: z.boolean(),
    recording_paused: z.boolean(),
    transcription_paused: z.boolean(),
    paused_at: z.string().optional(),
    pause_duration: z.number().optional().describe('Nanoseconds.'),
    auto_resume_at: z.string().optional(),
  })
  .meta({ id: 'PauseStatus' })
export type Pause = z.infer<typeof pauseStatusSchema>

const bySession = <Value extends z.ZodType>(value: Value) => z.record(z.string(), value)
export const pauseStatusesSchema = bySession(pauseStatusSchema)
export const pausedAllSchema = z.object({ message: z.string(), statuses: pauseStatusesSchema })

/** What is left out is muted: both, unless one is named. */
export const muteOrderSchema = z
  .object({ mute_inbound: z.boolean().optional(), mute_outbound: z.boolean().optional() })
  .meta({ id: 'SiprecMuteOrder' })
export type MuteOrder = z.infer<typeof muteOrderSchema>

export const muteStatusSchema = z
  .object({
    session_id: z.string(),
    is_muted: z.boolean(),
    mute_inbound: z.boolean().describe("The caller's stream."),
    mute_outbound: z.boolean().describe('The other streams.'),
  })
  .meta({ id: 'MuteStatus' })
export type Mute = z.infer<typeof muteStatusSchema>
export const muteStatusesSchema = bySession(muteStatusSchema)
