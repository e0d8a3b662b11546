/**
 * The command line: `patchbay <command>`. Each command is one function; what goes wrong ends in one line and status 1.
 */
import { parseArgs } from 'node:util'
import { asStartError } from '../start-error.ts'
import { type CommandContext, commands } from './commands.ts'
import { isExpected } from './expected.ts'

const usage = `usage: patchbay <command> [options]

  serve                         start the server
  demo [--once]                 two phones and a recording client call each other; shows what was recorded
  config [--markdown]           settings in force and where each came from
  config check [FILE]           what each variable of the environment, a .env or a settings file becomes
  doctor                        what a start needs: ports, folders, certificates, limits; what to do about each
  extension add NUMBER [--name NAME] [--srtp MODE] [--codecs opus,PCMA]   prints the password once; --password-stdin reads one
  extension list | remove NUMBER
  user add NAME [--role admin|operator|viewer]  prints the password once; --password-stdin reads one
  apikey create NAME [--role admin|operator|viewer]   prints the key once
  jobs list [--state waiting|running|failed] [--kind KIND]   what still has to be done
  jobs retry ID | cancel ID     a running server takes notice within seconds
  archive backfill [--dry-run]    jobs for recordings that were stored before archiving, or proof, was switched on
  prompts list [--language TAG]   names and texts; without a language, the languages
  prompts say WHAT... [--language TAG] [--output FILE]   a WAV of a prompt, 21, 14:05, 2026-11-20, ordinal:3, digits:0049, duration:90
  prompts make [--language TAG]   speaks all prompts of a language at once

  cdr [--format csv|jsonl] [--from 2026-11-01] [--until DATE] [--person NUMBER] [--extension N] [--tag T] [--output FILE]
  export --person NUMBER | --call ID --output FILE   everything of a person or a call as one zip, sound decrypted
  erase --person NUMBER | --call ID    what would be erased; with --yes --why TEXT the server erases it
  erase show ERASURE              what was erased, and whether anything is left
  retention rules | why RECORDING | preview | orphans   what is kept how long, what would go now, files of no recording
  retention add NAME [--days N] [--peer P] [--tag T] [--extension N] [--kind pbx|siprec]   without days: for ever
  retention remove RULE
  hold list | lift HOLD --why TEXT
  hold add --recording ID | --call ID | --person NUMBER --why TEXT   nothing of it is deleted while the hold stands
  audit list [--subject recording:ID] [--limit N]   who did what, newest first, as JSON lines
  audit verify [--head HASH]      whether the record is whole; HASH: one that the log or an earlier check told

  recording verify NAME | --all   whether its files are as they were when it was stored, or what was changed, missing or added
  recording decrypt FILE [--output FILE] [--unfinished] [--key FILE] [--rate HZ]   .sealed; .siprec of loreste/siprec with its key
  recording keys list | rotate | rewrap   master keys; a new one; all files under the one in force

  --config FILE                 patchbay.yaml; else CONFIG_FILE
  --help                        this text`

const options = {
  config: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
  once: { type: 'boolean' },
  markdown: { type: 'boolean' },
  name: { type: 'string' },
  role: { type: 'string' },
  srtp: { type: 'string' },
  codecs: { type: 'string' },
  'password-stdin': { type: 'boolean' },
  language: { type: 'string' },
  output: { type: 'string' },
  all: { type: 'boolean' },
  unfinished: { type: 'boolean' },
  key: { type: 'string' },
  rate: { type: 'string' },
  state: { type: 'string' },
  kind: { type: 'string' },
  head: { type: 'string' },
  days: { type: 'string' },
  yes: { type: 'boolean' },
  'dry-run': { type: 'boolean' },
  format: { type: 'string' },
  from: { type: 'string' },
  until: { type: 'string' },
  peer: { type: 'string' },
  tag: { type: 'string' },
  extension: { type: 'string' },
  recording: { type: 'string' },
  call: { type: 'string' },
  person: { type: 'string' },
  why: { type: 'string' },
  limit: { type: 'string' },
  subject: { type: 'string' },
} as const

/** @returns The exit status. */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    const [name = '', ...rest] = positionals
    if (values.help || name === 'help') {
      console.log(usage)
      return 0
    }
    const command = commands[name]
    if (!command) {
      console.error(name === '' ? usage : `patchbay: there is no command "${name}"; see patchbay --help`)
      return 2
    }
    const context: CommandContext = {
      rest,
      configFile: values.config,
      once: values.once ?? false,
      markdown: values.markdown ?? false,
      displayName: values.name,
      role: values.role,
      srtp: values.srtp,
      codecs: values.codecs,
      passwordFromStdin: values['password-stdin'] ?? false,
      language: values.language,
      output: values.output,
      given: values,
    }
    return await command(context)
  } catch (thrown) {
    const error = asStartError(thrown)
    if (!isExpected(error)) throw thrown
    console.error(`patchbay: ${error.message}`)
    return 1
  }
}
