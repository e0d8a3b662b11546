import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { loadSettings, resolveSecret, SettingsError, settingLeaves } from './load.ts'
import { maskedSettings, settingsMarkdown, showSettings } from './show.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-settings-'))
after(() => rmSync(folder, { recursive: true }))

function yamlFile(content: string): string {
  const path = join(folder, `${Math.random()}.yaml`)
  writeFileSync(path, content)
  return path
}

const failure = (options: Parameters<typeof loadSettings>[0]): string => {
  try {
    loadSettings(options)
  } catch (error) {
    assert.ok(error instanceof SettingsError)
    return error.message
  }
  return assert.fail('the settings were taken')
}

test('with nothing given every setting has its default', () => {
  const { settings, sources } = loadSettings({ env: {} })
  assert.deepEqual(settings.sip.ports, [5060])
  assert.equal(settings.http.host, '127.0.0.1')
  assert.equal(settings.rtp.timeout, 30_000)
  assert.ok([...sources.values()].every((source) => source === 'default'))
})

test('the environment beats the file, the file beats the default, and each says so', () => {
  const configFile = yamlFile('sip:\n  host: 192.0.2.1\n  ports: [5070]\nhttp:\n  port: 8081\n')
  const { settings, sources } = loadSettings({ env: { SIP_HOST: '127.0.0.1' }, configFile })
  assert.deepEqual(settings.sip.host, ['127.0.0.1'])
  assert.deepEqual(settings.sip.ports, [5070])
  assert.equal(settings.http.port, 8081)
  assert.equal(sources.get('sip.host'), 'environment')
  assert.equal(sources.get('sip.ports'), configFile)
  assert.equal(sources.get('rtp.portMin'), 'default')
})

test('a program that starts the server in itself may decide anything, lists too', () => {
  const trunks = [{ name: 'carrier', host: 'sip.example' }]
  const { settings, sources } = loadSettings({
    env: { SIP_HOST: '192.0.2.1' },
    overrides: { 'sip.host': '127.0.0.1', trunks },
  })
  assert.deepEqual(settings.sip.host, ['127.0.0.1'])
  assert.equal(settings.trunks[0]?.name, 'carrier')
  assert.equal(sources.get('sip.host'), 'given by the caller')
})

test('variables are read as loreste/siprec writes them', () => {
  const { settings } = loadSettings({
    env: {
      PORTS: '5060, 5061',
      RTP_TIMEOUT: '1m30s',
      BEHIND_NAT: 'true',
      EXTERNAL_IP: '192.0.2.9',
      SIP_AUTH_NONCE_TIMEOUT: '300',
    },
  })
  assert.deepEqual(settings.sip.ports, [5060, 5061])
  assert.equal(settings.rtp.timeout, 90_000)
  assert.equal(settings.nat.behindNat, true)
  assert.equal(settings.sip.nonceTimeout, 300_000)
})

for (const [env, line] of [
  [{ SIP_HOST: 'here' }, 'SIP_HOST: "here" was given; must be IPv4 or IPv6 addresses, separated by commas'],
  [{ PORTS: '5060,x' }, 'PORTS: "5060,x" was given; must be ports from 0 to 65535, separated by commas'],
  [{ RTP_TIMEOUT: '5x' }, 'RTP_TIMEOUT: "5x" was given; must be a duration such as 250ms, 30s, 5m or 1h30m'],
  [{ BEHIND_NAT: 'maybe' }, 'BEHIND_NAT: "maybe" was given; must be true or false'],
  [{ HTTP_PORT: '99999' }, 'HTTP_PORT: "99999" was given; must be a whole number from 0 to 65535'],
  [
    { NAT_ADDRESSES: '10.0.0.0/8=2001:db8::1' },
    'NAT_ADDRESSES: "10.0.0.0/8=2001:db8::1" was given; must be NETWORK=ADDRESS of one family, NETWORK=local or NETWORK=stun:HOST, separated by commas: 10.200.0.0/16=10.8.0.2',
  ],
  [{ RTP_PORT_MIN: '30000' }, 'RTP_PORT_MIN: 30000 was given; must be below RTP_PORT_MAX, which is 20000'],
  [{ JITTER_MIN_MS: '300' }, 'JITTER_MIN_MS: 300 was given; must not be above JITTER_MAX_MS, which is 200'],
] as const) {
  test(`a wrong value ends the start with one line: ${line}`, () => {
    assert.equal(failure({ env }), line)
  })
}

test('a name that is no setting is named', () => {
  assert.match(
    failure({ env: {}, configFile: yamlFile('sip:\n  hots: 1.2.3.4\n') }),
    /^sip\.hots: there is no such setting/,
  )
})

test('an extension that stands in the file twice is refused', () => {
  const configFile = yamlFile(
    'extensions:\n  - {number: "101", password: "12345678"}\n  - {number: "101", password: "12345678"}\n',
  )
  assert.equal(failure({ env: {}, configFile }), 'extensions: "101" stands there twice')
})

test('a broken YAML file ends in one line that names the file', () => {
  const configFile = yamlFile('sip: [')
  const line = failure({ env: {}, configFile })
  assert.ok(line.startsWith(`${configFile}: `))
  assert.ok(!line.includes('\n'))
})

test('secrets are masked when settings are shown, and never quoted in an error', () => {
  const configFile = yamlFile('extensions:\n  - {number: "101", password: "dont-tell"}\n')
  const shown = showSettings(loadSettings({ env: { PATCHBAY_ADMIN_PASSWORD: 'hush-hush-hush' }, configFile }))
  assert.ok(!shown.includes('hush-hush-hush'))
  assert.ok(!shown.includes('dont-tell'))
  assert.match(shown, /http\.adminPassword\s+\*+\s+# environment \(PATCHBAY_ADMIN_PASSWORD\)/)
  assert.match(shown, /rtp\.timeout\s+30s\s+# default/, 'a bare 30000 would be read back as 30,000 s')
})

test('what is wrong with a whole entry of a list is told without its password', () => {
  const entry = { name: 'sbc', password: 'hush-hush-hush' }
  for (const file of [{ siprecPeers: [entry] }, { siprecPeers: { sbc: entry } }, { extensions: [[entry]] }])
    assert.throws(
      () => loadSettings({ env: {}, file }),
      (error: Error) => !error.message.includes('hush') && error.message.includes('a group of values was given'),
    )
})

test('a password inside a URL is masked when settings are shown, the rest of the URL is not', () => {
  const loaded = loadSettings({ env: { REDIS_ADDRESS: 'rediss://app:hush@hush/@cache:6380/1' } })
  assert.match(showSettings(loaded), /redis\.address\s+"rediss:\/\/app:\*{8}@cache:6380\/1"/)
  const { redis } = maskedSettings(loaded.settings) as { redis: { address: string } }
  assert.equal(redis.address, 'rediss://app:********@cache:6380/1')
  assert.equal(loaded.settings.redis.address, 'rediss://app:hush@hush/@cache:6380/1')
})

test('a secret can be given by reference to the environment or a file', () => {
  const path = yamlFile('from-file\n')
  assert.equal(resolveSecret('plain'), 'plain')
  assert.equal(resolveSecret('env:PW', { PW: 'from-env' }), 'from-env')
  assert.equal(resolveSecret(`file:${path}`), 'from-file')
  assert.throws(() => resolveSecret('env:NOT_SET', {}), SettingsError)
})

test('docs/configuration.md is what the schema says; `npm run docs` makes it', () => {
  const path = join(import.meta.dirname, '../../../docs/configuration.md')
  assert.ok(readFileSync(path, 'utf8').includes(settingsMarkdown()))
})

test('no environment variable stands for two settings', () => {
  const names = settingLeaves().map(({ env }) => env)
  assert.equal(new Set(names).size, names.length)
})

test('a password that is refused is not told', () => {
  const configFile = yamlFile('extensions:\n  - number: "101"\n    password: hushed\n')
  assert.equal(
    failure({ env: {}, configFile }),
    'extensions.0.password: a secret was given; must be at least 8 characters, or env:NAME, or file:/path',
  )
  assert.equal(
    failure({ env: { PATCHBAY_ADMIN_PASSWORD: 'hushed' } }),
    'PATCHBAY_ADMIN_PASSWORD: a secret was given; must be at least 10 characters',
  )
})

test('a number in the file has to stand in quotes, since YAML would take its zeros', () => {
  const configFile = yamlFile('extensions:\n  - number: 101\n    password: long-enough\n')
  assert.equal(failure({ env: {}, configFile }), 'extensions.0.number: 101 was given; must be in quotes')
})

test('what is no network ends the start wherever it stands', () => {
  const rule = 'must be addresses or networks such as 192.0.2.7 or 10.0.0.0/8'
  assert.equal(
    failure({ env: { SIPREC_ALLOWED_SOURCES: '10.0.0.0/8,garbage' } }),
    `SIPREC_ALLOWED_SOURCES: "10.0.0.0/8,garbage" was given; ${rule}`,
  )
  const peer = yamlFile('siprecPeers:\n  - name: a\n    sources: [192.0.2.1/99]\n')
  assert.equal(failure({ env: {}, configFile: peer }), `siprecPeers.0.sources.0: "192.0.2.1/99" was given; ${rule}`)
  const trunk = yamlFile('trunks:\n  - name: a\n    host: h\n    sources: [10.0.0.0/8/8]\n')
  assert.equal(failure({ env: {}, configFile: trunk }), `trunks.0.sources.0: "10.0.0.0/8/8" was given; ${rule}`)
})

test('settings that contradict each other end the start', () => {
  assert.equal(
    failure({ env: { REGISTER_MIN_EXPIRES: '2h' } }),
    'REGISTER_MIN_EXPIRES: 7200s was given; must not be above REGISTER_MAX_EXPIRES, which is 3600s',
  )
  assert.equal(
    failure({ env: { SIP_SESSION_MIN: '1h' } }),
    'SIP_SESSION_MIN: 3600s was given; must not be above SIP_SESSION_EXPIRES, which is 1800s',
  )
  const half = yamlFile('trunks:\n  - name: carrier\n    host: h\n    password: secret\n')
  assert.equal(
    failure({ env: {}, configFile: half }),
    'trunks: "carrier" has a username or a password; must be both or neither',
  )
})

test('a time or a number by which nothing could work is refused in words', () => {
  assert.equal(
    failure({ env: { SIP_AUTH_NONCE_TIMEOUT: '0' } }),
    'SIP_AUTH_NONCE_TIMEOUT: "0" was given; must be at least 5s',
  )
  assert.equal(
    failure({ env: { REGISTER_MAX_EXPIRES: '0' } }),
    'REGISTER_MAX_EXPIRES: "0" was given; must be at least 1s',
  )
  const none = yamlFile('trunks:\n  - name: carrier\n    host: h\n    maxCalls: 0\n')
  assert.equal(
    failure({ env: {}, configFile: none }),
    'trunks.0.maxCalls: 0 was given; must be a whole number from 1 to 100000',
  )
})

test('the example in docs/configuration.md can be used as it stands', () => {
  const page = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8')
  const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? ''
  const { settings } = loadSettings({ env: {}, configFile: yamlFile(example) })
  assert.equal(settings.extensions[0]?.number, '101')
  assert.deepEqual(settings.trunks[0]?.outbound, [{ prefix: '0', strip: 1, add: '+49', from: ['101'] }])
  assert.deepEqual(settings.siprecPeers[0]?.sources, ['198.51.100.7'])
})

test('a public address that is to be found needs a STUN server', () => {
  const env = { BEHIND_NAT: 'true', EXTERNAL_IP: 'auto' }
  assert.equal(
    failure({ env }),
    'STUN_SERVER: "" was given; must be host or host:port of a STUN server when EXTERNAL_IP is auto',
  )
  const { settings } = loadSettings({ env: { ...env, STUN_SERVER: 'stun.example.com:3478' } })
  assert.equal(settings.nat.externalIp, 'auto')
})

test('a network is told an address of its family, a local one, or what a STUN server sees', () => {
  for (const wrong of ['10.9.0.0/16', '10.9.0.0/16=here', '10.9.0.0/16=stun:', '10.9.0.0/99=local', '::/0=10.9.0.5=1'])
    assert.match(failure({ env: { NAT_ADDRESSES: wrong } }), /^NAT_ADDRESSES: .* was given; must be NETWORK=ADDRESS/)
  const written = ['10.9.0.0/16=10.9.0.5', '10.8.0.0/16=local', '10.7.0.0/16=stun:[2001:db8::1]:3478']
  const configFile = yamlFile(`nat:\n  addresses: ${JSON.stringify(written)}\n`)
  assert.deepEqual(loadSettings({ env: {}, configFile }).settings.nat.addresses, written)
})

test('headers that say who somebody is, or belong to the stack, cannot be passed on', () => {
  for (const name of ['From', 'P-Asserted-Identity', '*', 'X', 'Contact*'])
    assert.match(failure({ env: { SIP_PASS_HEADERS: `X-Ticket, ${name}` } }), /^SIP_PASS_HEADERS: .*X-Our-\*$/)
  assert.deepEqual(loadSettings({ env: { SIP_PASS_HEADERS: 'alert-info, X-Our-*' } }).settings.sip.passHeaders, [
    'alert-info',
    'X-Our-*',
  ])
  const wrong = yamlFile('trunks:\n  - name: a\n    host: h\n    callerIdIn: to\n')
  assert.equal(
    failure({ env: {}, configFile: wrong }),
    'trunks.0.callerIdIn: "to" was given; must be from, p-asserted-identity, p-preferred-identity or remote-party-id',
  )
})
