/** What the addon is asked to do, and when; the addon itself is tested by io.contract.test.ts where it is built. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../../core/fake-clock.ts'
import { interfaceVersion, type Native } from '../../native-addon.ts'
import type { PacketHandler, PortSockets } from './io.ts'
import { NativeIo } from './io-native.ts'
import { momentAt, receivedAt, receivedWords, reserved, slots } from './native-block.ts'

const to = { ip: '192.0.2.1', port: 4000 }

/** Stands in for the addon: packets wait in `waiting`, what is asked for is kept in `calls`. */
function fake(pollMs = 5, before = () => {}) {
  const clock = new FakeClock()
  const calls: string[] = []
  /** Sockets for which a packet waits. */
  const waiting: number[] = []
  /** What went past us and was not told yet. */
  const passed: number[] = []
  /** How long this thread stands still between a look and hearing of it. */
  let stillMs = 0
  let block = new ArrayBuffer(0)
  let nextSocket = 0
  const native: Native = {
    version: interfaceVersion,
    create(memory) {
      block = memory
      return {}
    },
    open: () => nextSocket++,
    close: (_io, socket) => void calls.push(`close ${socket}`),
    aim(_io, socket, ip, port) {
      calls.push(`aim ${socket} ${ip}:${port}`)
      return 1
    },
    now: () => clock.now(),
    poll() {
      new Float64Array(block, momentAt)[0] = clock.now() - stillMs
      const words = new Int32Array(block, receivedAt)
      const taken = waiting.splice(0, slots)
      for (const [slot, socket] of taken.entries()) words.set([socket, 20, 1, 4000, 1500], slot * receivedWords)
      if (taken.length > 0) calls.push(`took ${taken.length}`)
      return taken.length === slots ? -slots - 1 : taken.length
    },
    drain(_io, socket) {
      new Float64Array(block, momentAt)[0] = clock.now()
      const words = new Int32Array(block, receivedAt)
      const kept = passed.splice(0, reserved)
      for (const [slot] of kept.entries()) words.set([socket, 20, 2, 4000, 1500], (slots + slot) * receivedWords)
      calls.push(`drain ${socket}: ${kept.length}`)
      return kept.length
    },
    ease: (_io, socket, on) => void calls.push(`ease ${socket} ${on}`),
    pass: (_io, ip, port) => void calls.push(`pass from ${ip}:${port}`),
    source: () => to.ip,
    send: (_io, count) => void calls.push(`send ${count}`),
    write: () => {},
    counters: () => [0, 0, 0],
  }
  const io = new NativeIo(native, { clock, pollMs, before })
  const open = async (handler: Partial<PacketHandler> = {}): Promise<PortSockets> => {
    const sockets = await io.open('127.0.0.1', 4000, { rtp: () => {}, rtcp: () => {}, ...handler })
    assert.ok(sockets)
    return sockets
  }
  return { clock, calls, waiting, passed, io, open, standStill: (ms: number) => void (stillMs = ms) }
}

test('what is sent in answer to a batch leaves in one call, after the batch', async () => {
  const { clock, calls, waiting, open } = fake()
  const sockets: PortSockets = await open({ rtp: (bytes) => sockets.sendRtp(bytes, 0, bytes.length, to) })
  waiting.push(0, 0, 0)
  clock.advance(5)
  assert.deepEqual(calls, ['took 3', 'aim 0 192.0.2.1:4000', 'send 3'])
})

test('a packet that waited is told to have come when the kernel took it', async () => {
  const { clock, waiting, open } = fake()
  const came: (number | undefined)[] = []
  await open({ rtp: (_bytes, _from, atMs) => came.push(atMs) })
  waiting.push(0)
  clock.advance(5)
  assert.deepEqual(came, [clock.now() - 1.5])
})

test('when packets came is counted from when they were taken, though this thread stood still before it heard of them', async () => {
  const { clock, waiting, open, standStill } = fake()
  const came: (number | undefined)[] = []
  await open({ rtp: (_bytes, _from, atMs) => came.push(atMs) })
  waiting.push(0)
  standStill(110)
  clock.advance(5)
  assert.deepEqual(came, [clock.now() - 110 - 1.5])
})

test('what went past a port is told before something changes, and what it sends in answer goes nowhere', async () => {
  const { clock, calls, waiting, passed, io, open } = fake()
  const out = await open()
  const told: (boolean | undefined)[] = []
  const sockets: PortSockets = await open({
    rtp(bytes, from, _atMs, isPassed) {
      told.push(isPassed)
      out.sendRtp(bytes, 0, bytes.length, to)
      const header = { ssrc: 1, payloadType: 0, newest: 1, mostBytes: 172 }
      const sent = { outSsrc: 2, outPayloadType: 0, sequenceOffset: 3, timestampOffset: 4 }
      if (!isPassed) sockets.pass({ from, ...header, ...sent }, out)
    },
  })
  waiting.push(2)
  clock.advance(5)
  passed.push(...Array.from({ length: 18 }, (_, i) => i))
  sockets.drain()
  io.flush()
  assert.deepEqual(told, [undefined, ...Array.from({ length: 18 }, () => true)])
  assert.deepEqual(calls, [
    'took 1',
    'aim 0 192.0.2.1:4000',
    'pass from 192.0.2.1:4000',
    'send 1',
    'drain 2: 16',
    'drain 2: 2',
  ])
})

test('what is sent by a clock waits for flush, for the next look, or until there is no room', async () => {
  const { clock, calls, io, open } = fake()
  const sockets = await open()
  const bytes = new Uint8Array(172)
  sockets.sendRtp(bytes, 0, 172, to)
  sockets.sendRtp(bytes, 0, 172, { ...to })
  io.flush()
  io.flush()
  sockets.sendRtp(bytes, 0, 172, to)
  clock.advance(5)
  for (let i = 0; i < 257; i++) sockets.sendRtp(bytes, 0, 172, to)
  assert.deepEqual(calls, ['aim 0 192.0.2.1:4000', 'send 2', 'send 1', 'send 256'])
})

test('another destination does not change where what waits goes to', async () => {
  const { calls, io, open } = fake()
  const sockets = await open()
  sockets.sendRtp(new Uint8Array(3), 0, 3, to)
  sockets.sendRtp(new Uint8Array(3), 0, 3, { ip: '192.0.2.2', port: 4000 })
  io.flush()
  assert.deepEqual(calls, ['aim 0 192.0.2.1:4000', 'send 1', 'aim 0 192.0.2.2:4000', 'send 1'])
})

test('a pair that is closed while its packets are handed out gets no more of them', async () => {
  const { clock, waiting, open } = fake()
  let heard = 0
  const sockets: PortSockets = await open({
    rtp() {
      heard++
      void sockets.close()
    },
  })
  await open()
  waiting.push(0, 0)
  clock.advance(5)
  assert.equal(heard, 1)
})

test('what was ordered is in force before packets are taken', async () => {
  const order: string[] = []
  const { clock, waiting, open } = fake(5, () => order.push('orders'))
  await open({ rtp: () => void order.push('packet') })
  waiting.push(0)
  clock.advance(5)
  assert.deepEqual(order, ['orders', 'packet'])
})

test('all that waits is taken when it is asked for, before the next look', async () => {
  const { calls, waiting, io, open } = fake()
  io.drain()
  await open()
  for (let i = 0; i < 70; i++) waiting.push(0)
  io.drain()
  assert.deepEqual(calls, ['took 64', 'took 6'])
})

test('all that waits is taken at one look, but not without end', async () => {
  const { clock, calls, waiting, open } = fake()
  await open()
  for (let i = 0; i < 130; i++) waiting.push(0)
  clock.advance(5)
  assert.deepEqual(calls, ['took 64', 'took 64', 'took 2'])
  for (let i = 0; i < 20_000; i++) waiting.push(0)
  clock.advance(5)
  assert.equal(waiting.length, 0, 'the rest at once, when others have had their turn')
})

test('after a second of quiet it looks less often, and not at all when nothing is open', async () => {
  const { clock, calls, waiting, open } = fake()
  const sockets = await open()
  clock.advance(1100)
  waiting.push(0)
  clock.advance(20)
  assert.deepEqual(calls, ['took 1'])
  waiting.push(0)
  clock.advance(5)
  assert.deepEqual(calls, ['took 1', 'took 1'], 'as often as before')
  await sockets.close()
  waiting.push(0)
  clock.advance(1000)
  assert.equal(waiting.length, 1)
})
