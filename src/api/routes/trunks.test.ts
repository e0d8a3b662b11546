import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../test-support.ts'

test('trunks are listed with how they fare, for whoever may read', async (t) => {
  const { app, as, trunks } = await startApi(t)
  const registration = { state: 'failed', retryAtMs: 9 } as const
  trunks.push(
    { name: 'carrier', host: 'sip.example', state: 'up', sinceMs: 1, lastAnswerAtMs: 2, roundTripMs: 3 },
    { name: 'other', host: '192.0.2.1', state: 'down', sinceMs: 4, reason: 'no answer', registration },
  )
  const response = await app.inject({ url: '/api/trunks', headers: await as('viewer') })
  assert.equal(response.statusCode, 200)
  assert.deepEqual(response.json(), { items: trunks })
  assert.equal((await app.inject({ url: '/api/trunks' })).statusCode, 401)
})
