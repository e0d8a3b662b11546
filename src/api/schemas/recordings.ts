/** Recordings: the files of one recorded call and who is on which channel. */
import { z } from 'zod'
import { callKindSchema, flagQuery, pageOf, pageQuery, partySchema } from './common.ts'

export const recordingFileSchema = z
  .object({
    name: z
      .string()
      .describe(
        'Ask for it under `/api/recordings/:id/files/:name` (percent-encoded). With `.sealed` at its end it is encrypted on disk; sent it is in the clear.',
      ),
    kind: z
      .enum(['leg', 'combined', 'raw'])
      .describe(
        '`raw`: packets of a codec that is not decoded, in the format rtpdump; or its frames in the format of the codec.',
      ),
    legId: z.string().optional(),
    label: z.string().optional().describe('SIPREC: the label of the stream.'),
    channels: z.int().describe('0 of packets.'),
    sampleRateHz: z.int(),
    samples: z.int().describe('Per channel.'),
    bytes: z.int().describe('In the clear.'),
    startedAtMs: z.number().describe('Wall time of the first sample.'),
  })
  .meta({ id: 'RecordingFile' })
export type RecordingFile = z.infer<typeof recordingFileSchema>

export const participantSchema = z
  .object({
    uri: z.string().optional(),
    name: z.string().optional(),
    legId: z.string().optional(),
    label: z.string().optional(),
    channel: z.int().optional().describe('Channel of the combined file with this voice.'),
    guessed: z.boolean().optional().describe('The channel was guessed from the order of the streams.'),
    heard: z
      .array(
        z.object({
          fromMs: z.number(),
          untilMs: z.number().optional(),
          statedFromMs: z.number().optional().describe('By the clock of the recording client.'),
          statedUntilMs: z.number().optional(),
        }),
      )
      .readonly()
      .optional()
      .describe('When it was on that leg; open at the end: until the end.'),
  })
  .meta({ id: 'Participant' })
export type Participant = z.infer<typeof participantSchema>

export const recordingStateSchema = z
  .enum(['recording', 'stored', 'interrupted', 'failed', 'deleting', 'deleted'])
  .describe('`deleting`: its files are being removed. `deleted`: they are gone; what is known of it stays.')

export const recordingMarkSchema = z
  .object({
    kind: z
      .enum(['paused', 'muted', 'silent'])
      .describe('`muted`: one leg. `silent`: nothing came of one leg for RTP_TIMEOUT.'),
    what: z.enum(['recording', 'transcription']).optional(),
    legId: z.string().optional(),
    fromMs: z.number().describe('Wall time, as `startedAtMs` of a file.'),
    untilMs: z.number().optional().describe('Absent when it lasted until the end.'),
    by: z.enum(['api', 'digits', 'signalling', 'time']),
    who: z.string().optional().describe('The user, the API key, or the extension.'),
  })
  .meta({ id: 'RecordingMark' })
export type RecordingMark = z.infer<typeof recordingMarkSchema>

export const recordedLegSchema = z
  .object({
    legId: z.string(),
    verdict: z.string().describe('In plain words.'),
    codes: z.array(z.string()).readonly().describe('Of what was wrong with it at any time; none when nothing was.'),
    packetsReceived: z.int(),
    packetsLost: z.int(),
    packetsRefused: z.int(),
    jitterMs: z.number(),
    lossShare: z.number().optional(),
    mos: z.number().optional(),
  })
  .meta({ id: 'RecordedLeg' })
export type RecordedLeg = z.infer<typeof recordedLegSchema>

export type RecordingState = z.infer<typeof recordingStateSchema>

const recordingShape = {
  id: z.string(),
  callId: z.string(),
  state: recordingStateSchema,
  startedAtMs: z.number(),
  durationMs: z.number().optional(),
  peer: z.string().optional().describe('The SIPREC peer, or the trunk that the call came in by.'),
  retentionDays: z.number().optional().describe('Asked for with the call itself: days after its end.'),
  deletedAtMs: z.number().optional(),
  tags: z.array(z.string()).readonly(),
  files: z.array(recordingFileSchema).readonly(),
  participants: z.array(participantSchema).readonly(),
  marks: z
    .array(recordingMarkSchema)
    .readonly()
    .optional()
    .describe(
      'Stretches that were kept off the disk, or in which nothing came, oldest first; absent when there were none.',
    ),
  heard: z.array(recordedLegSchema).readonly().optional().describe('How well its legs were heard.'),
}

export const recordingSchema = z.object(recordingShape).meta({ id: 'Recording' })
export type Recording = z.infer<typeof recordingSchema>

/** A recording with what a list has to show of its call. */
export const recordingWithCallSchema = z
  .object({
    ...recordingShape,
    call: z.object({ kind: callKindSchema, from: partySchema, to: partySchema }),
  })
  .meta({ id: 'RecordingWithCall' })
export type RecordingWithCall = z.infer<typeof recordingWithCallSchema>

export const recordingsQuerySchema = z.object({
  ...pageQuery,
  kind: callKindSchema.optional(),
  search: z.string().max(200).optional(),
  fromMs: z.coerce.number().int().optional(),
  untilMs: z.coerce.number().int().optional(),
  person: z.string().max(300).optional().describe('Somebody in the call, in full: a number or an address.'),
  peer: z.string().max(128).optional(),
  tag: z.string().max(64).optional().describe('Of the recording or its call.'),
  minDurationMs: z.coerce.number().int().min(0).optional(),
  maxDurationMs: z.coerce.number().int().min(0).optional(),
  verdict: z.string().max(64).optional().describe('Code of a quality verdict, `one-way-audio`.'),
  held: flagQuery.optional().describe('Whether a legal hold stands on it.'),
  state: recordingStateSchema.optional(),
  count: flagQuery.optional().describe('Count them all, `total`.'),
})
export type RecordingsQuery = z.input<typeof recordingsQuerySchema>

export const recordingsPageSchema = pageOf(recordingWithCallSchema)
  .extend({ total: z.int().optional().describe('Of all pages, when asked for; 10000: so many or more.') })
  .meta({ id: 'RecordingsPage' })
export type RecordingsPage = z.infer<typeof recordingsPageSchema>

export const recordingFileParams = z.object({ id: z.string().min(1).max(128), name: z.string().min(1).max(512) })

/** A copy of one file in an archive. */
export const copySchema = z
  .object({
    file: z.string().describe('As it is called on the disk.'),
    store: z.enum(['local', 's3', 'gcs', 'azure']),
    uri: z.string().describe('Where it lies: `s3://bucket/key`.'),
    bytes: z.int(),
    sha256: z.string().describe('In hex; compared when it was stored.'),
    storedAtMs: z.number(),
    cold: z.boolean().describe('It was moved to the colder class of its store.'),
  })
  .meta({ id: 'Copy' })
export type Copy = z.infer<typeof copySchema>

export const copiesSchema = z.object({ items: z.array(copySchema).readonly() }).meta({ id: 'Copies' })
export type Copies = z.infer<typeof copiesSchema>
