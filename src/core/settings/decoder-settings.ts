/** Programs that decode what this server does not. */
import { z } from 'zod'
import { fromText, setting } from './fields.ts'

const error = 'a map of G729, AMR, AMR-WB or EVS to a program and its arguments, {"G729": ["ffmpeg", "-f", "g729", …]}'

const decoders = () =>
  fromText(
    (given) => {
      try {
        return given === '' ? {} : (JSON.parse(given) as unknown)
      } catch {
        return given
      }
    },
    z.partialRecord(
      z.enum(['G729', 'AMR', 'AMR-WB', 'EVS'], { error }),
      z.array(z.string().min(1, { error }), { error }).min(1, { error }),
      { error },
    ),
  )

export const decoderSettings = {
  decoders: setting(decoders().default({}), {
    env: 'RECORDING_DECODERS',
    description:
      'What decodes legs in codecs that this server does not, after the call: a map of `G729`, `AMR`, `AMR-WB` and `EVS` to a program and its arguments; in the environment as JSON. It reads the frames from its stdin, as in a file of that codec, and writes 16-bit samples of one channel to its stdout: 8 kHz, of `AMR-WB` and `EVS` 16. Started without a shell ([how](recordings.md#codecs-that-are-not-decoded)).',
  }),
}
