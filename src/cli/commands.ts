/** What each command does. */
import { text } from 'node:stream/consumers'
import { addExtension, addPerson, makeApiKey, withDatabase } from '../administration.ts'
import { loadSettings } from '../core/settings/load.ts'
import { settingsMarkdown, showSettings } from '../core/settings/show.ts'
import { UsageError } from './expected.ts'

export interface CommandContext {
  /** What stands behind the command's name. */
  readonly rest: readonly string[]
  readonly configFile: string | undefined
  readonly once: boolean
  readonly markdown: boolean
  readonly displayName: string | undefined
  readonly role: string | undefined
  readonly passwordFromStdin: boolean
}

type Command = (context: CommandContext) => Promise<number>

const load = ({ configFile }: CommandContext) => loadSettings(configFile === undefined ? {} : { configFile })

function argument(context: CommandContext, index: number, what: string): string {
  const given = context.rest[index]
  if (given === undefined || given === '') throw new UsageError(`${what} is missing; see patchbay --help`)
  return given
}

function roleOf({ role }: CommandContext): 'admin' | 'viewer' {
  if (role === undefined || role === 'viewer') return 'viewer'
  if (role === 'admin') return 'admin'
  throw new UsageError(`--role: "${role}" was given; must be admin or viewer`)
}

/** A password never comes as an argument: those are seen by every user of the machine. */
async function passwordOf({ passwordFromStdin }: CommandContext): Promise<string | undefined> {
  if (!passwordFromStdin) return undefined
  const password = (await text(process.stdin)).trim()
  if (password.length < 8) throw new UsageError('the password must have at least 8 characters')
  return password
}

const serve: Command = async (context) => {
  const { serveUntilStopped } = await import('../main.ts')
  return serveUntilStopped(load(context))
}

const demo: Command = async (context) => {
  const { runDemo } = await import('../demo/demo.ts')
  return runDemo({ once: context.once })
}

const config: Command = async (context) => {
  console.log(context.markdown ? settingsMarkdown() : showSettings(load(context)))
  return 0
}

const extension: Command = async (context) => {
  const { settings } = load(context)
  const action = argument(context, 0, 'add, list or remove')
  return withDatabase(settings, async ({ directory }) => {
    if (action === 'list') {
      for (const { number, displayName } of directory.list()) console.log(`${number}\t${displayName}`)
      return 0
    }
    const number = argument(context, 1, 'the number')
    if (action === 'remove') {
      await directory.remove(number)
      console.log(`extension ${number} removed`)
      return 0
    }
    if (action !== 'add') throw new UsageError(`extension: "${action}" was given; must be add, list or remove`)
    if (!/^[0-9A-Za-z_.+-]{1,32}$/.test(number))
      throw new UsageError(`"${number}" was given; a number is 1 to 32 letters, digits or _ . + -`)
    const given = await passwordOf(context)
    const password = await addExtension(directory, settings.sip.realm, {
      number,
      ...(context.displayName !== undefined && { name: context.displayName }),
      ...(given !== undefined && { password: given }),
    })
    console.log(`extension ${number} added`)
    if (given === undefined) console.log(`password ${password}   (shown once)`)
    return 0
  })
}

const user: Command = async (context) => {
  const { settings } = load(context)
  const action = argument(context, 0, 'add')
  if (action !== 'add') throw new UsageError(`user: "${action}" was given; must be add`)
  const name = argument(context, 1, 'the name')
  const given = await passwordOf(context)
  const password = await withDatabase(settings, (database) => addPerson(database, name, roleOf(context), given))
  console.log(`user ${name} added`)
  if (given === undefined) console.log(`password ${password}   (shown once)`)
  return 0
}

const apikey: Command = async (context) => {
  const { settings } = load(context)
  const action = argument(context, 0, 'create')
  if (action !== 'create') throw new UsageError(`apikey: "${action}" was given; must be create`)
  const name = argument(context, 1, 'the name')
  const key = await withDatabase(settings, (database) => makeApiKey(database, name, roleOf(context)))
  console.log(`${key}   (shown once)`)
  return 0
}

export const commands: Readonly<Record<string, Command>> = { serve, demo, config, extension, user, apikey }
