/** What can go wrong with prompts, and whose fault it is. */
import type { FailureTable } from '../core/failures.ts'

export const promptFailures = {
  'prompts.no-language': { fault: 'caller', text: 'There is no such language: neither here nor in PROMPTS_DIR' },
  'prompts.no-prompt': { fault: 'caller', text: 'There is no prompt of this name' },
  'prompts.no-voice': {
    fault: 'us',
    text: 'No sound for this prompt: install espeak-ng, or put a WAV file into PROMPTS_DIR',
  },
  'prompts.bad-sound': { fault: 'us', text: 'The sound of a prompt is no WAV file of 16-bit PCM or G.711' },
} as const satisfies FailureTable

export class PromptError extends Error {
  override readonly name = 'PromptError'
  readonly code: keyof typeof promptFailures
  /** @param what The language or prompt it is about. */
  constructor(code: keyof typeof promptFailures, what: string, options?: ErrorOptions) {
    super(`${promptFailures[code].text}: ${what}`, options)
    this.code = code
  }
}
