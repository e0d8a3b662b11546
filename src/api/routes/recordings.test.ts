import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ArchivedFile } from '../../archive/archived-file.ts'
import { MemoryStore } from '../../archive/test-support.ts'
import type { RecordingFile } from '../../events/catalogue.ts'
import { sealedWhole } from '../../sealing/container/sealer.ts'
import { opensWith, testMaster, testSeal } from '../../sealing/test-support.ts'
import type { ApiDeps } from '../deps.ts'
import { type ApiUnderTest, startApi } from '../test-support.ts'

const alice = { uri: 'sip:101@example.com', name: 'Alice' }
const bob = { uri: 'sip:102@example.com' }
const file = (name: string, changes: Partial<RecordingFile> = {}): RecordingFile => ({
  name,
  kind: 'leg',
  channels: 1,
  sampleRateHz: 8_000,
  samples: 5,
  bytes: 10,
  startedAtMs: 1_000,
  ...changes,
})

const master = testMaster()

/** A recording `r` of call `c` with these files, each holding `0123456789`. */
async function withRecording(
  t: TestContext,
  files: readonly RecordingFile[],
  changes: Partial<ApiDeps> = {},
): Promise<ApiUnderTest & { headers: Record<string, string> }> {
  const api = await startApi(t, { openKey: opensWith(master), ...changes })
  const { bus, folder } = api
  bus.publish({ name: 'call.started', atMs: 1_000, callId: 'c', kind: 'pbx', from: alice, to: bob })
  bus.publish({ name: 'recording.started', atMs: 1_000, callId: 'c', recordingId: 'r', folder })
  bus.publish({
    name: 'recording.stored',
    atMs: 2_000,
    callId: 'c',
    recordingId: 'r',
    baseName: 'a',
    files,
    participants: [{ uri: alice.uri, channel: 0, guessed: false }],
    durationMs: 900,
    interrupted: false,
  })
  for (const { name } of files) {
    if (name.includes('..') || name.startsWith('/')) continue
    mkdirSync(join(folder, name, '..'), { recursive: true })
    const bytes = Buffer.from('0123456789')
    writeFileSync(join(folder, name), name.endsWith('.sealed') ? sealedWhole(testSeal(master), name, 1, bytes) : bytes)
  }
  return { ...api, headers: await api.as('viewer') }
}

test('recordings are listed with whose call it was', async (t) => {
  const files = [file('a.wav', { kind: 'combined', channels: 2 }), file('a_1.wav', { legId: 'l1', label: '1' })]
  const { app, headers } = await withRecording(t, files)

  const list = (await app.inject({ url: '/api/recordings?search=alice', headers })).json()

  const expected = {
    id: 'r',
    callId: 'c',
    state: 'stored',
    startedAtMs: 1_000,
    durationMs: 900,
    tags: [],
    files,
    participants: [{ uri: alice.uri, channel: 0, guessed: false }],
    call: { kind: 'pbx', from: alice, to: bob },
  }
  assert.deepEqual(list, { items: [expected] })
  assert.deepEqual((await app.inject({ url: '/api/recordings/r', headers })).json(), expected)
  assert.deepEqual((await app.inject({ url: '/api/recordings?kind=siprec', headers })).json(), { items: [] })
  assert.equal((await app.inject({ url: '/api/recordings/x', headers })).json().code, 'api.recording-not-found')
})

for (const name of ['2026/a b.wav', '2026/a b.wav.sealed'])
  test(`${name} is sent whole, in parts, or only when it changed (RFC 9110 §13, §14)`, async (t) => {
    const { app, headers } = await withRecording(t, [file(name)])
    const url = `/api/recordings/r/files/${encodeURIComponent(name)}`
    const get = (more: Record<string, string> = {}, method: 'GET' | 'HEAD' = 'GET') =>
      app.inject({ method, url, headers: { ...headers, ...more } })

    const whole = await get()
    assert.deepEqual([whole.statusCode, whole.body], [200, '0123456789'])
    assert.equal(whole.headers['content-type'], 'audio/wav')
    assert.equal(whole.headers['accept-ranges'], 'bytes')
    assert.equal(whole.headers['cache-control'], 'private, no-cache')
    assert.equal(whole.headers['content-disposition'], "inline; filename*=UTF-8''a%20b.wav")

    for (const [range, status, body, contentRange] of [
      ['bytes=0-3', 206, '0123', 'bytes 0-3/10'],
      ['bytes=7-', 206, '789', 'bytes 7-9/10'],
      ['bytes=-2', 206, '89', 'bytes 8-9/10'],
      ['bytes=4-400', 206, '456789', 'bytes 4-9/10'],
      ['lines=1-2', 200, '0123456789', undefined],
    ] as const) {
      const part = await get({ range })
      assert.deepEqual([range, part.statusCode, part.body], [range, status, body])
      assert.equal(part.headers['content-range'], contentRange)
    }

    const beyond = await get({ range: 'bytes=10-' })
    assert.deepEqual([beyond.statusCode, beyond.json().code], [416, 'api.range-not-satisfiable'])
    assert.equal(beyond.headers['content-range'], 'bytes */10')

    const head = await get({}, 'HEAD')
    assert.deepEqual([head.statusCode, head.headers['content-length'], head.body], [200, '10', ''])

    const etag = String(whole.headers['etag'])
    assert.equal((await get({ 'if-none-match': etag })).statusCode, 304)
    assert.equal((await get({ range: 'bytes=0-3', 'if-range': 'W/"another"' })).statusCode, 200)
  })

test('a sealed file that was changed, or whose key is missing, is refused and says why', async (t) => {
  const { app, headers, folder } = await withRecording(t, [file('a.wav.sealed')])
  const url = '/api/recordings/r/audio'
  assert.equal((await app.inject({ url, headers })).body, '0123456789')

  const path = join(folder, 'a.wav.sealed')
  const bytes = readFileSync(path)
  bytes[4096 + 25]! ^= 1
  writeFileSync(path, bytes)
  const changed = await app.inject({ url, headers })
  assert.deepEqual([changed.statusCode, changed.body.includes('0123')], [500, false])

  writeFileSync(path, bytes.subarray(0, 4096 + 30))
  assert.equal((await app.inject({ url, headers })).json().code, 'sealing.unfinished')
  writeFileSync(path, sealedWhole(testSeal(testMaster('lost:1')), 'a.wav', 1, bytes))
  assert.equal((await app.inject({ url, headers })).json().code, 'sealing.key-refused')
})

test('the audio of a recording is its combined file, else its only leg, else nothing', async (t) => {
  const both = await withRecording(t, [file('l.wav'), file('both.wav', { kind: 'combined' })])
  const audio = await both.app.inject({ url: '/api/recordings/r/audio', headers: both.headers })
  assert.match(String(audio.headers['content-disposition']), /both\.wav/)

  const one = await withRecording(t, [file('l.wav')])
  assert.equal((await one.app.inject({ url: '/api/recordings/r/audio', headers: one.headers })).statusCode, 200)

  const two = await withRecording(t, [file('l.wav'), file('m.wav')])
  const none = await two.app.inject({ url: '/api/recordings/r/audio', headers: two.headers })
  assert.deepEqual([none.statusCode, none.json().code], [404, 'api.no-audio'])
})

test('only files that the recording names are sent, and none from outside the folder', async (t) => {
  const named = ['../outside.wav', '/etc/hostname', 'a/../../outside.wav', 'gone.wav', 'Call%2FID@x_1.wav', 'q?#.wav']
  const { app, headers, folder } = await withRecording(
    t,
    named.map((name) => file(name)),
  )
  writeFileSync(join(folder, '..', 'outside.wav'), 'secret')
  writeFileSync(join(folder, 'unnamed.wav'), 'secret')
  t.after(() => rmSync(join(folder, '..', 'outside.wav')))
  rmSync(join(folder, 'gone.wav'))
  const ask = (name: string) => app.inject({ url: `/api/recordings/r/files/${name}`, headers })

  for (const name of [
    ...named.slice(0, 4).map(encodeURIComponent),
    'unnamed.wav',
    '..%2Funnamed.wav',
    '%2e%2e%2foutside.wav',
    '..%5Coutside.wav',
    'gone.wav%00',
  ]) {
    const answer = await ask(name)
    assert.deepEqual([name, answer.statusCode, answer.json().code], [name, 404, 'api.file-not-found'])
  }
  assert.equal((await ask(encodeURIComponent('Call%2FID@x_1.wav'))).statusCode, 200)
  assert.equal((await ask(encodeURIComponent('q?#.wav'))).statusCode, 200)
})

test('who listens is recorded once, not for each piece that the player asks for', async (t) => {
  const { app, headers, deps } = await withRecording(t, [file('a.wav')])
  for (const range of ['bytes=0-', 'bytes=4-', 'bytes=8-9'])
    await app.inject({ url: '/api/recordings/r/audio', headers: { ...headers, range } })
  await app.inject({ url: '/api/recordings/r/audio', method: 'HEAD', headers })
  const records = await deps.audit.list({ limit: 10 })
  assert.deepEqual(
    records.map(({ who, action, subject }) => [who, action, subject]),
    [['viewer', 'recording.read', 'recording:r']],
  )
})

for (const name of ['a.wav', 'a.wav.sealed'])
  test(`${name} whose local copy is gone is sent from the archive, with ranges and HEAD`, async (t) => {
    const store = new MemoryStore('s3')
    const bytes = Buffer.from('0123456789')
    const content = name.endsWith('.sealed') ? sealedWhole(testSeal(master), name, 1, bytes) : bytes
    store.objects.set(name, { content, sha256: 'abc', cold: false })
    const copy = {
      recordingId: 'r',
      file: name,
      store: 's3',
      key: name,
      uri: store.uri(name),
      bytes: content.length,
      sha256: 'abc',
      storedAtMs: 5_000,
      cold: false,
    } as const
    const archive = {
      of: () => Promise.resolve([copy]),
      open: (_id: string, wanted: string) =>
        wanted === name ? ArchivedFile.open(store, copy) : Promise.resolve(undefined),
    }
    const { app, folder, headers } = await withRecording(t, [file(name)], { archive })
    rmSync(join(folder, name))
    const url = `/api/recordings/r/files/${name}`
    const whole = await app.inject({ url, headers })
    assert.deepEqual([whole.statusCode, whole.body, whole.headers.etag], [200, '0123456789', '"abc"'])
    assert.equal(whole.headers['content-type'], 'audio/wav')
    const part = await app.inject({ url, headers: { ...headers, range: 'bytes=2-4' } })
    assert.deepEqual([part.statusCode, part.body, part.headers['content-range']], [206, '234', 'bytes 2-4/10'])
    const head = await app.inject({ method: 'HEAD', url, headers })
    assert.deepEqual([head.statusCode, head.headers['content-length']], [200, '10'])
    const { recordingId: _, key: __, ...shown } = copy
    const copies = await app.inject({ url: '/api/recordings/r/copies', headers })
    assert.deepEqual(copies.json(), { items: [shown] })
  })
