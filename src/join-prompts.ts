/** Lets the phone system speak: prompts of the library, in the language of the settings. */
import { join } from 'node:path'
import type { Logger } from './core/logger.ts'
import type { Settings } from './core/settings/schema.ts'
import type { Speak } from './pbx/speech.ts'
import { PromptLibrary } from './prompts/library.ts'

/** What cannot be spoken is said in the log, once for each prompt. */
export function speakFrom({ prompts, data }: Settings, log: Logger): Speak {
  const library = new PromptLibrary({ folder: prompts.dir, cacheFolder: join(data.dir, 'prompts') })
  const missing = new Set<string>()
  return async (...names) => {
    try {
      return await library.sounds(prompts.language, names)
    } catch (error) {
      const prompt = names.join(' ')
      if (!missing.has(prompt)) log.warn('a prompt cannot be spoken', { prompt, language: prompts.language, error })
      missing.add(prompt)
      return []
    }
  }
}
