/**
 * Variables of loreste/siprec that mean one of our settings under another name, or say it in another way.
 *
 *   what was given ─▶ here ─▶ values by the name of our variable ─▶ ../load.ts
 *
 * A variable that is ours by the same name and kind needs no rule. Results for settings that we do not have (yet) are
 * left out by the loader, and the variable is then told as not supported.
 */
import { privateNetworks } from '../private-networks.ts'

/** What was given, by name; what is empty was not given. */
export type Given = (name: string) => string | undefined

export interface Rule {
  readonly names: readonly string[]
  /** Our variables that it may set; the rule holds when one of them is there, or none is needed. */
  readonly to: readonly string[]
  /** For people: what it does here. */
  readonly becomes: string
  /**
   * @returns Values by the name of our variable, or of a list that only the file can hold; nothing where there is nothing
   *   to say. A later rule beats an earlier one.
   */
  readonly read: (given: Given) => Readonly<Record<string, unknown>>
}

export const renamed: Readonly<Record<string, string>> = {
  API_KEY: 'PAUSE_RESUME_API_KEY',
  AUTH_ADMIN_PASSWORD: 'PATCHBAY_ADMIN_PASSWORD',
  AZURE_STORAGE_ACCOUNT: 'RECORDING_STORAGE_AZURE_ACCOUNT',
  AZURE_STORAGE_ENABLED: 'RECORDING_STORAGE_AZURE_ENABLED',
  GCS_BUCKET: 'RECORDING_STORAGE_GCS_BUCKET',
  GCS_ENABLED: 'RECORDING_STORAGE_GCS_ENABLED',
  JWT_SECRET: 'AUTH_JWT_SECRET',
  MYSQL_DATABASE: 'DB_NAME',
  MYSQL_HOST: 'DB_HOST',
  MYSQL_PASSWORD: 'DB_PASSWORD',
  MYSQL_PORT: 'DB_PORT',
  MYSQL_USER: 'DB_USERNAME',
  S3_BUCKET: 'RECORDING_STORAGE_S3_BUCKET',
  S3_ENABLED: 'RECORDING_STORAGE_S3_ENABLED',
  STORAGE_ENABLED: 'RECORDING_STORAGE_ENABLED',
  STT_SUPPORTED_VENDORS: 'SUPPORTED_VENDORS',
  TLS_CERT_FILE: 'TLS_CERT_PATH',
  TLS_KEY_FILE: 'TLS_KEY_PATH',
}

const renames = Object.entries(renamed).map(
  ([from, to]): Rule => ({
    names: [from],
    to: [to],
    becomes: `${to}, where that is not given`,
    read: (given) => (given(to) === undefined && given(from) !== undefined ? { [to]: given(from) } : {}),
  }),
)

/** Go reads these words for true (strconv.ParseBool). */
const isOn = (value: string | undefined): boolean => /^(?:1|t|true|yes|on)$/i.test(value ?? '')

const listOf = (value: string | undefined): string[] =>
  (value ?? '')
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')

const sipIpNames = [
  'SIP_IP_ACCESS_ENABLED',
  'SIP_IP_DEFAULT_ALLOW',
  'SIP_IP_ALLOWED_IPS',
  'SIP_IP_ALLOWED_NETWORKS',
  'SIP_IP_BLOCKED_IPS',
  'SIP_IP_BLOCKED_NETWORKS',
]

/**
 * The blocked are never read. Who is allowed is a recording client that was named, and so may depart from the standard;
 * where nobody else may send, SIP is read from them alone.
 */
function sipAccess(given: Given): Record<string, unknown> {
  if (!isOn(given('SIP_IP_ACCESS_ENABLED'))) return {}
  const allowed = [...listOf(given('SIP_IP_ALLOWED_IPS')), ...listOf(given('SIP_IP_ALLOWED_NETWORKS'))]
  const blocked = [...listOf(given('SIP_IP_BLOCKED_IPS')), ...listOf(given('SIP_IP_BLOCKED_NETWORKS'))]
  const othersToo = isOn(given('SIP_IP_DEFAULT_ALLOW') ?? 'true')
  return {
    ...(blocked.length > 0 && { SIP_DENIED_SOURCES: blocked }),
    SIPREC_ALLOWED_SOURCES: othersToo ? privateNetworks : [],
    ...(allowed.length > 0 && { siprecPeers: [{ name: 'SIP_IP_ALLOWED', sources: allowed }] }),
    // An empty list would let everybody in.
    ...(!othersToo && { SIP_ALLOWED_SOURCES: allowed.length > 0 ? allowed : ['127.0.0.0/8'] }),
  }
}

/** Who signs in is a recording client with that name, and nobody may record by the address alone. */
function sipAuth(given: Given): Record<string, unknown> {
  if (!isOn(given('SIP_AUTH_ENABLED'))) return {}
  const siprecPeers = listOf(given('SIP_AUTH_USERS')).map((one) => {
    const [name = '', ...password] = one.split(':')
    return { name, username: name, password: password.join(':') }
  })
  return { SIPREC_ALLOWED_SOURCES: [], siprecPeers }
}

/** Words of its log library that ours has another word for. */
const logLevels: Readonly<Record<string, string>> = { warning: 'warn', fatal: 'error', panic: 'error' }

const special: readonly Rule[] = [
  {
    names: ['CONFIG_FILE'],
    to: [],
    becomes: 'CONFIG_FILE: the settings file, in our shape or in theirs',
    read: () => ({}),
  },
  {
    names: ['BEHIND_NAT'],
    to: ['EXTERNAL_IP'],
    becomes: 'BEHIND_NAT; with it EXTERNAL_IP is auto unless it is given',
    read: (given) => (isOn(given('BEHIND_NAT')) && given('EXTERNAL_IP') === undefined ? { EXTERNAL_IP: 'auto' } : {}),
  },
  {
    names: ['STUN_SERVER'],
    to: ['STUN_SERVER'],
    becomes: 'STUN_SERVER; of several, the first is asked',
    read: (given) => (given('STUN_SERVER')?.includes(',') ? { STUN_SERVER: listOf(given('STUN_SERVER'))[0] } : {}),
  },
  {
    names: ['PORTS'],
    to: ['PORTS', 'TLS_PORT'],
    becomes: 'PORTS; when it takes 5061 with ENABLE_TLS and TLS_PORT is not given, TLS listens on 5062 as there',
    read: (given) =>
      isOn(given('ENABLE_TLS')) && given('TLS_PORT') === undefined && listOf(given('PORTS')).includes('5061')
        ? { TLS_PORT: '5062' }
        : {},
  },
  {
    names: ['LOG_LEVEL'],
    to: ['LOG_LEVEL'],
    becomes: 'LOG_LEVEL; warning is warn, fatal and panic are error',
    read: (given) => {
      const word = logLevels[given('LOG_LEVEL')?.toLowerCase() ?? '']
      return word === undefined ? {} : { LOG_LEVEL: word }
    },
  },
  {
    names: ['SIP_REQUIRE_TLS'],
    to: ['PORTS', 'UDP_PORTS', 'TCP_PORTS', 'ENABLE_TLS'],
    becomes: 'true: ENABLE_TLS, and no ports for UDP and TCP',
    read: (given) =>
      isOn(given('SIP_REQUIRE_TLS')) ? { PORTS: [], UDP_PORTS: [], TCP_PORTS: [], ENABLE_TLS: true } : {},
  },
  {
    names: ['ENABLE_SRTP'],
    to: ['SIPREC_SRTP'],
    becomes: 'nothing more is needed: SIPREC_SRTP takes encrypted and plain streams, each as it is offered',
    read: () => ({}),
  },
  {
    names: ['SIP_REQUIRE_SRTP'],
    to: ['SIPREC_SRTP'],
    becomes: 'true: SIPREC_SRTP=mandatory',
    read: (given) => (isOn(given('SIP_REQUIRE_SRTP')) ? { SIPREC_SRTP: 'mandatory' } : {}),
  },
  {
    names: sipIpNames,
    to: ['SIP_DENIED_SOURCES', 'SIP_ALLOWED_SOURCES', 'SIPREC_ALLOWED_SOURCES'],
    becomes:
      'when enabled: the blocked are SIP_DENIED_SOURCES; the allowed are one of siprecPeers; where others are not allowed by default, they are SIP_ALLOWED_SOURCES, and SIPREC_ALLOWED_SOURCES is empty',
    read: sipAccess,
  },
  {
    names: ['SIP_AUTH_ENABLED', 'SIP_AUTH_USERS'],
    to: ['SIPREC_ALLOWED_SOURCES'],
    becomes:
      'when enabled: each user is one of siprecPeers, and SIPREC_ALLOWED_SOURCES is empty, so that nobody records by the address alone',
    read: sipAuth,
  },
  {
    names: ['RATE_LIMIT_SIP_ENABLED', 'RATE_LIMIT_SIP_RPS'],
    to: ['SECURITY_MESSAGES_PER_SECOND'],
    becomes: 'when enabled: SECURITY_MESSAGES_PER_SECOND; at once four times as many are let through',
    read: (given) => {
      const perSecond = Math.ceil(Number(given('RATE_LIMIT_SIP_RPS') ?? '100'))
      return isOn(given('RATE_LIMIT_SIP_ENABLED')) ? { SECURITY_MESSAGES_PER_SECOND: perSecond } : {}
    },
  },
  {
    names: ['RATE_LIMIT_ENABLED', 'RATE_LIMIT_RPS'],
    to: ['HTTP_REQUESTS_PER_MINUTE'],
    becomes: 'when enabled: HTTP_REQUESTS_PER_MINUTE, sixty times as many; without, our own limit stays',
    read: (given) => {
      const perMinute = Math.ceil(Number(given('RATE_LIMIT_RPS') ?? '100') * 60)
      return isOn(given('RATE_LIMIT_ENABLED')) ? { HTTP_REQUESTS_PER_MINUTE: perMinute } : {}
    },
  },
  {
    names: ['RATE_LIMIT_WHITELIST_IPS'],
    to: ['SECURITY_TRUSTED_NETWORKS'],
    becomes: 'SECURITY_TRUSTED_NETWORKS, beside this machine',
    read: (given) => {
      const listed = listOf(given('RATE_LIMIT_WHITELIST_IPS'))
      return listed.length === 0 ? {} : { SECURITY_TRUSTED_NETWORKS: ['127.0.0.0/8', '::1/128', ...listed] }
    },
  },
  {
    names: ['COMPLIANCE_PCI_ENABLED', 'PCI_COMPLIANCE_MODE'],
    to: ['ENABLE_RECORDING_ENCRYPTION'],
    becomes: 'true: ENABLE_RECORDING_ENCRYPTION; card numbers are not looked for',
    read: (given) =>
      isOn(given('COMPLIANCE_PCI_ENABLED') ?? given('PCI_COMPLIANCE_MODE'))
        ? { ENABLE_RECORDING_ENCRYPTION: 'true' }
        : {},
  },
  {
    names: ['RECORDING_MAX_DURATION'],
    to: ['RECORDING_MAX_DURATION_HOURS'],
    becomes: 'RECORDING_MAX_DURATION_HOURS, in whole hours upwards',
    read: (given) => {
      const [, amount, unit] = /^(\d+)([hm])$/.exec(given('RECORDING_MAX_DURATION') ?? '') ?? []
      if (amount === undefined) return {}
      return { RECORDING_MAX_DURATION_HOURS: Math.ceil(Number(amount) / (unit === 'm' ? 60 : 1)) }
    },
  },
]

export const rules: readonly Rule[] = [...renames, ...special]
