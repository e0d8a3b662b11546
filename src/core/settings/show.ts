/** Settings shown to people: `patchbay config`, and docs/configuration.md. */
import { type Leaf, type LoadedSettings, settingLeaves } from './load.ts'
import { type Settings, settingsSchema } from './schema.ts'

const mask = '********'
/** An empty secret is none, and may be seen to be none. */
const isGiven = (value: unknown): boolean => (Array.isArray(value) ? value.length > 0 : value !== '')
const lists = ['extensions', 'trunks', 'siprecPeers', 'recordingServers', 'certificates'] as const
const at = (settings: Settings, path: readonly string[]): unknown =>
  path.reduce<unknown>((inner, key) => (inner as Record<string, unknown>)[key], settings)

/** One line a setting: path, value in force, where it came from. Secrets masked. */
export function showSettings({ settings, sources }: LoadedSettings): string {
  const rows = settingLeaves().map((leaf) => {
    const dotted = leaf.path.join('.')
    return [dotted, shownValue(settings, leaf), `${sources.get(dotted)} (${leaf.env})`] as const
  })
  const listed = lists.flatMap((key) =>
    settings[key].map((entry, index) => [`${key}[${index}]`, JSON.stringify(maskPasswords(entry)), 'file'] as const),
  )
  const all = [...rows, ...listed]
  const width = Math.max(...all.map(([path]) => path.length))
  return all.map(([path, value, source]) => `${path.padEnd(width)}  ${value}  # ${source}`).join('\n')
}

/** The value in force of one setting, as it may be seen. */
export function shownValue(settings: Settings, leaf: Leaf): string {
  const value = at(settings, leaf.path)
  if (leaf.secret && isGiven(value)) return mask
  return isDuration(leaf) ? seconds(value) : JSON.stringify(withoutPassword(value))
}

/** All of them as a tree like that of patchbay.yaml, with secrets masked and durations as people write them. */
export function maskedSettings(settings: Settings): Record<string, unknown> {
  const tree = structuredClone(settings) as unknown as Record<string, unknown>
  for (const leaf of settingLeaves()) {
    const value = at(settings, leaf.path)
    if (leaf.secret ? isGiven(value) : isDuration(leaf)) put(tree, leaf.path, leaf.secret ? mask : seconds(value))
    else if (typeof value === 'string') put(tree, leaf.path, withoutPassword(value))
  }
  for (const key of lists) tree[key] = settings[key].map(maskPasswords)
  return tree
}

/** A URL may hold one: `redis://user:password@host`. */
const withoutPassword = (value: unknown): unknown =>
  typeof value === 'string' ? value.replace(/^([a-z][a-z0-9+.-]*:\/\/[^/?#\s:]*:)\S*@/i, `$1${mask}@`) : value

function put(tree: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const last = path.at(-1) ?? ''
  const inner = path.slice(0, -1).reduce((node, key) => node[key] as Record<string, unknown>, tree)
  inner[last] = value
}

const maskPasswords = (entry: object): object =>
  Object.fromEntries(
    Object.entries(entry).map(([key, value]) => [key, key === 'password' && value ? mask : (value as unknown)]),
  )

/** The table of docs/configuration.md, made from the schema. */
export function settingsMarkdown(): string {
  const defaults = settingsSchema.parse({})
  const rows = settingLeaves().map((leaf) => {
    const value = leaf.env === 'MEDIA_WORKERS' ? 'one for each core' : `\`${written(leaf, at(defaults, leaf.path))}\``
    return `| \`${leaf.env}\` | \`${leaf.path.join('.')}\` | ${value} | ${leaf.description} |`
  })
  return ['| variable | in patchbay.yaml | default | meaning |', '|---|---|---|---|', ...rows].join('\n')
}

/** Durations are milliseconds here, but a bare number means seconds where people write it: so with its unit. */
const isDuration = ({ schema }: Leaf): boolean => schema.safeParse('1h').data === 3_600_000
const seconds = (ms: unknown): string => `${Number(ms) / 1000}s`

function written(leaf: Leaf, value: unknown): string {
  if (Array.isArray(value)) return value.join(',') || ' '
  if (isDuration(leaf)) return seconds(value)
  return value === '' ? ' ' : String(value)
}
