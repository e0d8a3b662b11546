/** What each command does. What may be given is the API's rule. */
import { text } from 'node:stream/consumers'
import type { z } from 'zod'
import { addExtension, addPerson, auditHere, makeApiKey, withDatabase } from '../administration.ts'
import { newApiKeySchema, newUserSchema } from '../api/schemas/auth.ts'
import { newExtensionSchema } from '../api/schemas/extensions.ts'
import { dotEnvPath, readDotEnv } from '../core/settings/dot-env.ts'
import { type LoadedSettings, loadSettings } from '../core/settings/load.ts'
import { settingsMarkdown, showSettings } from '../core/settings/show.ts'
import { UsageError, wrongWord } from './expected.ts'

export interface CommandContext {
  /** What stands behind the command's name. */
  readonly rest: readonly string[]
  readonly configFile: string | undefined
  readonly once: boolean
  readonly markdown: boolean
  readonly displayName: string | undefined
  readonly role: string | undefined
  readonly srtp: string | undefined
  /** Names, separated by commas. */
  readonly codecs: string | undefined
  readonly passwordFromStdin: boolean
  readonly language: string | undefined
  readonly output: string | undefined
  /** Every option as given, by its name. */
  readonly given: Readonly<Record<string, string | boolean | undefined>>
}

type Command = (context: CommandContext) => Promise<number>

const load = (context: CommandContext) => reader(context)()

/** Reads environment, `.env` and file; again each time it is called. */
function reader({ configFile }: CommandContext): () => LoadedSettings {
  let fromDotEnv: ReadonlySet<string> = new Set()
  return () => {
    fromDotEnv = readDotEnv(dotEnvPath, process.env, fromDotEnv)
    return loadSettings({ meant: fromDotEnv, ...(configFile !== undefined && { configFile }) })
  }
}

function argument(context: CommandContext, index: number, what: string): string {
  const given = context.rest[index]
  if (given === undefined || given === '') throw new UsageError(`${what} is missing; see patchbay --help`)
  return given
}

/** @param most Words the command takes; one more is a slip such as a forgotten `--name`. */
function noMoreThan(context: CommandContext, most: number): void {
  const extra = context.rest[most]
  if (extra !== undefined) throw new UsageError(`"${extra}" was given besides; see patchbay --help`)
}

/** A password never comes as an argument: those are seen by every user of the machine. */
async function passwordOf({ passwordFromStdin }: CommandContext): Promise<string | undefined> {
  if (!passwordFromStdin) return undefined
  return (await text(process.stdin)).replace(/\r?\n$/, '')
}

export function checked<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const parsed = schema.safeParse(given)
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  throw new UsageError(`${issue?.path.join('.')}: ${issue?.message}`)
}

const serve: Command = async (context) => {
  noMoreThan(context, 0)
  const { serveUntilStopped } = await import('../main.ts')
  return serveUntilStopped(reader(context))
}

const demo: Command = async (context) => {
  noMoreThan(context, 0)
  const { runDemo } = await import('../demo/demo.ts')
  return runDemo({ once: context.once })
}

const config: Command = async (context) => {
  if (context.rest[0] === 'check') {
    noMoreThan(context, 2)
    readDotEnv()
    const { checkSettings } = await import('./config-check.ts')
    const { lines, error } = checkSettings(context.rest[1] ?? context.configFile, process.env)
    for (const line of lines) console.log(line)
    if (error !== undefined) console.error(`patchbay: ${error}`)
    return error === undefined ? 0 : 1
  }
  noMoreThan(context, 0)
  console.log(context.markdown ? settingsMarkdown() : showSettings(load(context)))
  return 0
}

const doctor: Command = async (context) => {
  noMoreThan(context, 0)
  const { settings } = load(context)
  const { examine } = await import('../doctor.ts')
  const findings = await examine(settings)
  for (const { level, what, text: found } of findings) console.log(`${level.padEnd(5)} ${what.padEnd(11)} ${found}`)
  return findings.some(({ level }) => level === 'fail') ? 1 : 0
}

const extension: Command = async (context) => {
  const { settings } = load(context)
  const action = argument(context, 0, 'add, list or remove')
  return withDatabase(settings, async (database) => {
    const { directory } = database
    if (action === 'list') {
      noMoreThan(context, 1)
      for (const { number, displayName } of directory.list()) console.log(`${number}\t${displayName}`)
      return 0
    }
    if (action !== 'add' && action !== 'remove') throw wrongWord('extension', action, 'add, list or remove')
    const number = argument(context, 1, 'the number')
    noMoreThan(context, 2)
    if (action === 'remove') {
      await directory.remove(number)
      await auditHere(database, 'extension.removed', `extension:${number}`)
      console.log(`extension ${number} removed`)
      return 0
    }
    const given = await passwordOf(context)
    const { displayName, srtp } = context
    const codecs = context.codecs?.split(',').map((name) => name.trim())
    const wanted = checked(newExtensionSchema, { number, displayName, srtp, codecs, password: given })
    const password = await addExtension(directory, settings.sip.realm, wanted)
    await auditHere(database, 'extension.added', `extension:${number}`)
    console.log(`extension ${number} added`)
    if (given === undefined) console.log(`password ${password}   (shown once)`)
    return 0
  })
}

const user: Command = async (context) => {
  const { settings } = load(context)
  const action = argument(context, 0, 'add')
  if (action !== 'add') throw wrongWord('user', action, 'add')
  const named = argument(context, 1, 'the name')
  noMoreThan(context, 2)
  const given = await passwordOf(context)
  const { name, role } = checked(newUserSchema, { name: named, role: context.role ?? 'viewer', password: given })
  const password = await withDatabase(settings, async (database) => {
    const made = await addPerson(database, name, role, given)
    await auditHere(database, 'user.added', `user:${name}`, { role })
    return made
  })
  console.log(`user ${name} added`)
  if (given === undefined) console.log(`password ${password}   (shown once)`)
  return 0
}

const apikey: Command = async (context) => {
  const { settings } = load(context)
  const action = argument(context, 0, 'create')
  if (action !== 'create') throw wrongWord('apikey', action, 'create')
  const named = argument(context, 1, 'the name')
  noMoreThan(context, 2)
  const { name, role } = checked(newApiKeySchema, { name: named, role: context.role ?? 'viewer' })
  const key = await withDatabase(settings, async (database) => {
    const made = await makeApiKey(database, name, role)
    await auditHere(database, 'api-key.made', `api-key:${made.apiKey.id}`, { name, role })
    return made.key
  })
  console.log(`${key}   (shown once)`)
  return 0
}

const jobs: Command = async (context) => {
  const { runJobs } = await import('./jobs.ts')
  return runJobs(load(context).settings, context)
}

const archive: Command = async (context) => {
  const { runArchive } = await import('./archive.ts')
  return runArchive(load(context).settings, context)
}

const prompts: Command = async (context) => {
  const { runPrompts } = await import('./prompts.ts')
  return runPrompts(load(context).settings, context)
}

const audit: Command = async (context) => {
  const { runAudit } = await import('./audit.ts')
  return runAudit(load(context).settings, context)
}

const retention: Command = async (context) => {
  const { runRetention } = await import('./retention.ts')
  return runRetention(load(context).settings, context)
}

const hold: Command = async (context) => {
  const { runHold } = await import('./retention.ts')
  return runHold(load(context).settings, context)
}

const recording: Command = async (context) => {
  const { runRecording } = await import('./recording.ts')
  return runRecording(load(context).settings, context)
}

const cdr: Command = async (context) => {
  const { runCdr } = await import('./cdr.ts')
  return runCdr(load(context).settings, context)
}

const exportAll: Command = async (context) => {
  const { runExport } = await import('./compliance.ts')
  return runExport(load(context).settings, context)
}

const erase: Command = async (context) => {
  const { runErase } = await import('./compliance.ts')
  return runErase(load(context).settings, context)
}

export const commands: Readonly<Record<string, Command>> = {
  serve,
  demo,
  config,
  doctor,
  extension,
  user,
  apikey,
  jobs,
  archive,
  prompts,
  audit,
  retention,
  hold,
  recording,
  cdr,
  export: exportAll,
  erase,
}
