import assert from 'node:assert/strict'
import { EventEmitter, once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { WebSocket } from 'ws'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { Fact } from '../events/catalogue.ts'
import { EventHub, type Socket } from './event-hub.ts'
import { type ApiUnderTest, startApi } from './test-support.ts'

const started: Fact = {
  name: 'call.started',
  atMs: 1,
  callId: 'a',
  kind: 'pbx',
  from: { uri: 'sip:101@example.com' },
  to: { uri: 'sip:102@example.com' },
}
const ringing: Fact = { name: 'call.ringing', atMs: 2, callId: 'a', legId: 'l' }
const digit: Fact = { name: 'leg.digit', atMs: 3, callId: 'a', legId: 'l', digit: '5', durationMs: 100 }

interface Listener {
  readonly socket: WebSocket
  readonly heard: unknown[]
}

async function listen(
  t: TestContext,
  { app }: ApiUnderTest,
  path: string,
  headers: Record<string, string>,
): Promise<Listener> {
  const url = app.server.listening ? addressOf(app) : await app.listen({ host: '127.0.0.1', port: 0 })
  const socket = new WebSocket(url.replace('http', 'ws') + path, { headers })
  t.after(() => socket.terminate())
  const heard: unknown[] = []
  socket.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString())))
  await once(socket, 'open')
  return { socket, heard }
}

function addressOf(app: ApiUnderTest['app']): string {
  const address = app.server.address()
  return typeof address === 'object' && address ? `http://127.0.0.1:${address.port}` : ''
}

test('a program with a key hears all facts but traces; another only the kinds it asked for', async (t) => {
  const api = await startApi(t)
  const headers = await api.keyOf('viewer')
  const all = await listen(t, api, '/api/events', headers)
  const legs = await listen(t, api, '/api/events?kinds=leg,recording', headers)

  api.bus.publish(started)
  api.bus.publish({ name: 'call.traced', atMs: 2, callId: 'a', messages: [] })
  api.bus.publish(digit)
  await Promise.all([once(all.socket, 'message'), once(legs.socket, 'message')])
  if (all.heard.length < 2) await once(all.socket, 'message')

  assert.deepEqual(all.heard, [started, digit])
  assert.deepEqual(legs.heard, [digit])
})

test('a reader may change what it hears, and is told when it speaks nonsense', async (t) => {
  const api = await startApi(t)
  const { socket, heard } = await listen(t, api, '/api/events?kinds=call', await api.keyOf('viewer'))

  socket.send('{"type":"subscribe","kinds":["leg"]}')
  socket.ping()
  await once(socket, 'pong') // what was sent before has been read
  api.bus.publish(ringing)
  api.bus.publish(digit)
  await once(socket, 'message')
  assert.deepEqual(heard, [digit])

  socket.send('hello')
  const [code] = await once(socket, 'close')
  assert.equal(code, 4400)
})

for (const [what, path, headers, status] of [
  ['without a session or a key', '', {}, 401],
  ['of a kind that does not exist', '?kinds=weather', { key: true }, 400],
  ['from a page of another site', '', { cookie: true, origin: 'http://evil.example' }, 403],
  ['with a cookie but without an Origin', '', { cookie: true }, 403],
] as const) {
  test(`a reader ${what} is answered ${status}`, async (t) => {
    const api = await startApi(t)
    const { cookie } = await api.as('admin')
    const url = await api.app.listen({ host: '127.0.0.1', port: 0 })
    const sent = {
      ...('key' in headers && (await api.keyOf('viewer'))),
      ...('cookie' in headers && { cookie }),
      ...('origin' in headers && { origin: headers.origin }),
    }

    const socket = new WebSocket(`${url.replace('http', 'ws')}/api/events${path}`, { headers: sent })
    const refused = once(socket, 'unexpected-response').then(([, response]) => response.statusCode)
    const opened = once(socket, 'open').then(() => 101)

    assert.equal(await Promise.race([refused, opened]), status)
    socket.on('error', () => {})
    socket.terminate()
  })
}

test('the console hears facts by its cookie', async (t) => {
  const api = await startApi(t)
  const { cookie } = await api.as('viewer')
  const origin = await api.app.listen({ host: '127.0.0.1', port: 0 })
  const { socket, heard } = await listen(t, api, '/api/events', { cookie, origin })

  api.bus.publish(started)
  await once(socket, 'message')

  assert.deepEqual(heard, [started])
})

test('when the server stops, readers are told to go', async (t) => {
  const api = await startApi(t)
  const { socket } = await listen(t, api, '/api/events', await api.keyOf('viewer'))

  const closed = once(socket, 'close')
  await api.app.close()

  assert.equal((await closed)[0], 1001)
})

class FakeSocket extends EventEmitter {
  bufferedAmount = 0
  readonly sent: string[] = []
  readonly log: string[] = []
  send(text: string): void {
    this.sent.push(text)
  }
  ping(): void {
    this.log.push('ping')
  }
  close(code: number): void {
    this.log.push(`close ${code}`)
  }
  terminate(): void {
    this.log.push('terminate')
  }
}

function withReader(holds = true): { clock: FakeClock; bus: FactBus; hub: EventHub; socket: FakeSocket } {
  const clock = new FakeClock()
  const bus = new FactBus()
  const hub = new EventHub({ bus, clock, log: silentLogger })
  const socket = new FakeSocket()
  const identity = { name: 'x', role: 'viewer', via: 'session', holds: () => Promise.resolve(holds) } as const
  hub.add(socket as unknown as Socket, identity, undefined)
  return { clock, bus, hub, socket }
}

test('a reader with more than a mebibyte waiting is dropped and not told more', () => {
  const { clock, bus, hub, socket } = withReader()
  bus.publish(ringing)
  socket.bufferedAmount = 1_048_577
  bus.publish(ringing)
  bus.publish(ringing)
  clock.advance(30_000)

  assert.equal(socket.sent.length, 1)
  assert.deepEqual(socket.log, ['close 4408', 'terminate'])
  assert.equal(hub.size, 0)
})

test('a reader that does not answer the ping is cut off, one that does stays', () => {
  const { clock, hub, socket } = withReader()
  clock.advance(30_000)
  socket.emit('pong')
  clock.advance(30_000)
  assert.deepEqual([socket.log, hub.size], [['ping', 'ping'], 1])

  clock.advance(30_000)
  assert.deepEqual([socket.log.at(-1), hub.size], ['terminate', 0])
})

test('a reader whose session ended is shut out at the next ping', async () => {
  const { clock, hub, socket } = withReader(false)
  clock.advance(30_000)
  await Promise.resolve()
  await Promise.resolve()
  assert.deepEqual([socket.log, hub.size], [['ping', 'close 4401'], 0])
})

test('nothing is left running when the last reader has gone', () => {
  const { clock, hub, socket } = withReader()
  socket.emit('close')
  clock.advance(30_000)
  assert.deepEqual([hub.size, clock.pendingTimers], [0, 0])
})

test('who asks for the events without a WebSocket is told so (RFC 9110 §15.5.22)', async (t) => {
  const { app, keyOf } = await startApi(t)
  const answer = await app.inject({ url: '/api/events', headers: await keyOf('viewer') })
  assert.equal(answer.statusCode, 426)
  assert.equal(answer.headers.upgrade, 'websocket')
  assert.equal(answer.json().code, 'api.upgrade-required')
})
