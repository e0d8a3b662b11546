/** Settings of pausing recordings. */
import { z } from 'zod'
import { duration, flag, fromText, setting, text } from './fields.ts'

const digitsError = 'up to 8 of 0-9 * # A-D, or nothing'
const digits = () =>
  fromText((given) => given.toUpperCase(), z.string().regex(/^[0-9*#A-D]{0,8}$/, { error: digitsError }))

export const pauseSettings = {
  honorPreference: setting(flag().default(false), {
    env: 'RECORDING_HONOR_PREFERENCE',
    description:
      'A party of a call between two whose phone asks for it (`a=recordpref:off` or `pause`, RFC 7866) pauses its recording, here and elsewhere, until none of the two asks for it any more. When it is false, that is told as a fact and changes nothing.',
  }),
  notice: setting(text().default('none'), {
    env: 'RECORDING_NOTICE',
    description:
      'What parties of a recorded call hear of that: `none`, `tone` (a beep every 15 s), or the path of a WAV or Ogg Opus file that is played once. Phones that show `a=record` (`Supported: record-aware`) are told by that, whatever stands here.',
  }),
  pausesRecording: setting(flag().default(true), {
    env: 'PAUSE_RECORDING',
    description: 'Pauses by the routes of loreste/siprec that do not say so stop the recording.',
  }),
  pausesTranscription: setting(flag().default(true), {
    env: 'PAUSE_TRANSCRIPTION',
    description: 'Pauses by those routes that do not say so stop the transcription, once there is one.',
  }),
  pauseDigits: setting(digits().default(''), {
    env: 'RECORDING_PAUSE_DIGITS',
    description:
      'What one of our extensions presses in a call to pause its recording, and again to resume it, such as `*1`. Who calls from outside cannot. Empty: nothing.',
  }),
  maxPause: setting(duration().default(0), {
    env: 'MAX_PAUSE_DURATION',
    description: 'The longest that a request may pause a recording; longer ones are cut to it. 0: no bound.',
  }),
  autoResume: setting(flag().default(false), {
    env: 'PAUSE_AUTO_RESUME',
    description:
      'Pauses that do not say for how long end by themselves after MAX_PAUSE_DURATION. When it is false, or that is 0, they last until they are resumed.',
  }),
}
