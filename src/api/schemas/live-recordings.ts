/** Recordings that are being made, and orders to them. */
import { z } from 'zod'

const scope = z
  .enum(['recording', 'transcription', 'both'])
  .optional()
  .describe('`recording` when left out. Transcription is remembered and told; nothing transcribes yet.')

export const resumeSchema = z.object({ what: scope }).meta({ id: 'Resume' })

export const pauseSchema = z
  .object({
    what: scope,
    autoResumeSeconds: z
      .number()
      .positive()
      .max(86_400)
      .optional()
      .describe('Goes on by itself after so long, MAX_PAUSE_DURATION at most; else as PAUSE_AUTO_RESUME says.'),
  })
  .meta({ id: 'Pause' })

export const muteSchema = z
  .object({ legIds: z.array(z.string().min(1).max(128)).min(1).max(64).optional() })
  .meta({ id: 'Mute' })

export const liveRecordingSchema = z
  .object({
    id: z.string(),
    callId: z.string(),
    legIds: z.array(z.string()).readonly().describe('Legs that are recorded.'),
    recordingPaused: z.boolean(),
    transcriptionPaused: z.boolean(),
    pausedAtMs: z.number().optional().describe('Since when either is.'),
    autoResumeAtMs: z.number().optional(),
    mutedLegs: z.array(z.string()).readonly(),
  })
  .meta({ id: 'LiveRecording' })
export type LiveRecording = z.infer<typeof liveRecordingSchema>

export const liveRecordingsSchema = z
  .object({ items: z.array(liveRecordingSchema).readonly() })
  .meta({ id: 'LiveRecordings' })
export type LiveRecordings = z.infer<typeof liveRecordingsSchema>
