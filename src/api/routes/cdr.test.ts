import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { alice, bob, ended, legStarted, started, stored } from '../../database/test-support.ts'
import type { CdrPage } from '../schemas/cdr.ts'
import type { Labels, Note } from '../schemas/labels.ts'
import type { RecordingsPage } from '../schemas/recordings.ts'
import { startApi } from '../test-support.ts'

/** `c1` answered and recorded, `c2` from outside and missed, `c3` a recording session, `c4` lives. */
async function withCalls(t: TestContext) {
  const api = await startApi(t)
  const { bus } = api
  const stranger = { uri: 'sip:+4930123@carrier', name: '=cmd' }
  bus.publish(started('c1', 1_000))
  bus.publish(legStarted('c1', 'l1', 1_000))
  bus.publish({ name: 'call.answered', atMs: 3_000, callId: 'c1', legId: 'l1' })
  bus.publish({
    name: 'leg.ended',
    atMs: 9_000,
    callId: 'c1',
    legId: 'l1',
    media: {
      codec: 'PCMA',
      packetsReceived: 300,
      packetsLost: 2,
      packetsSent: 300,
      jitterMs: 1,
      quality: {
        mos: 3.9,
        lossShare: 0,
        discardShare: 0,
        burstRatio: 1,
        jitterMs: 1,
        delayMs: 20,
        verdicts: [{ code: 'one-way-audio', text: 'x', advice: 'y' }],
      },
    },
  })
  bus.publish({ ...stored('c1', 'r1'), origin: { peer: 'sbc', tags: ['sales'] } })
  bus.publish(ended('c1'))
  bus.publish({ name: 'call.started', atMs: 2_000, callId: 'c2', kind: 'pbx', from: stranger, to: alice })
  bus.publish({ name: 'call.ended', atMs: 12_000, callId: 'c2', reason: 'no-answer', sipStatus: 480 })
  bus.publish({ name: 'call.started', atMs: 3_000, callId: 'c3', kind: 'siprec', from: stranger, to: bob })
  for (const legId of ['s1', 's2'])
    bus.publish({ ...legStarted('c3', legId, 3_000), sipCallId: 'session@sbc', role: 'stream' })
  bus.publish({ ...stored('c3', 'r3'), durationMs: 60_000 })
  bus.publish({ name: 'call.ended', atMs: 70_000, callId: 'c3', reason: 'hangup' })
  bus.publish(started('c4', 4_000))
  const headers = await api.as('admin')
  const get = async <Body>(url: string): Promise<Body> => (await api.app.inject({ url, headers })).json<Body>()
  const ids = async (query: string): Promise<string[]> =>
    (await get<CdrPage>(`/api/cdr${query}`)).items.map(({ callId }) => callId)
  const recordings = async (query: string): Promise<string[]> =>
    (await get<RecordingsPage>(`/api/recordings${query}`)).items.map(({ id }) => id)
  return { ...api, headers, get, ids, recordings }
}

test('each call that has ended is one record with who, when, how long, how well and what was recorded', async (t) => {
  const { get } = await withCalls(t)
  const { items } = await get<CdrPage>('/api/cdr')
  assert.deepEqual(
    items.map(({ callId, direction }) => [callId, direction]),
    [
      ['c3', 'recorded'],
      ['c2', 'inbound'],
      ['c1', 'outbound'],
    ],
  )
  assert.deepEqual(items[0]?.sipCallIds, ['session@sbc'], 'the streams of a session are one dialog')
  assert.deepEqual(items[2], {
    callId: 'c1',
    kind: 'pbx',
    direction: 'outbound',
    from: alice.uri,
    fromName: alice.name,
    fromExtension: '101',
    to: bob.uri,
    toName: bob.name,
    startedAtMs: 1_000,
    answeredAtMs: 3_000,
    endedAtMs: 9_000,
    ringMs: 2_000,
    talkMs: 6_000,
    endReason: 'hangup',
    sipCallIds: ['l1@Phone'],
    codecs: ['PCMA'],
    mos: 3.9,
    packetsReceived: 300,
    packetsLost: 2,
    recordings: [{ id: 'r1', state: 'stored' }],
    peer: 'sbc',
    tags: ['sales'],
  })
  assert.deepEqual([items[1]?.ringMs, items[1]?.talkMs, items[1]?.sipStatus], [10_000, 0, 480])
})

for (const [query, wanted] of [
  ['?kind=siprec', ['c3']],
  ['?person=%2B49%2030%20123', ['c3', 'c2']],
  ['?person=sip:102@example.com', ['c3', 'c1']],
  ['?person=nobody', []],
  ['?extension=101', ['c2', 'c1']],
  ['?tag=sales', ['c1']],
  ['?answered=false', ['c3', 'c2']],
  ['?recorded=true', ['c3', 'c1']],
  ['?fromMs=2000&untilMs=3000', ['c2']],
  ['?endReason=no-answer', ['c2']],
] as const)
  test(`call detail records of ${query}`, async (t) => {
    assert.deepEqual(await (await withCalls(t)).ids(query), wanted)
  })

test('pages follow each other without a gap', async (t) => {
  const { get, ids } = await withCalls(t)
  const { nextCursor } = await get<CdrPage>('/api/cdr?limit=1')
  assert.deepEqual(await ids(`?limit=2&cursor=${nextCursor}`), ['c2', 'c1'])
})

test('all are downloaded as CSV, without formulas, and as JSON lines; and that is recorded', async (t) => {
  const { app, headers, deps } = await withCalls(t)
  const csv = await app.inject({ url: '/api/cdr.csv', headers })
  assert.equal(csv.headers['content-type'], 'text/csv; charset=utf-8')
  assert.equal(csv.body.split('\r\n').length, 5)
  assert.match(csv.body, /,'=cmd,/)
  const lines = await app.inject({ url: '/api/cdr.jsonl?person=102', headers })
  assert.deepEqual(
    lines.body
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { callId: string }).callId),
    ['c3', 'c1'],
  )
  assert.deepEqual(
    (await deps.audit.list({ limit: 9 })).map(({ action }) => action),
    ['cdr.exported', 'cdr.exported'],
  )
})

for (const [query, wanted] of [
  ['?person=%2B4930123', ['r3']],
  ['?peer=sbc', ['r1']],
  ['?tag=sales', ['r1']],
  ['?tag=vip', ['r3']],
  ['?minDurationMs=8001', ['r3']],
  ['?maxDurationMs=8000', ['r1']],
  ['?verdict=one-way-audio', ['r1']],
  ['?verdict=one%25', []],
  ['?held=true', ['r3']],
  ['?held=false', ['r1']],
  ['?state=deleted', []],
  ['?kind=siprec&tag=vip&search=4930', ['r3']],
] as const)
  test(`recordings of ${query}`, async (t) => {
    const { recordings, app, headers } = await withCalls(t)
    await app.inject({ method: 'POST', url: '/api/holds', headers, payload: { person: '+4930123', why: 'case' } })
    await app.inject({ method: 'PUT', url: '/api/calls/c3/tags', headers, payload: { tags: ['vip'] } })
    assert.deepEqual(await recordings(query), wanted)
  })

test('how many recordings fit is counted when it is asked for', async (t) => {
  const { get } = await withCalls(t)
  assert.equal((await get<RecordingsPage>('/api/recordings?limit=1&count=true')).total, 2)
  assert.equal((await get<RecordingsPage>('/api/recordings?limit=1&tag=sales&count=true')).total, 1)
  assert.equal((await get<RecordingsPage>('/api/recordings?limit=1')).total, undefined)
})

test('calls and recordings get tags, calls get notes; what a note says is not in the audit record', async (t) => {
  const { app, headers, get, ids, deps } = await withCalls(t)
  const send = (method: 'PUT' | 'POST' | 'DELETE', url: string, payload?: object) =>
    app.inject({ method, url, headers, ...(payload && { payload }) })
  assert.equal((await send('PUT', '/api/calls/c1/tags', { tags: ['b', 'a', 'b'] })).statusCode, 204)
  const note = (await send('POST', '/api/calls/c1/notes', { text: 'rang back' })).json<Note>()
  assert.deepEqual(await get<Labels>('/api/calls/c1/labels'), { tags: ['a', 'b'], notes: [note] })
  assert.equal(note.who, 'admin')
  assert.deepEqual(await ids('?tag=a'), ['c1'])
  assert.equal((await send('PUT', '/api/recordings/r1/tags', { tags: [] })).statusCode, 204)
  assert.deepEqual((await get<CdrPage>('/api/cdr?person=102&recorded=true')).items.at(-1)?.tags, ['a', 'b'])
  assert.equal((await send('DELETE', `/api/calls/c1/notes/${note.id}`)).statusCode, 204)
  assert.equal((await send('DELETE', `/api/calls/c1/notes/${note.id}`)).statusCode, 404)
  assert.equal((await send('PUT', '/api/calls/none/tags', { tags: [] })).statusCode, 404)
  assert.equal((await send('PUT', '/api/calls/c1/tags', { tags: ['<script>'] })).statusCode, 400)
  const records = await deps.audit.list({ limit: 9 })
  assert.equal(records.length, 4)
  assert.doesNotMatch(JSON.stringify(records), /rang back/)
})
