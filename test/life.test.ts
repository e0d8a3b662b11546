/** The life of a recording in the real server: held, given away, deleted, erased. */
import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { makeApiKey, withDatabase } from '../src/administration.ts'
import type { CallDetail, Cdr, Erasure, Export } from '../src/api/schemas/index.ts'
import { connect, startTestServer, type TestServer } from './support/in-process.ts'
import { until } from './support/until.ts'

const waitMs = 20_000

let server: TestServer
let key: string

before(async () => {
  server = await startTestServer()
  key = (await withDatabase(server.settings, (database) => makeApiKey(database, 'test', 'admin'))).key
})
after(() => server.close())

const ask = (method: string, path: string, body?: object): Promise<Response> =>
  fetch(`${server.running.url}${path}`, {
    method,
    headers: { 'x-api-key': key, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  })
const get = async <Body>(path: string): Promise<Body> => (await ask('GET', path)).json() as Promise<Body>

/** A call of 101 and 102 that has ended and is recorded. */
async function recordedCall(): Promise<CallDetail['call']> {
  const alice = await server.phone('101', { speech: new Int16Array(4_000).fill(1_000) })
  const bob = await server.phone('102')
  const [atAlice] = await connect(alice, bob, '102')
  await until('some of it to be said', waitMs, () => atAlice.spoken, 20)
  await atAlice.hangUp()
  await Promise.all([alice.close(), bob.close()])
  return until('the call to be stored', waitMs, async () => {
    const { items } = await server.api.calls({ search: atAlice.sipCallId })
    return items.find(({ endedAtMs, recordings: [recording] }) => endedAtMs && recording?.state === 'stored')
  })
}

const filesOf = ({ recordings: [recording] }: CallDetail['call']): string[] => {
  const [name = ''] = recording?.files[0]?.name.split('.wav') ?? []
  return readdirSync(server.recordingDir).filter((file) => file.startsWith(name))
}

test('a held recording stays; once the hold is lifted it is deleted, and its call keeps a record', async () => {
  const call = await recordedCall()
  const id = call.recordings[0]?.id ?? ''
  const hold = (await (await ask('POST', '/api/holds', { recordingId: id, why: 'case 1' })).json()) as { id: string }
  assert.equal((await ask('DELETE', `/api/recordings/${id}?why=asked`)).status, 409)
  assert.ok(filesOf(call).length >= 4)
  await ask('DELETE', `/api/holds/${hold.id}?why=closed`)
  assert.equal((await ask('DELETE', `/api/recordings/${id}?why=asked`)).status, 202)
  await until('the files to be gone', waitMs, () => filesOf(call).length === 0)
  const cdr = await until('the row to say so', waitMs, async () => {
    const record = await get<Cdr>(`/api/calls/${call.id}/cdr`)
    return record.recordings[0]?.state === 'deleted' && record
  })
  assert.deepEqual([cdr.direction, cdr.fromExtension, cdr.toExtension], ['internal', '101', '102'])
  assert.ok(cdr.talkMs > 0)
})

test('everything of a call is given as a zip, and then taken away without a trace', async () => {
  const call = await recordedCall()
  const wav = call.recordings[0]?.files.find(({ kind }) => kind === 'leg')?.name ?? ''
  const sound = await readFile(join(server.recordingDir, wav))
  const { id } = (await (await ask('POST', '/api/compliance/export', { callId: call.id })).json()) as Export
  await until('the export', waitMs, async () => (await get<Export>(`/api/compliance/exports/${id}`)).state === 'ready')
  const zip = Buffer.from(await (await ask('GET', `/api/compliance/exports/${id}/file`)).arrayBuffer())
  assert.ok(zip.includes(sound), 'the sound is in the archive as it was on the disk')

  const request = { callId: call.id, dryRun: false, why: 'asked' }
  const begun = (await (await ask('POST', '/api/compliance/erase', request)).json()) as Erasure
  const erasure = await until('the erasure', waitMs, async () => {
    const now = await get<Erasure>(`/api/compliance/erasures/${begun.id}`)
    return now.state !== 'running' && now
  })
  assert.deepEqual([erasure.state, erasure.report?.left, erasure.report?.exports], ['done', [], 1])
  assert.deepEqual(filesOf(call), [])
  assert.equal((await ask('GET', `/api/calls/${call.id}`)).status, 404)
  assert.equal((await ask('GET', `/api/compliance/exports/${id}`)).status, 404)
  const { intact } = await get<{ intact: boolean }>('/api/audit/verify')
  assert.ok(intact)
})
