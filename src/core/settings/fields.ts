/**
 * Kinds of settings: each takes what an environment variable holds (text) and what YAML holds (text, number, boolean),
 * and says in words what it allows, for the line that ends a start with a wrong value.
 */
import { isIP } from 'node:net'
import { z } from 'zod'
import { codecName, codecsRule, mostCodecs } from '../codec-names.ts'
import { isNetwork } from '../networks.ts'
import { readToldAddress } from './told-address.ts'

/** What a setting says about itself besides its type. */
export interface SettingInfo {
  /** The environment variable. */
  readonly env: string
  readonly description: string
  /** Masked wherever it is shown. */
  readonly secret?: boolean
}

/** Attach the facts of a setting to its schema; `schema.meta()` reads them back. */
export const setting = <Schema extends z.ZodType>(schema: Schema, info: SettingInfo): Schema => schema.meta({ ...info })

/** What is text is read by `read`; anything else is judged as it is. */
export const fromText = <Value extends z.ZodType>(read: (given: string) => unknown, value: Value) =>
  z.preprocess((given) => (typeof given === 'string' ? read(given.trim()) : given), value)

export const text = () => fromText((given) => given, z.string())

export const flag = () =>
  fromText(
    (given) =>
      ({ true: true, t: true, yes: true, on: true, 1: true, false: false, f: false, no: false, off: false, 0: false })[
        given.toLowerCase()
      ],
    z.boolean({ error: 'true or false' }),
  )

export const whole = (min: number, max: number) => {
  const error = `a whole number from ${min} to ${max}`
  return fromText(
    (given) => (given === '' ? Number.NaN : Number(given)),
    z.int({ error }).min(min, { error }).max(max, { error }),
  )
}

/** 0 asks the host for a free port. */
export const port = () => whole(0, 65_535)

const portsError = 'ports from 0 to 65535, separated by commas'
/** Several ports: `5060,5061` or a YAML list. */
export const ports = () =>
  fromText(
    (given) => (given === '' ? [] : given.split(',').map((one) => Number(one.trim() || Number.NaN))),
    z.preprocess(
      (given) => (typeof given === 'number' ? [given] : given),
      z.array(z.int({ error: portsError }).min(0, { error: portsError }).max(65_535, { error: portsError }), {
        error: portsError,
      }),
    ),
  )

const ipError = 'an IPv4 or IPv6 address'
export const ip = () =>
  fromText(
    (given) => given,
    z.string({ error: ipError }).refine((given) => isIP(given) !== 0, { error: ipError }),
  )

const ipsError = 'IPv4 or IPv6 addresses, separated by commas'
/** At least one address: comma-separated or a YAML list. */
export const ips = () =>
  list().pipe(
    z
      .array(
        z.string().refine((given) => isIP(given) !== 0, { error: ipsError }),
        { error: ipsError },
      )
      .min(1, { error: ipsError }),
  )

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `250ms`, `30s`, `5m`, `1h30m`, or a bare number of seconds; in milliseconds here. */
export const duration = (minMs = 0) =>
  z.preprocess(
    readDuration,
    z
      .number({ error: 'a duration such as 250ms, 30s, 5m or 1h30m' })
      .min(minMs, { error: `at least ${minMs / 1000}s` }),
  )

function readDuration(given: unknown): unknown {
  if (typeof given === 'number') return given * 1000
  if (typeof given !== 'string') return given
  // loreste/siprec writes some of its defaults as Go does: 5*time.Minute.
  const written = given
    .trim()
    .replace(/^(\d+)\*time\.([HMS])(?:our|inute|econd)$/, (_, amount, unit) => `${amount}${String(unit).toLowerCase()}`)
  if (/^\d+(\.\d+)?$/.test(written)) return Number(written) * 1000
  const parts = [...written.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)]
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== written) return Number.NaN
  return parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit ?? ''] ?? Number.NaN), 0)
}

/** A list of texts: comma-separated or a YAML list. */
export const list = () =>
  fromText(
    (given) =>
      given
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== ''),
    z.array(z.string(), { error: 'values separated by commas' }),
  )

const bitrateError = '0, or a whole number from 6000 to 510000'
/** Of Opus, bits a second (RFC 7587 §6.1); 0 for none. */
export const bitrate = () =>
  fromText(
    (given) => (given === '' ? Number.NaN : Number(given)),
    z
      .int({ error: bitrateError })
      .refine((given) => given === 0 || (given >= 6_000 && given <= 510_000), { error: bitrateError }),
  )

const codecsError = `${codecsRule}, separated by commas`
/** Names of codecs, at least one of them: comma-separated or a YAML list. */
export const codecs = () =>
  list().pipe(
    z
      .array(z.string().regex(codecName, { error: codecsError }), { error: codecsError })
      .min(1, { error: codecsError })
      .max(mostCodecs, { error: codecsError }),
  )

const headersError =
  'Alert-Info, Call-Info, Organization, Priority, Resource-Priority, Subject, User-to-User or names such as X-Ticket and X-Our-*'
const passable =
  /^(?:X-[a-z0-9-]*\*|X-[a-z0-9-]+|Alert-Info|Call-Info|Organization|Priority|Resource-Priority|Subject|User-to-User)$/i
/** Headers that may go from one leg of a call to another: none that the stack writes, or that says who somebody is. */
export const headerNames = () =>
  z.array(z.string({ error: headersError }).regex(passable, { error: headersError }), { error: headersError })

const networksError = 'addresses or networks such as 192.0.2.7 or 10.0.0.0/8'
/** A YAML list of addresses and networks. */
export const networks = () =>
  z.array(z.string({ error: networksError }).refine(isNetwork, { error: networksError }), { error: networksError })

const toldError =
  'NETWORK=ADDRESS of one family, NETWORK=local or NETWORK=stun:HOST, separated by commas: 10.200.0.0/16=10.8.0.2'
/** Which address the peers of a network are told: comma-separated or a YAML list. */
export const toldAddresses = () =>
  list().pipe(
    z.array(
      z.string().refine((given) => readToldAddress(given) !== undefined, { error: toldError }),
      { error: toldError },
    ),
  )

/** Text that only the file holds. YAML takes 0101 for the number 101 unless it stands in quotes. */
export const words = () => z.string({ error: ({ input }) => (typeof input === 'number' ? 'in quotes' : 'text') })

/** One of these words. */
export const oneOf = <const Words extends readonly [string, ...string[]]>(words: Words) =>
  fromText((given) => given.toLowerCase(), z.enum(words, { error: `one of ${words.join(', ')}` }))
