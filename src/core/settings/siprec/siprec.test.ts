import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { readDotEnv } from '../dot-env.ts'
import { loadSettings, SettingsError, settingLeaves } from '../load.ts'
import { fateOf } from './fates.ts'
import { siprecNames } from './names.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-siprec-names-'))
after(() => rmSync(folder, { recursive: true }))

function file(name: string, content: string): string {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}
const load = (env: Record<string, string>) => loadSettings({ env })
const ours = new Set(settingLeaves().map(({ env }) => env))

test('each of the 571 variables has one fate, and none falls through the groups', () => {
  assert.equal(siprecNames.size, 571)
  const lost = [...siprecNames.keys()].filter((name) => {
    const fate = fateOf(name, ours)
    return !fate || (fate.kind === 'unsupported' && fate.group.why === 'nothing here is like it')
  })
  assert.deepEqual(lost, [])
  assert.equal(fateOf('HOME', ours), undefined)
})

test('every variable can be set to its own default there, and the settings load', () => {
  const env = Object.fromEntries([...siprecNames].filter(([name]) => name !== 'CONFIG_FILE'))
  const { settings, unsupported } = loadSettings({ env: { ...env, SIPREC_MASTER_KEY: '' } })
  assert.deepEqual(settings.sip.ports, [5060, 5061])
  assert.equal(settings.rtp.timeout, 30_000)
  assert.equal(settings.sip.nonceTimeout, 300_000)
  assert.ok(unsupported.length > 5)
})

test('its example of an environment starts, with what has no effect named by reason', () => {
  const env = {
    EXTERNAL_IP: 'auto',
    INTERNAL_IP: 'auto',
    PORTS: '5060,5061',
    ENABLE_TLS: 'true',
    TLS_PORT: '5062',
    TLS_CERT_PATH: './certs/cert.pem',
    TLS_KEY_PATH: './certs/key.pem',
    ENABLE_SRTP: 'true',
    HTTP_READ_TIMEOUT: '10s',
    MAX_CONCURRENT_CALLS: '100',
    LOG_LEVEL: 'warning',
    ENABLE_VAD: 'true',
    VAD_THRESHOLD: '0.02',
    AMQP_URL: '',
    HTTP_ENABLED: 'true',
  }
  const { settings, unsupported } = load(env)
  assert.equal(settings.tls.port, 5062)
  assert.equal(settings.siprec.srtp, 'accepted')
  assert.equal(settings.log.level, 'warn')
  assert.deepEqual(unsupported.flatMap(({ names }) => names).sort(), [
    'ENABLE_VAD',
    'HTTP_ENABLED',
    'HTTP_READ_TIMEOUT',
    'INTERNAL_IP',
    'VAD_THRESHOLD',
  ])
})

test('a name of their file and README is taken where its fellow is not given', () => {
  assert.equal(load({ TLS_CERT_FILE: 'a.pem' }).settings.tls.certPath, 'a.pem')
  assert.equal(load({ TLS_CERT_FILE: 'a.pem', TLS_CERT_PATH: 'b.pem' }).settings.tls.certPath, 'b.pem')
  assert.equal(load({ TLS_CERT_FILE: 'a.pem' }).sources.get('tls.certPath'), 'environment (TLS_CERT_FILE)')
})

test('who may send by their lists may here, and an empty list lets nobody in', () => {
  const on = { SIP_IP_ACCESS_ENABLED: 'true' }
  const only = load({
    ...on,
    SIP_IP_DEFAULT_ALLOW: 'false',
    SIP_IP_ALLOWED_IPS: '192.0.2.1, 192.0.2.2',
    SIP_IP_ALLOWED_NETWORKS: '198.51.100.0/24',
  }).settings
  assert.deepEqual(only.security.allowedSources, ['192.0.2.1', '192.0.2.2', '198.51.100.0/24'])
  assert.deepEqual(only.siprec.allowedSources, [])
  assert.deepEqual(
    only.siprecPeers.map(({ sources, dialect }) => [sources, dialect]),
    [[['192.0.2.1', '192.0.2.2', '198.51.100.0/24'], 'lenient']],
  )
  const blocked = load({ ...on, SIP_IP_BLOCKED_IPS: '203.0.113.9' }).settings
  assert.deepEqual(blocked.security.deniedSources, ['203.0.113.9'])
  assert.ok(blocked.siprec.allowedSources.includes('10.0.0.0/8'))
  assert.deepEqual(load({ ...on, SIP_IP_DEFAULT_ALLOW: 'false' }).settings.security.allowedSources, ['127.0.0.0/8'])
  assert.deepEqual(load({ SIP_IP_BLOCKED_IPS: '203.0.113.9' }).settings.security.deniedSources, [])
})

test('who had a password there is a recording client with it here, and the address alone opens nothing', () => {
  const users = { SIP_AUTH_ENABLED: 'true', SIP_AUTH_USERS: 'sbc1:secretpass1, sbc2:with:colon' }
  const { siprec, siprecPeers } = load({
    ...users,
    SIP_IP_ACCESS_ENABLED: 'true',
    SIP_IP_ALLOWED_IPS: '192.0.2.1',
  }).settings
  assert.deepEqual(siprec.allowedSources, [])
  assert.deepEqual(
    siprecPeers.map(({ name, username, password, sources }) => [name, username, password, sources]),
    [
      ['sbc1', 'sbc1', 'secretpass1', []],
      ['sbc2', 'sbc2', 'with:colon', []],
    ],
  )
  assert.deepEqual(load({ ...users, SIP_AUTH_ENABLED: 'false' }).settings.siprecPeers, [])
  assert.throws(
    () => load({ ...users, SIP_AUTH_USERS: 'sbc1:short' }),
    (error: Error) => {
      assert.ok(!error.message.includes('short '), 'a password is not quoted')
      return /siprecPeers\.0\.password: a secret was given/.test(error.message)
    },
  )
})

test('TLS alone and SRTP alone are required as there', () => {
  const { settings } = load({
    SIP_REQUIRE_TLS: 'true',
    PORTS: '5060,5061',
    SIP_REQUIRE_SRTP: 'true',
    TLS_CERT_PATH: 'c',
    TLS_KEY_PATH: 'k',
  })
  assert.deepEqual([settings.sip.ports, settings.tls.enable, settings.siprec.srtp], [[], true, 'mandatory'])
})

test('TLS keeps out of the way of PORTS as there', () => {
  const tls = { ENABLE_TLS: 'true', TLS_CERT_PATH: 'c', TLS_KEY_PATH: 'k' }
  assert.equal(load({ ...tls, PORTS: '5060,5061' }).settings.tls.port, 5062)
  assert.equal(load({ ...tls, PORTS: '5060' }).settings.tls.port, 5061)
})

test('behind NAT the address is found by the first of several STUN servers', () => {
  const { nat } = load({ BEHIND_NAT: 'true', STUN_SERVER: 'stun.example.com:3478, other.example.com' }).settings
  assert.deepEqual([nat.externalIp, nat.stunServer], ['auto', 'stun.example.com:3478'])
})

test('a wrong value is told under the name that was written', () => {
  assert.throws(() => load({ RATE_LIMIT_SIP_ENABLED: 't', RATE_LIMIT_SIP_RPS: 'many' }), {
    name: SettingsError.name,
    message: /^RATE_LIMIT_SIP_ENABLED: .* was given; must be a whole number/,
  })
})

test('a protection that is missing is told apart from what does nothing', () => {
  const { unsupported } = load({ PII_DETECTION_ENABLED: 'true', AGC_MAX_GAIN: '24', PII_APPLY_TO_RECORDINGS: 'false' })
  assert.deepEqual(
    unsupported.map(({ names, protects }) => [names, protects]),
    [
      [['AGC_MAX_GAIN'], false],
      [['PII_DETECTION_ENABLED'], true],
    ],
  )
})

test('what other programs read too is told only when it was written for this one', () => {
  const env = { OTEL_SERVICE_NAME: 'shop' }
  assert.deepEqual(loadSettings({ env }).unsupported, [])
  assert.equal(loadSettings({ env, meant: new Set(['OTEL_SERVICE_NAME']) }).unsupported.length, 1)
})

const theirFile = `
network:
  host: "127.0.0.1"
  ports: [5070, 5071]
  rtp_timeout: 45s
  enable_tls: false
  stun_servers: ["stun.example.com:3478", "stun1.example.com:3478"]
http:
  port: 8081
  enable_api: true
  cors_enabled: false
recording:
  directory: "/var/recordings"
  combine_legs: false
  sample_rate: 8000
stt:
  google:
    language: "en-US"
logging:
  level: "fatal"
resources:
  max_concurrent_calls: 250
pii:
  enabled: true
`

test('a file in their shape is read, the environment beats it, and what it says in vain is named', () => {
  const configFile = file('theirs.yaml', theirFile)
  const { settings, sources, unsupported } = loadSettings({ env: { RTP_TIMEOUT: '60s' }, configFile })
  assert.deepEqual(settings.sip.host, ['127.0.0.1'])
  assert.deepEqual(settings.sip.ports, [5070, 5071])
  assert.equal(settings.rtp.timeout, 60_000)
  assert.equal(settings.http.port, 8081)
  assert.equal(settings.recording.dir, '/var/recordings')
  assert.equal(settings.recording.combineLegs, false)
  assert.equal(settings.log.level, 'error')
  assert.equal(settings.sip.maxCalls, 250)
  assert.equal(settings.nat.stunServer, 'stun.example.com:3478')
  assert.equal(sources.get('recording.dir'), configFile)
  const told = new Set(unsupported.flatMap(({ names }) => names))
  for (const name of ['PII_DETECTION_ENABLED', 'HTTP_ENABLE_API', 'recording.sample_rate', 'stt.google.language'])
    assert.ok(told.has(name), name)
})

test('the same in JSON, and a slip in a section of ours is still a slip', () => {
  const json = file('theirs.json', JSON.stringify({ network: { ports: [5070] }, http: { port: 8081 } }))
  assert.deepEqual(loadSettings({ env: {}, configFile: json }).settings.sip.ports, [5070])
  const slip = file('slip.yaml', 'network:\n  prots: [5070]\n')
  assert.throws(() => loadSettings({ env: {}, configFile: slip }), /^SettingsError: network: there is no such setting/)
})

test('.env gives what the environment does not have, and takes back what is gone from it', () => {
  const path = file('.env', "PORTS=5070 # why\nexport RTP_TIMEOUT='45s'\nHTTP_PORT=1\n")
  const env: Record<string, string | undefined> = { HTTP_PORT: '8080' }
  const gave = readDotEnv(path, env)
  assert.deepEqual([...gave].sort(), ['PORTS', 'RTP_TIMEOUT'])
  assert.deepEqual(env, { HTTP_PORT: '8080', PORTS: '5070', RTP_TIMEOUT: '45s' })
  writeFileSync(path, 'RTP_TIMEOUT=50s\n')
  readDotEnv(path, env, gave)
  assert.deepEqual(env, { HTTP_PORT: '8080', RTP_TIMEOUT: '50s' })
  assert.equal(readDotEnv(join(folder, 'none'), {}).size, 0)
})
