/** SIP over WebSocket on the loopback interface, as a browser speaks it (RFC 7118). */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, test } from 'node:test'
import { type ClientOptions, WebSocket } from 'ws'
import { systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import { hostNetwork } from '../net/host-network.ts'
import { TestAuthority } from '../net/test-support.ts'
import { TlsIdentity } from '../net/tls-identity.ts'
import { type CountedSipStack, createSipStack } from './stack.ts'
import type { Dialog, Flow } from './stack.types.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-ws-'))
after(() => rmSync(folder, { recursive: true }))
const authority = new TestAuthority()
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const { cert, key } = authority.issue('127.0.0.1')
const files = { certPath: file('cert', cert), keyPath: file('key', key), caPath: '', clientAuth: 'none' } as const

const closing: (() => unknown)[] = []
afterEach(() => Promise.all(closing.splice(0).map((close) => close())))

async function open(limits = {}): Promise<CountedSipStack> {
  const stack = await createSipStack({
    clock: systemClock,
    log: silentLogger,
    limits,
    tls: new TlsIdentity(files),
    listen: [
      { transport: 'ws', ip: '127.0.0.1', port: 0 },
      { transport: 'wss', ip: '127.0.0.1', port: 0 },
    ],
  })
  closing.push(() => stack.close())
  return stack
}

const portOf = (stack: CountedSipStack, transport: string): number =>
  stack.listening.find((one) => one.transport === transport)?.port ?? 0

interface Browser {
  readonly socket: WebSocket
  /** The next message that came. */
  next(): Promise<string>
}

async function browser(
  stack: CountedSipStack,
  transport: 'ws' | 'wss',
  protocol = 'sip',
  more: ClientOptions = {},
): Promise<Browser> {
  const options: ClientOptions = { ca: authority.cert, ...more }
  const socket = new WebSocket(`${transport}://127.0.0.1:${portOf(stack, transport)}`, protocol, options)
  closing.push(() => socket.terminate())
  const heard: string[] = []
  const waiting: ((text: string) => void)[] = []
  socket.on('message', (data, binary) => {
    const text = `${binary ? 'binary ' : ''}${(data as Buffer).toString()}`
    const first = waiting.shift()
    if (first) first(text)
    else heard.push(text)
  })
  await once(socket, 'open')
  return {
    socket,
    next: () =>
      new Promise((resolve) => {
        const first = heard.shift()
        if (first === undefined) waiting.push(resolve)
        else resolve(first)
      }),
  }
}

const request = (method: string, via: string, more = '') =>
  `${method} sip:102@example.com SIP/2.0\r\nVia: SIP/2.0/${via} df7jal23ls0d.invalid;branch=z9hG4bK${method}\r\nMax-Forwards: 70\r\n` +
  `From: <sip:101@example.com>;tag=a\r\nTo: <sip:102@example.com>\r\nCall-ID: 1\r\nCSeq: 1 ${method}\r\n${more}\r\n`

for (const transport of ['ws', 'wss'] as const)
  test(`over ${transport} a browser asks, is asked by the same connection, and ends a call`, async () => {
    const stack = await open()
    let flow: Flow | undefined
    stack.on('request', (incoming) => {
      flow = incoming.flow
      incoming.respond(200)
    })
    const ended = Promise.withResolvers<string>()
    stack.on('invite', (invite) => {
      const dialog = invite.answer({})
      dialog.on('ended', ({ by }) => ended.resolve(by))
      void dialog.acknowledged.then(() => dialog.bye())
    })
    const page = await browser(stack, transport)
    page.socket.send(request('OPTIONS', transport.toUpperCase())) // no Content-Length: RFC 7118 §5 lets it be missing
    const answer = await page.next()
    assert.match(answer, /^SIP\/2\.0 200 OK\r\n/)
    assert.match(answer, /df7jal23ls0d\.invalid;branch=z9hG4bKOPTIONS;received=127\.0\.0\.1/)
    assert.equal(flow?.transport, transport)

    void stack.request('MESSAGE', {
      target: { uri: 'sip:101@df7jal23ls0d.invalid;transport=ws', ...(flow && { flow }) },
      from: '<sip:b@x>',
      to: '<sip:a@x>',
    })
    const message = await page.next()
    assert.match(message, new RegExp(`^MESSAGE .*\r\nVia: SIP/2.0/${transport.toUpperCase()} `))
    page.socket.send(`SIP/2.0 200 OK\r\n${message.slice(message.indexOf('\r\n') + 2)}`)

    page.socket.send(
      request('INVITE', transport.toUpperCase(), 'Contact: <sip:101@df7jal23ls0d.invalid;transport=ws>\r\n'),
    )
    const ok = await page.next()
    assert.match(ok, /\r\nContact: <sip:102@127\.0\.0\.1:\d+;transport=ws>\r\n/)
    const to = /\r\n(To: .*)\r\n/.exec(ok)?.[1] ?? ''
    page.socket.send(request('ACK', transport.toUpperCase()).replace(/To: .*(?=\r\n)/, to))
    const bye = await page.next()
    assert.match(bye, /^BYE sip:101@df7jal23ls0d\.invalid;transport=ws SIP/)
    page.socket.send(`SIP/2.0 200 OK\r\n${bye.slice(bye.indexOf('\r\n') + 2)}`)
    assert.equal(await ended.promise, 'local')
  })

for (const transport of ['ws', 'wss'] as const)
  test(`over ${transport} a stack calls another, requests go both ways, and a wrong name is refused`, async () => {
    const callee = await open()
    const ca = file('ca.pem', authority.cert)
    const caller = await createSipStack({
      clock: systemClock,
      log: silentLogger,
      tls: new TlsIdentity({ certPath: '', keyPath: '', caPath: ca, clientAuth: 'none' }),
      network: { ...hostNetwork, lookup: () => Promise.resolve(['127.0.0.1']) },
      listen: [{ transport: 'udp', ip: '127.0.0.1', port: 0 }],
    })
    closing.push(() => caller.close())
    const dialogs: Dialog[] = []
    callee.on('invite', (invite) => {
      assert.equal(invite.flow.transport, transport)
      dialogs.push(invite.answer({}))
    })
    const call = (host: string) =>
      caller.invite({
        target: { uri: `sip:102@${host}:${portOf(callee, transport)};transport=${transport}` },
        from: '<sip:101@x>',
        to: '<sip:102@x>',
      }).outcome
    const outcome = await call('127.0.0.1')
    assert.ok(outcome.answered)
    outcome.dialog.on('request', (incoming) => incoming.respond(200))
    assert.equal((await dialogs[0]?.request('INFO'))?.status, 200)
    assert.equal(caller.counts().connections, 1)
    await outcome.dialog.bye()
    if (transport === 'wss') {
      const strange = await call('other.example')
      assert.equal(!strange.answered && strange.response.status, 503, 'its certificate is for another')
    }
  })

test('one source has at most a hundred connections that have not asked for the upgrade; those who have do not count', async () => {
  const stack = await open()
  const port = portOf(stack, 'ws')
  await browser(stack, 'ws')
  const idle = Array.from({ length: 100 }, () => connect(port, '127.0.0.1'))
  closing.push(() => idle.forEach((socket) => socket.destroy()))
  await Promise.all(idle.map((socket) => once(socket, 'connect')))
  const tooMany = connect(port, '127.0.0.1')
  tooMany.on('error', () => {})
  await once(tooMany, 'close')
  assert.ok(idle.every(({ closed }) => !closed))
  for (const socket of idle.splice(0)) socket.destroy()
  await new Promise((go) => setImmediate(go))
  assert.equal(stack.counts().connections, 1)
})

test('a ping of two empty lines is answered by one, and a body that is no text goes as a binary message', async () => {
  const stack = await open()
  stack.on('request', (incoming) =>
    incoming.respond(200, { body: Uint8Array.of(0xff, 0xfe), contentType: 'application/octet-stream' }),
  )
  const page = await browser(stack, 'ws')
  page.socket.send('\r\n\r\n')
  assert.equal(await page.next(), '\r\n')
  page.socket.send(Buffer.from(request('OPTIONS', 'WS')))
  assert.match(await page.next(), /^binary SIP\/2\.0 200 /)
})

test('who does not offer the subprotocol sip, or asks for a page, is turned away (RFC 7118 §4.1)', async () => {
  const stack = await open()
  await assert.rejects(browser(stack, 'ws', 'chat'), /400/)
  assert.equal((await fetch(`http://127.0.0.1:${portOf(stack, 'ws')}/`)).status, 426)
  assert.equal(stack.counts().connections, 0)
})

test('a message larger than SIP allows closes its connection; more connections than allowed are refused', async () => {
  const stack = await open({ connectionsPerSource: 1 })
  stack.on('request', (incoming) => incoming.respond(200))
  const page = await browser(stack, 'ws')
  page.socket.send(request('OPTIONS', 'WS'))
  await page.next()
  const second = await browser(stack, 'ws')
  await once(second.socket, 'close')
  assert.equal(stack.counters.connectionsRefused, 1)
  page.socket.send(Buffer.alloc(65_536, 'x'))
  await once(page.socket, 'close')
  for (let turns = 0; turns < 200 && stack.counts().connections > 0; turns++)
    await new Promise((go) => setTimeout(go, 5))
  assert.equal(stack.counts().connections, 0)
})

test('who does not finish a message within ten seconds is closed; who is only silent is not', async (t) => {
  const stack = await open()
  stack.on('request', (incoming) => incoming.respond(200))
  const [slow, silent] = [await browser(stack, 'ws'), await browser(stack, 'ws')]
  for (const page of [slow, silent]) {
    page.socket.send(request('OPTIONS', 'WS'))
    await page.next()
  }
  t.mock.timers.enable({ apis: ['setTimeout'] })
  slow.socket.send('OPTIONS', { fin: false })
  const closed = () => slow.socket.readyState === WebSocket.CLOSED
  for (let turns = 0; turns < 1_000 && !closed(); turns++) {
    await new Promise((go) => setImmediate(go))
    if (turns === 500) t.mock.timers.tick(10_000)
  }
  assert.ok(closed())
  assert.equal(silent.socket.readyState, WebSocket.OPEN)
})

test('who connects and does not ask for a WebSocket within ten seconds is closed', async (t) => {
  const stack = await open()
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const silent = connect(portOf(stack, 'ws'), '127.0.0.1').resume()
  await once(silent, 'connect')
  silent.on('error', () => {})
  for (let turns = 0; turns < 1_000 && !silent.destroyed; turns++) {
    await new Promise((go) => setImmediate(go))
    if (turns === 500) t.mock.timers.tick(10_000)
  }
  assert.ok(silent.destroyed)
})

test('a browser is pinged every 25 seconds, and one that does not answer is closed by the next ping (RFC 7118 §6)', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] })
  const stack = await open()
  const page = await browser(stack, 'ws')
  const gone = await browser(stack, 'ws', 'sip', { autoPong: false })
  for (let pings = 0; pings < 3; pings++) {
    const ping = once(page.socket, 'ping')
    t.mock.timers.tick(25_000)
    await ping
    await turns(50) // for the pong: both ends live in this process
  }
  assert.equal(gone.socket.readyState, WebSocket.CLOSED)
  assert.equal(page.socket.readyState, WebSocket.OPEN)
})

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await new Promise((go) => setImmediate(go))
}
