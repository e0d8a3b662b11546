/**
 * Prompts by language and name: where their sound is, and how they are put together.
 *
 *   PROMPTS_DIR/de/goodbye.wav      somebody's own recording: first
 *   DATA_DIR/prompts/de/…           made before
 *   sounds/en/…                     shipped, English
 *   espeak-ng                       made now, and kept in DATA_DIR/prompts
 *
 * All come as WAV files of 16 kHz and one level, which a player can open. A language is known by its folder or because it
 * comes with us; a folder may bring `grammar.ts` or `grammar.js` (default export: a `Grammar`), and is spelled without.
 */
import { createHash } from 'node:crypto'
import { access, mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { decodeWav } from '../codec/wav.ts'
import { languages, primaryTag, type SpokenLanguage } from './catalogue.ts'
import { PromptError } from './failures.ts'
import type { Grammar } from './grammar.ts'
import { spelled } from './languages/spelled.ts'
import { shippedPrompt } from './shipped.ts'
import { preparePrompt, promptRateHz, promptWav } from './sound.ts'
import { espeak, type Synthesize } from './synthesizer.ts'

export interface PromptLibraryOptions {
  /** Own recordings: a folder for each language. */
  readonly folder: string
  /** Where made prompts are kept. */
  readonly cacheFolder: string
  /** Default: espeak-ng where it is installed. */
  readonly synthesize?: Synthesize
}

/** Between two prompts of one saying. */
const gapMs = 40
const languageTag = /^[a-z]{2,3}([-_][a-z0-9]{2,8})*$/i
const promptName = /^[a-z0-9]+(-[a-z0-9]+)*$/

export class PromptLibrary {
  readonly #options: Required<PromptLibraryOptions>
  /** Prompts being made, so that two callers make one. */
  readonly #making = new Map<string, Promise<string>>()
  readonly #languages = new Map<string, Promise<SpokenLanguage>>()

  constructor(options: PromptLibraryOptions) {
    const { folder, cacheFolder, synthesize = espeak } = options
    this.#options = { folder: resolve(folder), cacheFolder: resolve(cacheFolder), synthesize }
  }

  /** Tags of the languages that can be spoken, ours and those of the folder. */
  async languages(): Promise<readonly string[]> {
    const folders = await readdir(this.#options.folder, { withFileTypes: true }).catch(() => [])
    const named = folders.filter((entry) => entry.isDirectory() && languageTag.test(entry.name)).map(({ name }) => name)
    return [...new Set([...Object.keys(languages), ...named])].sort()
  }

  /**
   * The grammar and the texts of a language: of its own folder, or of the language before its hyphen (`de` for `de-AT`).
   * @throws {PromptError} `prompts.no-language`.
   */
  language(tag: string): Promise<SpokenLanguage> {
    const known = this.#languages.get(tag)
    if (known) return known
    const loading = this.#load(tag)
    // A folder that is not there yet may come
    loading.then(
      () => this.#languages.set(tag, loading),
      () => {},
    )
    return loading
  }

  async #load(tag: string): Promise<SpokenLanguage> {
    const ours = languages[primaryTag(tag)]
    const folder = await this.#folderOf(tag)
    if (!languageTag.test(tag) || !(ours || folder)) throw new PromptError('prompts.no-language', tag)
    const grammar = folder === undefined ? undefined : await ownGrammar(folder)
    return { grammar: grammar ?? ours?.grammar ?? spelled, texts: ours?.texts ?? {} }
  }

  /** Folders of a person's prompts for a tag, the nearer first: `de-at`, then `de`. */
  async #folderOf(tag: string): Promise<string | undefined> {
    if (!languageTag.test(tag)) return undefined
    for (const name of new Set([tag, primaryTag(tag)])) {
      const folder = join(this.#options.folder, name)
      if (await exists(folder)) return folder
    }
    return undefined
  }

  /**
   * Path of a WAV file with this prompt; made when it is not there yet.
   * @throws {PromptError} `prompts.no-language`, `prompts.no-prompt`, `prompts.no-voice`, `prompts.bad-sound`.
   */
  async find(tag: string, name: string): Promise<string> {
    const { texts } = await this.language(tag)
    if (!promptName.test(name)) throw new PromptError('prompts.no-prompt', name)
    for (const folder of new Set([tag, primaryTag(tag)])) {
      const own = join(this.#options.folder, folder, `${name}.wav`)
      if (await exists(own)) return own
    }
    const text = texts[name]
    if (text === undefined) throw new PromptError('prompts.no-prompt', `${name} (${tag})`)
    const language = primaryTag(tag)
    // Another text is another file
    const version = createHash('sha256').update(text).digest('hex').slice(0, 8)
    const path = join(this.#options.cacheFolder, language, `${name}.${version}.wav`)
    if (await exists(path)) return path
    const making = this.#making.get(path) ?? this.#make(language, name, text, path)
    this.#making.set(path, making)
    try {
      return await making
    } finally {
      this.#making.delete(path)
    }
  }

  async #make(language: string, name: string, text: string, path: string): Promise<string> {
    const samples = (await shippedPrompt(language, name)) ?? (await this.#options.synthesize(language, text))
    if (!samples) throw new PromptError('prompts.no-voice', `${name} (${language})`)
    await mkdir(join(this.#options.cacheFolder, language), { recursive: true })
    // Whole or not at all: a player may open it at any time
    const temporary = `${path}.${process.pid}.part`
    await writeFile(temporary, promptWav(samples))
    await rename(temporary, path)
    return path
  }

  /**
   * Several prompts as the sounds that a port plays: `port.sound.play(await library.sounds('de', sayNumber(…)))`.
   * @throws {PromptError} As `find`.
   */
  async sounds(tag: string, names: readonly string[]): Promise<readonly { readonly file: string }[]> {
    const files: { readonly file: string }[] = []
    for (const name of names) files.push({ file: await this.find(tag, name) })
    return files
  }

  /** Make all prompts of a language, so that no call waits for one. @returns How many there are. */
  async prepare(tag: string): Promise<number> {
    const names = Object.keys((await this.language(tag)).texts)
    for (const name of names) await this.find(tag, name)
    return names.length
  }

  /**
   * Several prompts as one sound of 16 kHz, for listening and for players that take sound from memory.
   * @throws {PromptError} As `find`.
   */
  async sound(tag: string, names: readonly string[]): Promise<Int16Array> {
    const gap = new Int16Array((promptRateHz * gapMs) / 1000)
    const pieces: Int16Array[] = []
    for (const name of names) {
      const path = await this.find(tag, name)
      const sound = decodeWav(await readFile(path))
      if (!sound) throw new PromptError('prompts.bad-sound', path)
      const made = path.startsWith(this.#options.cacheFolder)
      pieces.push(made ? sound.channel(0) : preparePrompt(sound), gap)
    }
    const whole = new Int16Array(pieces.reduce((sum, piece) => sum + piece.length, 0))
    let at = 0
    for (const piece of pieces) {
      whole.set(piece, at)
      at += piece.length
    }
    return whole
  }
}

const exists = (path: string): Promise<boolean> =>
  access(path).then(
    () => true,
    () => false,
  )

async function ownGrammar(folder: string): Promise<Grammar | undefined> {
  for (const file of ['grammar.ts', 'grammar.js']) {
    const path = join(folder, file)
    if (!(await exists(path))) continue
    const module = (await import(pathToFileURL(path).href)) as { readonly default?: Grammar }
    return module.default
  }
  return undefined
}
