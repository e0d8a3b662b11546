/**
 * The requests of loreste/siprec's clients, each with the shape of the answer that its documentation and code promise:
 * the fields of docs/api.md, docs/features/PAUSE_RESUME_API.md and the README, and the types that its program sends.
 */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { test } from 'node:test'
import { WebSocket } from 'ws'
import { FakePort } from '../../media/test-support.ts'
import { fakeCall, startApi } from '../test-support.ts'

const callId = 'B2B.160.1762863004.937031301'
const from = { uri: 'sip:customer@example.com' }
const to = { uri: 'sip:agent@pbx' }
const leg = (id: string, party: { uri: string }) =>
  ({
    id,
    role: 'stream',
    party,
    state: 'answered',
    sipCallId: callId,
    transport: 'udp',
    remote: '192.0.2.1:5060',
  }) as const

/** Two sessions, one with a recording of two streams, and a call of the phone system. */
async function world(t: Parameters<typeof startApi>[0]) {
  const api = await startApi(t, { settings: { pauseKey: 'your-secure-api-key' } })
  const ports = { caller: new FakePort(4000), agent: new FakePort(4002) }
  const session = fakeCall({
    id: 's1',
    kind: 'siprec',
    from,
    to,
    answeredAtMs: 2_000,
    legs: [leg('a', from), leg('b', to)],
  })
  api.liveCalls.add(session)
  api.liveCalls.add(fakeCall({ id: 'phone' }))
  api.liveRecordings.start({
    callId: 's1',
    name: callId,
    tracks: [
      { port: ports.caller, legId: 'a', role: 'stream' },
      { port: ports.agent, legId: 'b', role: 'stream' },
    ],
  })
  api.deps.health.started()
  const key = { 'x-api-key': 'your-secure-api-key' }
  const ask = async (
    method: 'GET' | 'POST' | 'DELETE',
    url: string,
    payload?: object,
    headers: Record<string, string> = key,
  ) => {
    const answer = await api.app.inject({ method, url, headers, ...(payload && { payload }) })
    return { status: answer.statusCode, body: answer.body === '' ? undefined : answer.json(), headers: answer.headers }
  }
  const paused = (): boolean[] => [ports.caller.recordingPaused, ports.agent.recordingPaused]
  return { ...api, ask, paused, session, viewer: await api.keyOf('viewer'), admin: await api.keyOf('admin') }
}

/** Field by field: `string`, `number`, `boolean`, `array`, `object`; a `?` at the end may be missing. */
type Shape = Readonly<Record<string, string>>

function hasShape(body: Record<string, unknown>, shape: Shape, what: string): void {
  for (const [field, type] of Object.entries(shape)) {
    const value = body[field]
    if (value === undefined && type.endsWith('?')) continue
    const found = Array.isArray(value) ? 'array' : typeof value
    assert.equal(found, type.replace('?', ''), `${what}: ${field}`)
  }
}

const pauseShape = {
  session_id: 'string',
  is_paused: 'boolean',
  recording_paused: 'boolean',
  transcription_paused: 'boolean',
  paused_at: 'string?',
  pause_duration: 'number?',
  auto_resume_at: 'string?',
}
const healthShape = {
  status: 'string',
  timestamp: 'string',
  uptime: 'string',
  version: 'string',
  checks: 'object',
  system: 'object',
}

const documented: readonly (readonly [method: 'GET' | 'POST', url: string, shape: Shape, body?: object])[] = [
  ['GET', '/health', healthShape],
  ['GET', '/health/live', { status: 'string' }],
  ['GET', '/health/ready', { status: 'string' }],
  [
    'GET',
    '/status',
    { status: 'string', uptime: 'string', active_calls: 'number', version: 'string', started_at: 'string' },
  ],
  ['GET', '/metrics/simple', { active_calls: 'number', version: 'string' }],
  ['GET', '/api/sessions', { sessions: 'array', count: 'number' }],
  [
    'GET',
    `/api/sessions?id=${callId}`,
    { call_id: 'string', state: 'string', created_at: 'string', participants: 'array', recording_path: 'string' },
  ],
  [
    'GET',
    `/api/sessions/${callId}`,
    { call_id: 'string', state: 'string', created_at: 'string', participants: 'array' },
  ],
  ['GET', '/api/sessions/stats', { active_calls: 'number', paused_sessions: 'number' }],
  ['POST', `/api/sessions/${callId}/pause`, pauseShape, { pause_recording: true, pause_transcription: false }],
  ['GET', `/api/sessions/${callId}/pause-status`, pauseShape],
  ['GET', '/api/sessions/pause-status', { [callId]: 'object' }],
  ['POST', `/api/sessions/${callId}/resume`, pauseShape],
  [
    'POST',
    '/api/sessions/pause-all',
    { message: 'string', statuses: 'object' },
    { pause_recording: true, pause_transcription: true },
  ],
  ['POST', '/api/sessions/resume-all', { message: 'string', statuses: 'object' }],
  [
    'POST',
    `/api/sessions/${callId}/mute`,
    { mute_inbound: 'boolean', mute_outbound: 'boolean' },
    { mute_inbound: true, mute_outbound: false },
  ],
  ['GET', `/api/sessions/${callId}/mute-status`, { mute_inbound: 'boolean', mute_outbound: 'boolean' }],
  ['GET', '/api/sessions/mute-status', { [callId]: 'object' }],
  ['POST', `/api/sessions/${callId}/unmute`, { mute_inbound: 'boolean', mute_outbound: 'boolean' }],
  ['POST', `/api/pause/${callId}`, pauseShape],
  ['POST', `/api/resume/${callId}`, pauseShape],
  ['POST', '/api/pause/all', { message: 'string', statuses: 'object' }],
  ['POST', '/api/resume/all', { message: 'string', statuses: 'object' }],
  ['GET', `/api/status/${callId}`, pauseShape],
  ['GET', '/api/compliance/status', { pci_enabled: 'boolean', gdpr_enabled: 'boolean', tls_enabled: 'boolean' }],
]

test('each documented request is answered 200, with the documented fields and types', async (t) => {
  const { ask, admin } = await world(t)
  for (const [method, url, shape, body] of documented) {
    const answer = await ask(method, url, body, admin)
    assert.equal(answer.status, 200, `${method} ${url}: ${JSON.stringify(answer.body)}`)
    hasShape(answer.body, shape, `${method} ${url}`)
  }
})

test('the session of the documentation is shown field by field', async (t) => {
  const { ask, folder, viewer } = await world(t)
  const { body } = await ask('GET', '/api/sessions', undefined, viewer)
  assert.equal(body.count, 1)
  const [{ call_id, state, created_at, participants, recording_path, id }] = body.sessions
  assert.deepEqual(
    { call_id, state, created_at, participants, recording_path, id },
    {
      call_id: callId,
      state: 'connected',
      created_at: '1970-01-01T00:00:01.000Z',
      participants: ['sip:customer@example.com', 'sip:agent@pbx'],
      recording_path: join(folder, `${callId}.wav`),
      id: 's1',
    },
  )
})

test('a pause by Call-ID and the key for it stops what is written; its length is told in nanoseconds', async (t) => {
  const { ask, paused, clock, deps } = await world(t)
  const first = await ask('POST', `/api/sessions/${callId}/pause`, {
    pause_recording: true,
    pause_transcription: false,
  })
  assert.deepEqual(paused(), [true, true])
  assert.deepEqual([first.body.recording_paused, first.body.transcription_paused], [true, false])
  clock.advance(1_500)
  const { body } = await ask('GET', `/api/sessions/${callId}/pause-status`)
  assert.equal(body.pause_duration, 1_500_000_000)
  assert.equal(body.paused_at, first.body.paused_at)
  const resumed = await ask('POST', `/api/resume/${callId}`)
  assert.deepEqual(resumed.body, {
    session_id: callId,
    is_paused: false,
    recording_paused: false,
    transcription_paused: false,
  })
  assert.deepEqual(paused(), [false, false])
  const records = await deps.audit.list({ limit: 5, action: 'recording' })
  assert.deepEqual(
    records.map(({ who, action, subject }) => [who, action, subject]),
    [
      ['PAUSE_RESUME_API_KEY', 'recording.resumed', 'call:s1'],
      ['PAUSE_RESUME_API_KEY', 'recording.paused', 'call:s1'],
    ],
  )
})

test('a pause of transcription alone leaves the recording as it is, and one of nothing changes nothing', async (t) => {
  const { ask, paused } = await world(t)
  const alone = await ask('POST', `/api/sessions/${callId}/pause`, {
    pause_recording: false,
    pause_transcription: true,
  })
  assert.deepEqual([alone.body.recording_paused, alone.body.transcription_paused], [false, true])
  await ask('POST', `/api/sessions/${callId}/resume`)
  const none = await ask('POST', `/api/sessions/${callId}/pause`, {
    pause_recording: false,
    pause_transcription: false,
  })
  assert.equal(none.body.is_paused, false)
  assert.deepEqual(paused(), [false, false])
})

test('pause all and resume all tell what became of each session, by Call-ID', async (t) => {
  const { ask, paused } = await world(t)
  const { body } = await ask('POST', '/api/sessions/pause-all')
  assert.equal(body.message, 'All sessions paused')
  assert.deepEqual(Object.keys(body.statuses), [callId])
  assert.equal(body.statuses[callId].is_paused, true)
  assert.deepEqual(paused(), [true, true])
  assert.equal((await ask('POST', '/api/resume/all')).body.statuses[callId].is_paused, false)
})

test("muting inbound keeps the caller's stream off the disk and no other", async (t) => {
  const { ask, paused } = await world(t)
  const { body } = await ask('POST', `/api/sessions/${callId}/mute`, { mute_inbound: true, mute_outbound: false })
  assert.deepEqual(body, { session_id: callId, is_muted: true, mute_inbound: true, mute_outbound: false })
  assert.deepEqual(paused(), [true, false])
  await ask('POST', `/api/sessions/${callId}/unmute`)
  assert.deepEqual(paused(), [false, false])
})

test('JSON that curl -d calls a form is read where a key is in a header, and only there', async (t) => {
  const { app, as, paused } = await world(t)
  const send = (headers: Record<string, string>, payload = '{"pause_recording": true}') =>
    app.inject({
      method: 'POST',
      url: `/api/sessions/${callId}/pause`,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
      payload,
    })
  assert.equal((await send({ 'x-api-key': 'your-secure-api-key' })).statusCode, 200)
  assert.deepEqual(paused(), [true, true])
  assert.equal((await send({ 'x-api-key': 'your-secure-api-key' }, 'pause_recording=true')).statusCode, 415)
  assert.equal((await send(await as('admin'))).statusCode, 415)
})

test('an unknown session is 404 with `error`, as all errors have it beside their code', async (t) => {
  const { ask } = await world(t)
  for (const [method, url] of [
    ['POST', '/api/sessions/session-123/pause'],
    ['GET', '/api/sessions/session-123/pause-status'],
    ['POST', '/api/pause/session-123'],
  ] as const) {
    const { status, body } = await ask(method, url)
    assert.deepEqual(
      [status, body.code, body.error],
      [404, 'api.session-not-found', 'No live recording session has this id'],
    )
  }
  assert.equal((await ask('POST', `/api/sessions/${callId}/pause`, { pause_recording: 'yes' })).status, 400)
})

test('the key for pauses reads what is paused, and neither lists nor ends sessions; viewers do not pause', async (t) => {
  const { ask, viewer, admin, session } = await world(t)
  assert.equal((await ask('GET', '/api/sessions/pause-status')).status, 200)
  assert.equal((await ask('GET', '/api/sessions')).status, 401)
  assert.equal((await ask('DELETE', `/api/sessions/${callId}`)).status, 401)
  assert.equal((await ask('POST', `/api/sessions/${callId}/pause`, {}, viewer)).status, 403)
  assert.equal((await ask('DELETE', `/api/sessions/${callId}`, undefined, admin)).status, 204)
  assert.deepEqual(session.ended, ['hangup'])
})

test('what is not built yet says so with 501 and a code, and asks who is there first', async (t) => {
  const { ask, viewer } = await world(t)
  for (const [method, url] of [
    ['POST', '/api/stt/submit'],
    ['GET', '/api/stt/jobs/job_1'],
    ['GET', '/api/cluster/status'],
    ['POST', '/api/cluster/split-brain/check'],
    ['GET', '/ws'],
    ['GET', '/ws/transcriptions'],
    ['GET', '/websocket-client'],
  ] as const) {
    const { status, body } = await ask(method, url, method === 'POST' ? {} : undefined, viewer)
    assert.deepEqual([status, body.code], [501, 'api.not-built'], url)
    assert.equal((await ask(method, url, undefined, {})).status, 401, url)
  }
})

test('a WebSocket client of theirs is told 501 and is not left waiting', async (t) => {
  const { app, viewer } = await world(t)
  const address = await app.listen({ host: '127.0.0.1', port: 0 })
  const socket = new WebSocket(`${address.replace('http', 'ws')}/ws/transcriptions`, { headers: viewer })
  const [error] = (await once(socket, 'error')) as [Error]
  assert.match(error.message, /Unexpected server response: 501/)
})

test('figures are JSON, or the text of Prometheus for who asks for it', async (t) => {
  const { app } = await world(t)
  assert.equal((await app.inject({ url: '/metrics/simple' })).json().active_sessions, 1)
  const text = await app.inject({ url: '/metrics/simple', headers: { accept: 'text/plain;version=0.0.4' } })
  assert.match(text.body, /^# HELP /m)
})
