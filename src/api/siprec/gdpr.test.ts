import assert from 'node:assert/strict'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { ended, started, stored } from '../../database/test-support.ts'
import { startApi } from '../test-support.ts'

async function withCall(t: TestContext) {
  const api = await startApi(t)
  const { bus, folder, app, jobs, clock } = api
  bus.publish(started('c'))
  const party = { uri: 'sip:101@example.com' }
  const leg = { legId: 'l', role: 'stream', party, sipCallId: 'B2B.1@sbc', transport: 'udp', remote: 'x' } as const
  bus.publish({ name: 'leg.started', atMs: 1, callId: 'c', ...leg })
  bus.publish(stored('c', 'r'))
  bus.publish(ended('c'))
  writeFileSync(join(folder, 'r.wav'), 'sound')
  const headers = await api.as('admin')
  /** Time passes while the answer is awaited. */
  const ask = async (method: 'POST' | 'DELETE', url: string, payload: object, works = true) => {
    const answer = app.inject({ method, url: `/api/compliance/gdpr/${url}`, headers, payload })
    const state = { open: true }
    void answer.then(() => (state.open = false))
    while (state.open) {
      if (works) await jobs.idle()
      clock.advance(250)
      await new Promise((turn) => setImmediate(turn))
    }
    return answer.then(({ statusCode, json }) => ({ status: statusCode, body: json<Record<string, unknown>>() }))
  }
  return { ...api, ask }
}

test('a call is exported by its Call-ID, and the answer names the archive when it is there', async (t) => {
  const { ask, jobs } = await withCall(t)
  await jobs.start()
  const { status, body } = await ask('POST', 'export', { call_id: 'B2B.1@sbc' })
  assert.deepEqual([status, body['call_id'], body['status']], [200, 'B2B.1@sbc', 'exported'])
  assert.ok(existsSync(String(body['path'])))
})

test('a call is erased by its Call-ID, by POST or DELETE, and is gone when that is answered', async (t) => {
  const { ask, jobs, deps, folder } = await withCall(t)
  await jobs.start()
  const { status, body } = await ask('DELETE', 'erase', { call_id: 'B2B.1@sbc' })
  assert.deepEqual([status, body['call_id'], body['status']], [200, 'B2B.1@sbc', 'erased'])
  assert.equal(await deps.history.call('c'), undefined)
  assert.equal(existsSync(join(folder, 'r.wav')), false)
  const again = await ask('POST', 'erase', { call_id: 'B2B.1@sbc' })
  assert.deepEqual([again.status, again.body['code']], [404, 'api.call-not-found'])
})

test('what takes longer than a client waits is answered 202 with where to look', async (t) => {
  const { ask } = await withCall(t)
  const { status, body } = await ask('POST', 'export', { call_id: 'c' }, false)
  assert.deepEqual([status, body['status'], typeof body['export_id']], [202, 'running', 'string'])
})

test('part of a Call-ID is none', async (t) => {
  const { ask } = await withCall(t)
  assert.equal((await ask('POST', 'erase', { call_id: 'B2B.1' })).status, 404)
})
