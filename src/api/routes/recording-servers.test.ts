import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Sender } from '../deps.ts'
import { fakeCall, startApi } from '../test-support.ts'

/** An API with one live call, `live`, that can be sent to `main` and `spare`. */
async function room(t: TestContext) {
  const orders: string[] = []
  let to: readonly string[] = []
  const sent = () => ({
    callId: 'live',
    paused: orders.at(-1) === 'pause',
    to: to.map((list) => ({ servers: list.split('|') })),
  })
  const sender: Sender = {
    of: (callId) => (callId === 'live' && to.length > 0 ? sent() : undefined),
    pause: (_, on) => {
      orders.push(on ? 'pause' : 'resume')
      return true
    },
    serverStates: () => [{ name: 'main', uri: 'sip:srs.example.com', state: 'down', sinceMs: 7, reason: 'no answer' }],
    servers: { has: (name) => name === 'main' || name === 'spare' },
  }
  const api = await startApi(t, { sender })
  api.liveCalls.add({
    ...fakeCall({ id: 'live' }),
    sendTo: (servers) => {
      to = servers
      return true
    },
  })
  api.liveCalls.add(fakeCall({ id: 'siprec', kind: 'siprec' }))
  const headers = await api.as('admin')
  const ask = (method: 'GET' | 'PUT' | 'POST' | 'DELETE', id: string, more = '', payload?: object) =>
    api.app.inject({ method, url: `/api/calls/${id}/recording-servers${more}`, headers, ...(payload && { payload }) })
  return { ...api, ask, orders }
}

test('recording servers are listed with how they fare, for whoever may read', async (t) => {
  const { app, as, deps } = await room(t)
  const response = await app.inject({ url: '/api/recording-servers', headers: await as('viewer') })
  assert.deepEqual(response.json(), { items: deps.sender.serverStates() })
  assert.equal((await app.inject({ url: '/api/recording-servers' })).statusCode, 401)
})

test('a live call is sent, paused, and sent no more; each order is in the audit record', async (t) => {
  const { ask, orders, deps } = await room(t)
  assert.equal((await ask('GET', 'live')).json().code, 'api.call-not-sent')
  const put = await ask('PUT', 'live', '', { servers: ['main|spare'] })
  assert.deepEqual(put.json(), { callId: 'live', paused: false, to: [{ servers: ['main', 'spare'] }] })
  assert.equal((await ask('POST', 'live', '/pause')).json().paused, true)
  assert.equal((await ask('POST', 'live', '/resume')).json().paused, false)
  assert.deepEqual(orders, ['pause', 'resume'])
  assert.equal((await ask('DELETE', 'live')).statusCode, 204)
  assert.equal((await ask('GET', 'live')).statusCode, 409)
  const items = await deps.audit.list({ limit: 10 })
  assert.deepEqual(items.map(({ action }) => action).toSorted(), [
    'call.not-sent',
    'call.sending-pause',
    'call.sending-resume',
    'call.sent',
  ])
})

test('an order for a server or a call that is not there, or cannot be sent, changes nothing', async (t) => {
  const { ask } = await room(t)
  const order = { servers: ['main'] }
  assert.equal((await ask('PUT', 'live', '', { servers: ['main|other'] })).json().code, 'api.server-not-found')
  assert.equal((await ask('PUT', 'live', '', { servers: ['Main'] })).json().code, 'api.invalid')
  assert.equal((await ask('PUT', 'nobody', '', order)).json().code, 'api.call-not-found')
  assert.equal((await ask('PUT', 'siprec', '', order)).json().code, 'api.call-not-sent')
  assert.equal((await ask('POST', 'nobody', '/pause')).json().code, 'api.call-not-found')
})
