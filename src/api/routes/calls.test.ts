import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fakeCall, startApi } from '../test-support.ts'

const alice = { uri: 'sip:101@example.com', name: 'Alice', extension: '101' }
const bob = { uri: 'sip:102@example.com' }

test('a live call is shown with what is already kept of it', async (t) => {
  const { app, as, bus, liveCalls } = await startApi(t)
  const headers = await as('viewer')
  liveCalls.add(fakeCall({ id: 'a', from: alice, to: bob, recording: true }))
  bus.publish({ name: 'call.started', atMs: 1_000, callId: 'a', kind: 'pbx', from: alice, to: bob })

  const live = await app.inject({ url: '/api/calls/live', headers })
  const detail = await app.inject({ url: '/api/calls/a', headers })

  const shown = { id: 'a', kind: 'pbx', from: alice, to: bob, startedAtMs: 1_000 }
  assert.deepEqual(live.json(), { items: [{ ...shown, recording: true, legs: [] }] })
  assert.deepEqual(detail.json(), {
    call: { ...shown, legs: [], recordings: [] },
    live: { ...shown, recording: true, legs: [] },
  })
})

test('a live call that is not written yet is shown all the same', async (t) => {
  const { app, as, liveCalls } = await startApi(t)
  liveCalls.add(fakeCall({ id: 'young', answeredAtMs: 2_000 }))

  const answer = await app.inject({ url: '/api/calls/young', headers: await as('viewer') })

  assert.equal(answer.json().call.answeredAtMs, 2_000)
})

test('a call that has just ended is in the list at once, without waiting for the journal', async (t) => {
  const { app, as, bus } = await startApi(t)
  bus.publish({ name: 'call.started', atMs: 1_000, callId: 'a', kind: 'siprec', from: alice, to: bob })
  bus.publish({ name: 'call.ended', atMs: 9_000, callId: 'a', reason: 'hangup', by: 'callee' })

  const answer = await app.inject({
    url: '/api/calls?kind=siprec&search=ALICE&recorded=false',
    headers: await as('viewer'),
  })

  assert.deepEqual(answer.json(), {
    items: [
      {
        id: 'a',
        kind: 'siprec',
        from: alice,
        to: bob,
        startedAtMs: 1_000,
        endedAtMs: 9_000,
        endReason: 'hangup',
        legs: [],
        recordings: [],
      },
    ],
  })
})

const ids = (page: { items: { id: string }[] }): string[] => page.items.map(({ id }) => id)

test('pages of calls follow each other by cursor', async (t) => {
  const { app, as, bus } = await startApi(t)
  const headers = await as('viewer')
  for (const id of ['a', 'b', 'c']) {
    bus.publish({ name: 'call.started', atMs: 1_000, callId: id, kind: 'pbx', from: alice, to: bob })
  }

  const first = (await app.inject({ url: '/api/calls?limit=2', headers })).json()
  const second = (await app.inject({ url: `/api/calls?limit=2&cursor=${first.nextCursor}`, headers })).json()

  assert.deepEqual([ids(first), ids(second), second.nextCursor], [['c', 'b'], ['a'], undefined])
})

test('messages come from the live call, later from what is kept', async (t) => {
  const { app, as, bus, liveCalls } = await startApi(t)
  const headers = await as('viewer')
  const message = {
    atMs: 1_000,
    direction: 'in' as const,
    transport: 'udp',
    local: '192.0.2.1:5060',
    remote: '192.0.2.2:5060',
    sipCallId: 'x@y',
    summary: 'INVITE sip:102@example.com SIP/2.0',
    text: 'INVITE sip:102@example.com SIP/2.0\r\n\r\n',
  }
  liveCalls.add({ ...fakeCall({ id: 'a' }), messages: () => [message] })
  bus.publish({ name: 'call.started', atMs: 1_000, callId: 'a', kind: 'pbx', from: alice, to: bob })
  const while_ = await app.inject({ url: '/api/calls/a/messages', headers })

  liveCalls.remove('a')
  bus.publish({ name: 'call.ended', atMs: 2_000, callId: 'a', reason: 'hangup' })
  bus.publish({ name: 'call.traced', atMs: 2_000, callId: 'a', messages: [message, { ...message, direction: 'out' }] })
  const after = await app.inject({ url: '/api/calls/a/messages', headers })

  assert.deepEqual(while_.json(), { items: [message] })
  assert.deepEqual(after.json(), { items: [message, { ...message, direction: 'out' }] })
  assert.equal((await app.inject({ url: '/api/calls/b/messages', headers })).json().code, 'api.call-not-found')
})

test('the metadata of a SIPREC session: documents, sessions, vendor facts; none for others', async (t) => {
  const { app, as, bus } = await startApi(t)
  const headers = await as('viewer')
  const vendor = { type: 'avaya', ucid: '04099475671585313765', headers: {}, extensions: [] } as const
  const sessions = [{ id: 'cs', sipSessionIds: [], startedAtMs: 5, reasons: [], participants: [] }]
  for (const id of ['a', 'b'])
    bus.publish({ name: 'call.started', atMs: 1_000, callId: id, kind: 'siprec', from: alice, to: bob })
  bus.publish({
    name: 'siprec.metadata-updated',
    atMs: 2_000,
    callId: 'a',
    participants: [],
    raw: '<recording/>',
    problems: [],
    sessions,
    vendor,
  })

  const get = async (url: string) => (await app.inject({ url, headers })).json()
  assert.deepEqual(await get('/api/calls/a/metadata'), {
    documents: [{ atMs: 2_000, raw: '<recording/>', problems: [] }],
    sessions,
    vendor,
  })
  assert.deepEqual((await get('/api/calls/a')).vendor, vendor)
  assert.deepEqual(await get('/api/calls/b/metadata'), { documents: [], sessions: [] })
  assert.equal((await get('/api/calls/b')).vendor, undefined)
  assert.equal((await get('/api/calls/c/metadata')).code, 'api.call-not-found')
  assert.deepEqual(ids(await get('/api/calls?key=04099475671585313765')), ['a'])
})

test('hanging up ends the live call; one that is over or unknown cannot be', async (t) => {
  const { app, as, bus, liveCalls } = await startApi(t)
  const headers = await as('admin')
  const call = fakeCall({ id: 'a' })
  liveCalls.add(call)
  bus.publish({ name: 'call.started', atMs: 1_000, callId: 'over', kind: 'pbx', from: alice, to: bob })

  assert.equal((await app.inject({ method: 'DELETE', url: '/api/calls/a', headers })).statusCode, 204)
  assert.deepEqual(call.ended, ['hangup'])
  const over = await app.inject({ method: 'DELETE', url: '/api/calls/over', headers })
  assert.deepEqual([over.statusCode, over.json().code], [409, 'api.call-not-live'])
  assert.equal((await app.inject({ method: 'DELETE', url: '/api/calls/nobody', headers })).statusCode, 404)
})

test('sessions are the live calls of SIPREC clients', async (t) => {
  const { app, as, liveCalls } = await startApi(t)
  const headers = await as('admin')
  const session = fakeCall({ id: 's', kind: 'siprec' })
  liveCalls.add(session)
  liveCalls.add(fakeCall({ id: 'p' }))

  const list = await app.inject({ url: '/api/sessions', headers })

  assert.equal(list.json().count, 1)
  assert.equal(list.json().sessions[0].id, 's')
  assert.equal((await app.inject({ url: '/api/sessions/s', headers })).json().kind, 'siprec')
  assert.equal((await app.inject({ url: '/api/sessions/p', headers })).json().code, 'api.session-not-found')
  assert.equal((await app.inject({ method: 'DELETE', url: '/api/sessions/s', headers })).statusCode, 204)
  assert.equal((await app.inject({ method: 'DELETE', url: '/api/sessions/p', headers })).statusCode, 404)
  assert.deepEqual(session.ended, ['hangup'])
})

test('a filter that makes no sense is answered with the fields that are wrong', async (t) => {
  const { app, as } = await startApi(t)

  const answer = await app.inject({ url: '/api/calls?limit=0&kind=fax&fromMs=x', headers: await as('viewer') })

  assert.equal(answer.statusCode, 400)
  assert.equal(answer.headers['content-type'], 'application/problem+json')
  assert.equal(answer.json().code, 'api.invalid')
  assert.deepEqual(
    answer.json().fields.map(({ path }: { path: string }) => path),
    ['query.limit', 'query.kind', 'query.fromMs'],
  )
  const cursor = await app.inject({ url: '/api/calls?cursor=garbage', headers: await as('viewer') })
  assert.deepEqual([cursor.statusCode, cursor.json().code], [400, 'database.bad-cursor'])
})

test('the SIP messages of a call come as a capture and as text, live and past', async (t) => {
  const { app, as, bus, liveCalls } = await startApi(t)
  const headers = await as('viewer')
  const message = {
    atMs: 1_000,
    direction: 'in',
    transport: 'udp',
    local: '192.0.2.2:5060',
    remote: '192.0.2.1:5060',
    sipCallId: 'x',
    summary: 'INVITE sip:102@x SIP/2.0',
    text: 'INVITE sip:102@x SIP/2.0\r\n\r\n',
  } as const
  liveCalls.add({ ...fakeCall({ id: 'live' }), messages: () => [message] })
  bus.publish({ name: 'call.started', atMs: 1_000, callId: 'past', kind: 'pbx', from: alice, to: bob })
  bus.publish({ name: 'call.traced', atMs: 2_000, callId: 'past', messages: [message, message] })
  bus.publish({ name: 'call.ended', atMs: 2_000, callId: 'past', reason: 'hangup' })

  for (const [id, count] of [
    ['live', 1],
    ['past', 2],
  ] as const) {
    const pcap = await app.inject({ url: `/api/calls/${id}/sip.pcap`, headers })
    assert.equal(pcap.headers['content-type'], 'application/vnd.tcpdump.pcap')
    assert.equal(pcap.headers['content-disposition'], `attachment; filename="${id}.pcap"`)
    assert.equal(pcap.rawPayload.toString('latin1').split('INVITE sip:102@x').length - 1, count)
    const text = await app.inject({ url: `/api/calls/${id}/sip.txt`, headers })
    assert.match(text.headers['content-type'] ?? '', /^text\/plain/)
    assert.equal(text.body.split('192.0.2.1:5060 -> 192.0.2.2:5060 UDP').length - 1, count)
  }
  assert.equal((await app.inject({ url: '/api/calls/nobody/sip.pcap', headers })).statusCode, 404)
  assert.equal((await app.inject({ url: '/api/calls/live/sip.pcap' })).statusCode, 401)
})
