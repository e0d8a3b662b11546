/** A start that cannot be ends with one line that says what to do. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { claimFolder } from '../src/claim-folder.ts'

const root = join(import.meta.dirname, '..')
const folder = mkdtempSync(join(tmpdir(), 'patchbay-start-'))
after(() => rmSync(folder, { recursive: true }))

function patchbay(args: readonly string[], env: Record<string, string> = {}, input = '') {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', join(root, 'bin', 'patchbay.js'), ...args],
    {
      encoding: 'utf8',
      input,
      timeout: 20_000,
      env: {
        PATH: process.env['PATH'],
        SIP_HOST: '127.0.0.1',
        PORTS: '0',
        HTTP_PORT: '0',
        DATA_DIR: join(folder, 'data'),
        RECORDING_DIR: join(folder, 'recordings'),
        LOG_LEVEL: 'error',
        ...env,
      },
    },
  )
  return { status, out: stdout.trim(), line: stderr.trim() }
}

test('a wrong setting', () => {
  const { status, line } = patchbay(['serve'], { HTTP_PORT: 'many' })
  assert.equal(status, 1)
  assert.equal(line, 'patchbay: HTTP_PORT: "many" was given; must be a whole number from 0 to 65535')
})

test('a SIP port that is in use', async () => {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  const { status, line } = patchbay(['serve'], { PORTS: String(port) })
  socket.close()
  assert.equal(status, 1)
  assert.equal(
    line,
    `patchbay: 127.0.0.1:${port} is in use by another program; choose another port (PORTS for SIP, HTTP_PORT for the console)`,
  )
})

test('a second server on the same data folder, which would take the live calls of the first for dead', () => {
  const data = join(folder, 'claimed')
  mkdirSync(data)
  const giveBack = claimFolder(data)
  const { status, line } = patchbay(['serve'], { DATA_DIR: data })
  giveBack()
  assert.equal(status, 1)
  assert.equal(line, `patchbay: ${data} is the data folder of a server that runs; choose another (DATA_DIR)`)
})

test('an address for media that is none of this machine', () => {
  const { status, line } = patchbay(['serve'], { RTP_BIND_IP: '203.0.113.9' })
  assert.equal(status, 1)
  assert.equal(line, 'patchbay: 203.0.113.9 is no address of this machine')
})

test('a TLS certificate that is missing', () => {
  assert.equal(
    patchbay(['serve'], { ENABLE_TLS: 'true', TLS_KEY_PATH: 'key.pem' }).line,
    'patchbay: TLS_CERT_PATH: nothing was given; must be the path of a file with ENABLE_TLS',
  )
  const env = { ENABLE_TLS: 'true', TLS_PORT: '0', TLS_CERT_PATH: join(folder, 'none.pem'), TLS_KEY_PATH: 'key.pem' }
  const { status, line } = patchbay(['serve'], env)
  assert.equal(status, 1)
  assert.equal(line, `patchbay: ${join(folder, 'none.pem')} cannot be read: ENOENT`)
})

test('a recording folder that cannot be one', () => {
  const file = join(folder, 'file')
  writeFileSync(file, '')
  const { status, line } = patchbay(['serve'], { RECORDING_DIR: join(file, 'recordings') })
  assert.equal(status, 1)
  assert.equal(line, `patchbay: ${join(file, 'recordings')} cannot be a folder: there is a file in the way`)
})

test('a command that does not exist', () => {
  const { status, line } = patchbay(['sevre'])
  assert.equal(status, 2)
  assert.equal(line, 'patchbay: there is no command "sevre"; see patchbay --help')
})

test('an older Node', () => {
  const script = `Object.defineProperty(process, 'versions', { value: { node: '20.1.0' } }); import(${JSON.stringify(join(root, 'bin', 'require-node.js'))})`
  const { status, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, /^Patchbay needs Node 24\.3 or newer/)
  assert.equal(stderr.trim().split('\n').length, 1)
})

test('extensions are added, listed and removed at the command line; a password is shown once', () => {
  assert.match(patchbay(['extension', 'add', '101', '--name', 'Alice']).out, /^extension 101 added\npassword \S{20} /)
  assert.equal(patchbay(['extension', 'list']).out, '101\tAlice')
  assert.equal(patchbay(['extension', 'add', '101']).line, 'patchbay: An extension with this number exists')
  assert.equal(patchbay(['extension', 'remove', '101']).out, 'extension 101 removed')
  assert.equal(patchbay(['extension', 'remove', '101']).line, 'patchbay: No extension has this number')
})

test('the command line takes what the API takes, and says what is wrong with the rest', () => {
  const given = (args: readonly string[], input = '') => patchbay(args, {}, input).line
  assert.equal(given(['extension', 'add', '102', 'Bob']), 'patchbay: "Bob" was given besides; see patchbay --help')
  assert.match(given(['extension', 'add', '1 2']), /^patchbay: number: up to 32 letters, digits/)
  assert.match(given(['extension', 'add', '102', '--password-stdin'], 'short\n'), /^patchbay: password: .*8 characters/)
  assert.match(given(['user', 'add', 'Ü!']), /^patchbay: name: up to 64 letters, digits/)
  assert.match(given(['user', 'add', 'vera', '--password-stdin'], 'too-short'), /^patchbay: password: .*10 characters/)
  assert.match(given(['user', 'add', 'vera', '--role', 'boss']), /^patchbay: role: .*"admin"\|"operator"\|"viewer"/)
  assert.match(patchbay(['extension', 'add', '+4930123']).out, /^extension \+4930123 added/)
})

test('config shows what is in force and where it came from', () => {
  const { out } = patchbay(['config'], { PATCHBAY_ADMIN_PASSWORD: 'hush-hush-hush' })
  assert.match(out, /^sip\.host\s+\["127\.0\.0\.1"\]\s+# environment \(SIP_HOST\)$/m)
  assert.ok(!out.includes('hush-hush-hush'))
})
