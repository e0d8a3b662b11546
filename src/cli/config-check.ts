/**
 * `patchbay config check [FILE]`: what each variable of an environment, a `.env` or a settings file becomes, for who
 * comes from loreste/siprec or wants to know before the start.
 */
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'
import { type LoadedSettings, loadSettings, SettingsError, settingLeaves } from '../core/settings/load.ts'
import { shownValue } from '../core/settings/show.ts'
import { fateOf } from '../core/settings/siprec/fates.ts'
import { siprecNames } from '../core/settings/siprec/names.ts'

export interface CheckedSettings {
  /** One for each variable, and one for each value that came from a file. */
  readonly lines: readonly string[]
  /** The line that would end a start. */
  readonly error?: string
}

/**
 * @param file A `.env`, or a settings file in YAML or JSON; the environment and its CONFIG_FILE when left out.
 * @param env The environment that is asked when no file is given.
 */
export function checkSettings(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): CheckedSettings {
  const isSettingsFile = file !== undefined && /\.(?:ya?ml|json)$/i.test(file)
  const given = file === undefined ? env : isSettingsFile ? {} : readVariables(file)
  const meant = new Set(file === undefined ? [] : Object.keys(given))
  let loaded: LoadedSettings | undefined
  let error: string | undefined
  try {
    loaded = loadSettings({ env: given, meant, ...(isSettingsFile && { configFile: file }) })
  } catch (thrown) {
    if (!(thrown instanceof SettingsError)) throw thrown
    error = thrown.message
  }
  const rows = [...variableRows(given, loaded, file !== undefined), ...(loaded ? fileRows(loaded) : [])]
  const width = Math.max(0, ...rows.map(([name]) => name.length))
  return { lines: rows.map(([name, text]) => `${name.padEnd(width)}  ${text}`), ...(error && { error }) }
}

type Row = readonly [name: string, text: string]

/** @param strict A name that nobody knows is told: in a file made for this server it is a slip. */
function variableRows(
  given: Readonly<Record<string, string | undefined>>,
  loaded: LoadedSettings | undefined,
  strict: boolean,
): Row[] {
  const leaves = settingLeaves()
  const ours = new Set(leaves.map(({ env }) => env))
  const inForce = (env: string): string => {
    const leaf = leaves.find((one) => one.env === env)
    return leaf && loaded ? `${leaf.path.join('.')} = ${shownValue(loaded.settings, leaf)}` : env
  }
  return Object.keys(given)
    .filter((name) => given[name] !== '')
    .sort()
    .flatMap((name): Row[] => {
      const fate = fateOf(name, ours)
      if (fate?.kind === 'unsupported')
        return [[name, `${fate.group.protects ? 'NOT PROTECTED' : 'no effect'}: ${fate.group.why}`]]
      if (fate?.kind === 'rule') {
        const becomes = fate.rule.to.filter((to) => ours.has(to)).map(inForce)
        return [[name, `${becomes.join('; ')}   (${fate.rule.becomes})`]]
      }
      if (ours.has(name)) return [[name, inForce(name)]]
      if (name === 'CONFIG_FILE') return [[name, 'the settings file']]
      return strict ? [[name, 'no such variable, here or in loreste/siprec']] : []
    })
}

/** What a settings file gave, and what of it had no effect. */
function fileRows({ settings, sources, configFile, unsupported }: LoadedSettings): Row[] {
  if (configFile === undefined) return []
  const values = settingLeaves()
    .filter(({ path }) => sources.get(path.join('.')) === configFile)
    .map((leaf): Row => [leaf.path.join('.'), shownValue(settings, leaf)])
  const without = unsupported.flatMap(({ names, why, protects }) =>
    names.map((name): Row => [name, `${protects ? 'NOT PROTECTED' : 'no effect'}: ${why}`]),
  )
  return [...values, ...without.filter(([name]) => !siprecNames.has(name) || process.env[name] === undefined)]
}

function readVariables(path: string): Record<string, string | undefined> {
  try {
    return parseEnv(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new SettingsError(`${path}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
