/** `patchbay doctor` finds what would stop a start, and says what to do. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, test } from 'node:test'
import { freePort } from './support/free-port.ts'

const entry = join(import.meta.dirname, '..', 'bin', 'patchbay.js')
const folder = mkdtempSync(join(tmpdir(), 'patchbay-doctor-'))
after(() => rmSync(folder, { recursive: true }))

async function doctor(env: Readonly<Record<string, string>> = {}) {
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', entry, 'doctor'], {
    timeout: 20_000,
    env: {
      PATH: process.env['PATH'],
      SIP_HOST: '127.0.0.1',
      PORTS: '0',
      HTTP_PORT: '0',
      RTP_PORT_MIN: '10000',
      RTP_PORT_MAX: '10101',
      DATA_DIR: join(folder, 'data'),
      RECORDING_DIR: join(folder, 'recordings'),
      ...env,
    },
  })
  const [out, error, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
  return { out, error, status: status as number }
}

test('a machine on which a start would work: no line says fail, and nothing was made', async () => {
  const { out, status } = await doctor()
  assert.equal(status, 0, out)
  for (const what of [
    'node',
    'settings',
    'sip udp',
    'sip tcp',
    'http',
    'rtp',
    'media io',
    'codecs',
    'music',
    'tls',
    'recordings',
    'data',
    'open files',
  ])
    assert.match(out, new RegExp(`^(ok|warn) +${what} `, 'm'))
  assert.deepEqual(readdirSync(folder), [])
})

test('a SIP port that another program has', async () => {
  const socket = createSocket('udp4')
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  const { out, status } = await doctor({ UDP_PORTS: String(port), TCP_PORTS: String(await freePort()) })
  socket.close()
  assert.equal(status, 1)
  assert.match(
    out,
    new RegExp(
      `^fail +sip udp +127\\.0\\.0\\.1:${port} is in use by another program: choose another \\(PORTS\\)$`,
      'm',
    ),
  )
  assert.match(out, /^ok +sip tcp /m)
})

test('an address that is not of this machine, a folder that is a file, a certificate that is none', async () => {
  const file = join(folder, 'file')
  writeFileSync(file, 'no certificate')
  const { out, status } = await doctor({
    RTP_BIND_IP: '192.0.2.1',
    RECORDING_DIR: join(file, 'below'),
    ENABLE_TLS: 'true',
    TLS_CERT_PATH: file,
    TLS_KEY_PATH: file,
  })
  rmSync(file)
  assert.equal(status, 1)
  assert.match(out, /^fail +rtp +192\.0\.2\.1 is no address of this machine/m)
  assert.match(out, /^fail +recordings /m)
  assert.match(out, /^fail +tls /m)
})

test('music on hold that cannot be played, and noise suppression that is there', async () => {
  const { out, status } = await doctor({ MUSIC_ON_HOLD: join(folder, 'missing.wav'), SOUND_DENOISE: 'true' })
  assert.equal(status, 1)
  assert.match(out, /^fail +music +MUSIC_ON_HOLD: .*missing\.wav is no WAV or Ogg Opus file that can be read$/m)
  assert.match(out, /^ok +denoise /m)
})

test('codecs of CODECS that the server does not know are told, and a list of nothing else is a warning', async () => {
  const [some, none] = await Promise.all([doctor({ CODECS: 'PCMA,opsu,others' }), doctor({ CODECS: 'G729' })])
  assert.match(some.out, /^ok +codecs +PCMA; opsu: known to phones alone/m)
  assert.match(none.out, /^warn +codecs +none of G729 is offered or heard by the server \(CODECS\)/m)
})

test('few open files for many ports are told in calls', { skip: process.platform !== 'linux' }, async () => {
  const { out } = await doctor({ RTP_PORT_MIN: '1024', RTP_PORT_MAX: '65535' })
  const [, limit] = /^(?:ok|warn) +open files +(\d+) allowed/m.exec(out) ?? []
  assert.ok(Number(limit) > 0, out)
  assert.match(out, Number(limit) > 97_000 ? /^ok +open files/m : /^warn +open files .* recorded calls of two/m)
  assert.match(out, /^warn +rtp +1024 to 65535 overlaps/m)
})

test('a wrong setting ends it with the line that a start would end with', async () => {
  const { error, status } = await doctor({ MEDIA_IO: 'fast' })
  assert.equal(status, 1)
  assert.match(error, /MEDIA_IO: "fast" was given; must be one of auto, dgram, native/)
})
