import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakePort } from '../../media/test-support.ts'
import { startApi } from '../test-support.ts'

async function withTwo(t: Parameters<typeof startApi>[0]) {
  const api = await startApi(t)
  const ports = [new FakePort(4000), new FakePort(4002)] as const
  for (const [index, callId] of ['one', 'two'].entries())
    api.liveRecordings.start({
      callId,
      name: callId,
      tracks: [{ port: ports[index as 0 | 1], legId: `leg-${callId}`, role: 'caller' }],
    })
  const headers = await api.keyOf('admin')
  const post = async (url: string, payload?: object) => {
    const answer = await api.app.inject({
      method: 'POST',
      url: `/api/recordings/live/${url}`,
      headers,
      ...(payload && { payload }),
    })
    return { status: answer.statusCode, body: answer.json() }
  }
  const get = async (url: string) => (await api.app.inject({ url: `/api/recordings/live${url}`, headers })).json()
  const paused = (): boolean[] => ports.map(({ recordingPaused }) => recordingPaused)
  return { ...api, post, get, paused }
}

test('a live recording is paused, shown as paused with the time of its end, and resumed', async (t) => {
  const { post, get, paused, clock } = await withTwo(t)
  const { status, body } = await post('one/pause', { what: 'both', autoResumeSeconds: 30 })
  assert.equal(status, 200)
  assert.deepEqual(
    { ...body, id: '' },
    {
      id: '',
      callId: 'one',
      legIds: ['leg-one'],
      recordingPaused: true,
      transcriptionPaused: true,
      pausedAtMs: clock.wallMs(),
      autoResumeAtMs: clock.wallMs() + 30_000,
      mutedLegs: [],
    },
  )
  assert.deepEqual(paused(), [true, false])
  assert.equal((await get('/one')).recordingPaused, true)
  assert.equal((await post('one/resume')).body.transcriptionPaused, true)
  assert.deepEqual(paused(), [false, false])
})

test('all live recordings are paused and resumed at once', async (t) => {
  const { post, get, paused } = await withTwo(t)
  assert.equal((await post('pause')).body.items.length, 2)
  assert.deepEqual(paused(), [true, true])
  assert.deepEqual(
    (await get('')).items.map((item: { recordingPaused: boolean }) => item.recordingPaused),
    [true, true],
  )
  await post('resume', {})
  assert.deepEqual(paused(), [false, false])
})

test('legs are muted by name, and only those that are recorded', async (t) => {
  const { post, paused } = await withTwo(t)
  assert.deepEqual((await post('one/mute', { legIds: ['leg-one'] })).body.mutedLegs, ['leg-one'])
  assert.deepEqual(paused(), [true, false])
  assert.deepEqual((await post('one/unmute')).body.mutedLegs, [])
  const strange = await post('one/mute', { legIds: ['leg-two'] })
  assert.deepEqual([strange.status, strange.body.code], [409, 'api.leg-not-recorded'])
})

test('a call that nobody knows, one that is not recorded, and a viewer are told so', async (t) => {
  const { app, post, bus, keyOf } = await withTwo(t)
  assert.equal((await post('nobody/pause')).status, 404)
  const alice = { uri: 'sip:101@example.com' }
  bus.publish({ name: 'call.started', atMs: 1, callId: 'c', kind: 'pbx', from: alice, to: alice })
  assert.equal((await post('c/pause')).body.code, 'api.call-not-recorded')
  assert.equal((await post('one/pause', { autoResumeSeconds: -1 })).status, 400)
  const headers = await keyOf('viewer')
  assert.equal((await app.inject({ method: 'POST', url: '/api/recordings/live/pause', headers })).statusCode, 403)
  assert.equal((await app.inject({ url: '/api/recordings/live', headers })).statusCode, 200)
})
