/**
 * Settings from the environment, over those from patchbay.yaml, over the defaults.
 *
 *   environment, file ─▶ siprec/ (what loreste/siprec calls otherwise) ─▶ here ─▶ schema ─▶ Settings
 *
 * A wrong value ends the start with one line: the name, what was given, what is allowed.
 */
import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { parse as parseYaml } from 'yaml'
import { z } from 'zod'
import { missingForStorage } from './archive-settings.ts'
import type { SettingInfo } from './fields.ts'
import { type Settings, settingsSchema } from './schema.ts'
import { findUnsupported, readRules, type Unsupported } from './siprec/fates.ts'
import { takeTheirs } from './siprec/file-shape.ts'
import { siprecNames } from './siprec/names.ts'
import { isStunServer } from './told-address.ts'

export class SettingsError extends Error {
  override readonly name = 'SettingsError'
}

/** One setting as found in the schema. */
export interface Leaf extends SettingInfo {
  /** `['sip', 'host']` */
  readonly path: readonly string[]
  readonly schema: z.ZodType
}

export interface LoadedSettings {
  readonly settings: Settings
  /** Dotted path to where the value came from: `default`, `environment`, `environment (NAME)`, or the file's name. */
  readonly sources: ReadonlyMap<string, string>
  /** That was read. */
  readonly configFile?: string
  /** Variables of loreste/siprec that were given and have no effect here. */
  readonly unsupported: readonly Unsupported[]
}

/** Every setting with an environment variable, in the order of the schema. */
export function settingLeaves(schema: z.ZodType = settingsSchema, path: readonly string[] = []): Leaf[] {
  const info = schema.meta() as SettingInfo | undefined
  if (info?.env) return [{ path, schema, env: info.env, description: info.description, secret: info.secret ?? false }]
  const object = unwrapped(schema)
  if (!(object instanceof z.ZodObject)) return []
  return Object.entries(object.shape).flatMap(([key, inner]) => settingLeaves(inner as z.ZodType, [...path, key]))
}

function unwrapped(schema: z.ZodType): z.ZodType {
  let inner = schema
  while (inner instanceof z.ZodPrefault || inner instanceof z.ZodDefault) inner = inner.unwrap() as z.ZodType
  return inner
}

export interface LoadOptions {
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Path of patchbay.yaml; `CONFIG_FILE` unless given. */
  readonly configFile?: string
  /** What a settings file holds, instead of one. */
  readonly file?: Readonly<Record<string, unknown>>
  /** Values by dotted path that beat all others: what a program that starts the server in itself decides. */
  readonly overrides?: Readonly<Record<string, unknown>>
  /** Variables that stand in a file made for this server (.env), so that all of them are meant for it. */
  readonly meant?: ReadonlySet<string>
}

/** @throws {SettingsError} with the one line to print. */
export function loadSettings(options: LoadOptions = {}): LoadedSettings {
  const env = options.env ?? process.env
  const configFile = options.file ? undefined : (options.configFile ?? env['CONFIG_FILE'])
  const raw = options.file ? structuredClone({ ...options.file }) : configFile ? readFile(configFile) : {}
  const sources = new Map<string, string>()
  const overrides = options.overrides ?? {}
  const leaves = settingLeaves()
  const theirs = takeTheirs(raw, new Set(leaves.map(({ path }) => path.join('.'))))
  const given = (name: string): string | undefined => env[name]?.trim() || theirs.given.get(name)
  const byRule = readRules(given)
  // Lists (extensions, trunks) have no environment variable and can be given too.
  for (const [dotted, value] of Object.entries(overrides)) {
    put(raw, dotted.split('.'), value)
    sources.set(dotted, 'given by the caller')
  }
  for (const list of ['siprecPeers'] as const) {
    const more = byRule.get(list)?.value
    if (Array.isArray(more) && !(list in overrides)) raw[list] = [...listIn(raw[list]), ...(more as unknown[])]
  }
  for (const leaf of leaves) {
    const dotted = leaf.path.join('.')
    if (dotted in overrides) continue
    const fromEnv = env[leaf.env] || undefined
    const rule = byRule.get(leaf.env)
    // Where they have the variable too, their rule says what it means; one that is only ours is plainer than theirs.
    if (rule && (fromEnv === undefined || siprecNames.has(leaf.env))) {
      put(raw, leaf.path, rule.value)
      sources.set(dotted, env[rule.from] ? `environment (${rule.from})` : (configFile ?? ''))
    } else if (fromEnv !== undefined) {
      put(raw, leaf.path, fromEnv)
      sources.set(dotted, 'environment')
    } else if (has(raw, leaf.path)) sources.set(dotted, configFile ?? '')
    else if (theirs.given.has(leaf.env)) {
      put(raw, leaf.path, theirs.given.get(leaf.env))
      sources.set(dotted, configFile ?? '')
    } else sources.set(dotted, 'default')
  }
  const parsed = settingsSchema.safeParse(raw)
  if (!parsed.success) throw new SettingsError(explain(parsed.error, raw, sources))
  checkTogether(parsed.data)
  checkRecordTo(parsed.data)
  const names = [...siprecNames.keys()].flatMap((name): [string, string][] => {
    const value = given(name)
    return value === undefined ? [] : [[name, value]]
  })
  const meant = (name: string): boolean => theirs.given.has(name) || options.meant?.has(name) === true
  const unsupported = findUnsupported(new Map(names), new Set(leaves.map(({ env: name }) => name)), meant)
  if (theirs.passedOver.length > 0)
    unsupported.push({ why: 'nothing here is like it', names: theirs.passedOver, protects: false })
  return { settings: parsed.data, sources, unsupported, ...(configFile && { configFile }) }
}

function readFile(path: string): Record<string, unknown> {
  let content: unknown
  try {
    content = parseYaml(readFileSync(path, 'utf8'))
  } catch (error) {
    throw new SettingsError(`${path}: ${firstLine(error)}`, { cause: error })
  }
  if (content === null || content === undefined) return {}
  if (typeof content !== 'object' || Array.isArray(content))
    throw new SettingsError(`${path}: must hold names and values`)
  return content as Record<string, unknown>
}

const firstLine = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''

function put(target: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [head, ...rest] = path
  if (head === undefined) return
  if (rest.length === 0) {
    target[head] = value
    return
  }
  if (typeof target[head] !== 'object' || target[head] === null) target[head] = {}
  put(target[head] as Record<string, unknown>, rest, value)
}

const listIn = (given: unknown): unknown[] => (Array.isArray(given) ? (given as unknown[]) : [])

const lookUp = (raw: unknown, path: readonly PropertyKey[]): unknown =>
  path.reduce<unknown>(
    (inner, key) => (typeof inner === 'object' && inner !== null ? Reflect.get(inner, key) : undefined),
    raw,
  )

const has = (raw: unknown, path: readonly string[]): boolean => lookUp(raw, path) !== undefined

/** `SIP_HOST: "here" was given; must be an IPv4 or IPv6 address` */
function explain(error: z.ZodError, raw: unknown, sources: ReadonlyMap<string, string>): string {
  const issue = error.issues[0]
  if (!issue) return 'the settings cannot be read'
  if (issue.code === 'unrecognized_keys') {
    const where = [...issue.path, issue.keys[0]].join('.')
    return `${where}: there is no such setting; see docs/configuration.md`
  }
  const leaf = settingLeaves().find(({ path }) => path.every((key, index) => issue.path[index] === key))
  const [, inEnvironment, other] =
    /^(environment)(?: \((\w+)\))?$/.exec(sources.get(leaf?.path.join('.') ?? '') ?? '') ?? []
  const name = other ?? (inEnvironment && leaf ? leaf.env : issue.path.join('.'))
  const value = lookUp(raw, leaf?.path ?? issue.path)
  const secret = value !== undefined && (leaf?.secret || issue.path.at(-1) === 'password')
  const given = secret ? 'a secret' : quoted(value)
  return `${name}: ${given ?? 'nothing'} was given; must be ${issue.message.replace(/^Invalid input: expected /, '')}`
}

const isGroup = (value: unknown): boolean => typeof value === 'object' && value !== null

/** A group is not quoted: one of its values may be a password. */
function quoted(value: unknown): string | undefined {
  if (isGroup(value) && (!Array.isArray(value) || value.some(isGroup))) return 'a group of values'
  return JSON.stringify(value)
}

/** What one setting alone cannot tell. */
function checkTogether({
  sip,
  http,
  nat,
  rtp,
  tls,
  hep,
  storage,
  extensions,
  trunks,
  recordingServers,
}: Settings): void {
  for (const [name, path] of [
    ['HTTP_TLS_CERT_FILE', http.tlsCert],
    ['HTTP_TLS_KEY_FILE', http.tlsKey],
  ] as const)
    if (http.tls && path === '')
      throw new SettingsError(`${name}: nothing was given; must be the path of a file with HTTP_TLS_ENABLED`)
  const missing = missingForStorage(storage)
  if (missing !== undefined) throw new SettingsError(missing)
  if (rtp.portMin >= rtp.portMax)
    throw new SettingsError(
      `RTP_PORT_MIN: ${rtp.portMin} was given; must be below RTP_PORT_MAX, which is ${rtp.portMax}`,
    )
  if (rtp.jitterMinMs > rtp.jitterMaxMs)
    throw new SettingsError(
      `JITTER_MIN_MS: ${rtp.jitterMinMs} was given; must not be above JITTER_MAX_MS, which is ${rtp.jitterMaxMs}`,
    )
  if (rtp.bindIp !== '' && isIP(rtp.bindIp) === 0)
    throw new SettingsError(`RTP_BIND_IP: "${rtp.bindIp}" was given; must be an IPv4 or IPv6 address, or empty`)
  if (nat.behindNat && nat.externalIp === 'auto' && !isStunServer(nat.stunServer))
    throw new SettingsError(
      `STUN_SERVER: "${nat.stunServer}" was given; must be host or host:port of a STUN server when EXTERNAL_IP is auto`,
    )
  if (nat.behindNat && nat.externalIp !== 'auto' && isIP(nat.externalIp) === 0)
    throw new SettingsError(
      `EXTERNAL_IP: "${nat.externalIp}" was given; must be the public IPv4 or IPv6 address, or auto, when BEHIND_NAT is true`,
    )
  for (const [name, path] of [
    ['TLS_CERT_PATH', tls.certPath],
    ['TLS_KEY_PATH', tls.keyPath],
  ] as const)
    if ((tls.enable || sip.wssPorts.length > 0) && path === '')
      throw new SettingsError(
        `${name}: nothing was given; must be the path of a file with ${tls.enable ? 'ENABLE_TLS' : 'WSS_PORTS'}`,
      )
  if (hep.enable && hep.host === '')
    throw new SettingsError(
      'HEP_HOST: nothing was given; must be the name or address of the collector with HEP_ENABLED',
    )
  if (sip.minExpires > sip.maxExpires)
    throw new SettingsError(
      `REGISTER_MIN_EXPIRES: ${sip.minExpires / 1_000}s was given; must not be above REGISTER_MAX_EXPIRES, which is ${sip.maxExpires / 1_000}s`,
    )
  if (sip.sessionMin > sip.sessionExpires)
    throw new SettingsError(
      `SIP_SESSION_MIN: ${sip.sessionMin / 1_000}s was given; must not be above SIP_SESSION_EXPIRES, which is ${sip.sessionExpires / 1_000}s`,
    )
  for (const { name, username, password } of trunks)
    if ((username === undefined) !== (password === undefined))
      throw new SettingsError(`trunks: "${name}" has a username or a password; must be both or neither`)
  for (const [what, names] of [
    ['extensions', extensions.map(({ number }) => number)],
    ['trunks', trunks.map(({ name }) => name)],
    ['recordingServers', recordingServers.map(({ name }) => name)],
  ] as const) {
    const twice = names.find((name, index) => names.indexOf(name) !== index)
    if (twice !== undefined) throw new SettingsError(`${what}: "${twice}" stands there twice`)
  }
}

/** Calls are not sent to a server that nobody has described. */
function checkRecordTo({ siprec, extensions, trunks, recordingServers }: Settings): void {
  const known = new Set(recordingServers.map(({ name }) => name))
  for (const [where, lists = []] of [
    ['RECORD_TO', siprec.recordTo],
    ...extensions.map(({ number, recordTo }) => [`extensions: recordTo of ${number}`, recordTo] as const),
    ...trunks.map(({ name, recordTo }) => [`trunks: recordTo of ${name}`, recordTo] as const),
  ] as const) {
    const unknown = lists.flatMap((names) => names.split('|')).find((name) => !known.has(name))
    if (unknown !== undefined)
      throw new SettingsError(`${where}: "${unknown}" was given; must be names of recordingServers`)
  }
}

/** A secret given by reference: `env:NAME` or `file:/path`; anything else is the secret itself. */
export function resolveSecret(
  written: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): string {
  if (written.startsWith('env:')) {
    const value = env[written.slice(4)]
    if (!value) throw new SettingsError(`${written}: this environment variable is not set`)
    return value
  }
  if (written.startsWith('file:')) {
    try {
      return readFileSync(written.slice(5), 'utf8').trim()
    } catch (error) {
      throw new SettingsError(`${written}: ${firstLine(error)}`, { cause: error })
    }
  }
  return written
}
