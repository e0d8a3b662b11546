/** `patchbay prompts`: what can be said, and a WAV of it to listen to. */
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Settings } from '../core/settings/schema.ts'
import type { Grammar } from '../prompts/grammar.ts'
import { PromptLibrary } from '../prompts/library.ts'
import { sayDate, sayDigits, sayDuration, sayNumber, sayOrdinal, sayTime } from '../prompts/say.ts'
import { promptWav } from '../prompts/sound.ts'
import { UsageError } from './expected.ts'

export interface PromptsContext {
  readonly rest: readonly string[]
  readonly language: string | undefined
  readonly output: string | undefined
}

/** @returns The exit status. */
export async function runPrompts(settings: Settings, context: PromptsContext): Promise<number> {
  const [action, ...what] = context.rest
  const library = new PromptLibrary({
    folder: settings.prompts.dir,
    cacheFolder: join(settings.data.dir, 'prompts'),
  })
  const tag = context.language ?? settings.prompts.language
  if (action === 'list' && what.length === 0) return list(library, context.language)
  if (action === 'make' && what.length === 0) {
    console.log(`${await library.prepare(tag)} prompts of ${tag} are ready`)
    return 0
  }
  if (action !== 'say' || what.length === 0)
    throw new UsageError('prompts: must be list, make, or say with what to say; see patchbay --help')
  const { grammar } = await library.language(tag)
  const names = what.flatMap((word) => promptsFor(grammar, word))
  const path = context.output ?? 'prompt.wav'
  await write(path, promptWav(await library.sound(tag, names)))
  console.log(`${names.join(' ')}\n${path}`)
  return 0
}

async function write(path: string, wav: Uint8Array): Promise<void> {
  try {
    await writeFile(path, wav)
  } catch (cause) {
    throw new UsageError(`--output: ${(cause as Error).message}`, { cause })
  }
}

async function list(library: PromptLibrary, tag: string | undefined): Promise<number> {
  if (tag === undefined) for (const known of await library.languages()) console.log(known)
  else for (const [name, text] of Object.entries((await library.language(tag)).texts)) console.log(`${name}\t${text}`)
  return 0
}

/** What a word of the command line stands for: a kind with its value, a number, a time, a date, or a prompt by name. */
export function promptsFor(grammar: Grammar, word: string): readonly string[] {
  try {
    const [, kind, value = ''] = /^(ordinal|digits|duration):(.+)$/.exec(word) ?? []
    if (kind === 'ordinal') return sayOrdinal(grammar, Number(value))
    if (kind === 'digits') return sayDigits(value)
    if (kind === 'duration') return sayDuration(grammar, Number(value))
    if (/^-?\d+$/.test(word)) return sayNumber(grammar, Number(word))
    const [, hour, minute] = /^(\d{1,2}):(\d{2})$/.exec(word) ?? []
    if (hour !== undefined) return sayTime(grammar, Number(hour), Number(minute))
    const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(word) ?? []
    if (year !== undefined) return sayDate(grammar, { year: Number(year), month: Number(month), day: Number(day) })
    return [word]
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message)
    throw error
  }
}
