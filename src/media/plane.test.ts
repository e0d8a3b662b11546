/** The real plane over loopback: worker threads, sockets, files. */
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { decodeG711 } from '../codec/g711.ts'
import { readWav } from '../codec/wav.ts'
import { silentLogger } from '../core/logger.ts'
import { emptyRtpPacket, parseRtp, printRtp } from '../rtp/packet.ts'
import { MediaError } from './failures.ts'
import { createMediaPlane } from './plane.ts'
import type { MediaPlane, MediaPlaneSettings, MediaPort, PortDescription, PortEvents, SessionEvents } from './types.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-plane-'))
after(() => rmSync(folder, { recursive: true }))

const pcmu = { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 } as const

/** Ports that nobody uses now; the plane tries others where somebody was quicker. */
async function freeRange(pairs: number, ip = '127.0.0.1'): Promise<{ portMin: number; portMax: number }> {
  const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4')
  socket.bind(0, ip)
  await once(socket, 'listening')
  const portMin = Math.min(socket.address().port & ~1, 65_534 - pairs * 2)
  await new Promise<void>((resolve) => socket.close(() => resolve()))
  return { portMin, portMax: portMin + pairs * 2 - 1 }
}

async function planeWith(
  changes: Partial<MediaPlaneSettings> = {},
  onWorkerLost: (worker: number, sessionIds: readonly string[]) => void = () => {},
): Promise<MediaPlane> {
  const ip = changes.bindIp ?? '127.0.0.1'
  const settings = { workers: 1, bindIp: ip, ...(await freeRange(20, ip)), ...changes }
  const plane = await createMediaPlane(settings, { log: silentLogger, onWorkerLost })
  after(() => plane.close())
  return plane
}

interface Phone {
  readonly socket: Socket
  readonly description: PortDescription
  send(port: MediaPort, sequence: number): Promise<void>
  /** The next packet that comes. */
  heard(): Promise<Buffer>
}

const payloadOf = (sequence: number): Uint8Array =>
  Uint8Array.from({ length: 160 }, (_, i) => (sequence * 7 + i) & 0xff)

async function phone(ip = '127.0.0.1', format: PortDescription['send'][number] = pcmu): Promise<Phone> {
  const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4')
  after(() => socket.close())
  socket.bind(0, ip)
  await once(socket, 'listening')
  const { port: rtpPort } = socket.address()
  return {
    socket,
    description: { remote: { ip, rtpPort, rtcpPort: rtpPort }, receive: [format], send: [format] },
    async send(port, sequence) {
      const header = { marker: false, payloadType: format.payloadType, sequence, timestamp: sequence * 160, ssrc: 5 }
      const bytes = printRtp(header, payloadOf(sequence))
      await new Promise((resolve) => socket.send(bytes, port.address.rtpPort, port.address.ip, resolve))
    },
    async heard() {
      return (await once(socket, 'message'))[0] as Buffer
    },
  }
}

const event = <Name extends keyof PortEvents>(port: MediaPort, name: Name): Promise<PortEvents[Name]> =>
  new Promise((resolve) => port.on(name, resolve))

test('two phones hear each other through the plane, and the files hold what was said', async () => {
  const plane = await planeWith({ workers: 2 })
  const session = plane.openSession('call')
  const [a, b] = [await session.openPort(), await session.openPort()]
  const [alice, bob] = [await phone(), await phone()]
  a.describe(alice.description)
  b.describe(bob.description)
  session.bridge(a, b)
  const path = join(folder, 'alice.wav')
  a.record(path)
  const started = event(a, 'media-started')
  const startedAtMs = Date.now()

  const packet = emptyRtpPacket()
  for (let sequence = 1; sequence <= 30; sequence++) {
    const heard = bob.heard()
    await alice.send(a, sequence)
    assert.ok(parseRtp(await heard, packet))
    assert.deepEqual(Buffer.from(packet.bytes.subarray(packet.payloadStart)), Buffer.from(payloadOf(sequence)))
  }
  const answer = alice.heard()
  await bob.send(b, 1)
  assert.ok(parseRtp(await answer, packet))

  assert.deepEqual(await started, { source: `127.0.0.1:${alice.description.remote?.rtpPort}`, codec: 'PCMU' })
  const file = await a.stopRecording()
  assert.equal(file?.samples, 30 * 160)
  assert.equal(file.missingSamples, 0)
  assert.ok(Math.abs(file.startedAtMs - startedAtMs) < 5000)
  const expected = Buffer.concat(Array.from({ length: 30 }, (_, i) => payloadOf(i + 1)))
  assert.deepEqual((await readWav(path)).pcm, decodeG711('PCMU', expected))
  assert.equal(await b.stopRecording(), undefined, 'it was not recorded')

  const stats = await a.close()
  assert.equal(stats.packetsReceived, 30)
  assert.equal(stats.packetsSent, 1)
  assert.deepEqual(await a.close(), stats)
  const ofWorkers = await plane.stats()
  assert.equal(
    ofWorkers.reduce((sum, worker) => sum + worker.packetsReceived, 0),
    31,
  )
  await session.close()
  await session.close()
})

test('a phone that knows another codec is spoken to in that, and digits are sent to it', async () => {
  const plane = await planeWith()
  const session = plane.openSession('call')
  const [a, b] = [await session.openPort(), await session.openPort()]
  const g722 = { payloadType: 9, encoding: 'G722', clockRateHz: 8000 } as const
  const [alice, bob] = [await phone('127.0.0.1', g722), await phone()]
  const events = { payloadType: 101, encoding: 'telephone-event', clockRateHz: 8000 } as const
  a.describe(alice.description)
  b.describe({ ...bob.description, send: [pcmu, events] })
  session.bridge(a, b)
  const packet = emptyRtpPacket()
  const heard = bob.heard()
  for (let sequence = 0; sequence < 5; sequence++) await alice.send(a, sequence)
  assert.ok(parseRtp(await heard, packet))
  assert.deepEqual([packet.payloadType, packet.payloadEnd - packet.payloadStart], [0, 160])
  const types: number[] = []
  bob.socket.on('message', (bytes) => parseRtp(bytes, packet) && types.push(packet.payloadType))
  await b.sendDigits('42', { toneMs: 40, pauseMs: 40 })
  assert.ok(types.filter((type) => type === 101).length >= 4)
  a.describe({ ...alice.description, send: [] })
  await assert.rejects(a.sendDigits('1'), { code: 'media.no-digits' })
  await assert.rejects(a.sendDigits('x'), RangeError)
  await assert.rejects(a.sendDigits('1', { toneMs: 10 }), RangeError)
  const cut = assert.rejects(b.sendDigits('1234567890'), { code: 'media.closed' })
  await session.close()
  await cut
})

test('a digit that came by signalling ends what is played, and is told', async () => {
  const plane = await planeWith()
  const session = plane.openSession('call')
  const port = await session.openPort()
  port.describe((await phone()).description)
  const { ended } = port.sound.play([{ silenceMs: 60_000 }], { stopOn: '5' })
  const told: unknown[] = []
  port.on('digit', (digit) => told.push(digit))
  assert.equal(await port.takeDigit('4', 80), true)
  assert.equal(await port.takeDigit('5', 160), true)
  const end = await ended
  assert.ok(end.reason === 'digit' && end.digit === '5')
  assert.deepEqual(told, [
    { digit: '4', durationMs: 80 },
    { digit: '5', durationMs: 160 },
  ])
  await session.close()
  assert.equal(await port.takeDigit('5', 160), false)
})

test('closing the session finishes a recording that nobody stopped', async () => {
  const plane = await planeWith()
  const session = plane.openSession('call')
  const port = await session.openPort()
  const alice = await phone()
  port.describe(alice.description)
  const path = join(folder, 'unstopped.wav')
  port.record(path)
  const started = event(port, 'media-started')
  await alice.send(port, 1)
  await started
  await session.close()
  assert.deepEqual((await readWav(path)).pcm, decodeG711('PCMU', payloadOf(1)))
})

test('sessions go to the worker with the fewest', async () => {
  const plane = await planeWith({ workers: 2 })
  for (let i = 0; i < 4; i++) plane.openSession(`call ${i}`)
  assert.deepEqual(
    (await plane.stats()).map(({ worker, sessions }) => [worker, sessions]),
    [
      [0, 2],
      [1, 2],
    ],
  )
})

test('when all ports are taken the next call is told so, and closed ones come back', async () => {
  const plane = await planeWith({ workers: 2, ...(await freeRange(3)) })
  const sessions = [plane.openSession('a'), plane.openSession('b')]
  const opened: MediaPort[] = []
  const fill = async (): Promise<void> => {
    for (;;) opened.push(await (sessions[opened.length % 2] ?? assert.fail()).openPort())
  }
  await assert.rejects(fill(), { name: 'MediaError', code: 'media.no-port' })
  const count = opened.length
  assert.ok(count > 0)
  await opened[0]?.close()
  await sessions[1]?.openPort()
  await assert.rejects((sessions[1] ?? assert.fail()).openPort(), { code: 'media.no-port' })
})

test('a pair that another program uses is passed over', async () => {
  const range = await freeRange(2)
  const plane = await planeWith(range)
  const socket = createSocket('udp4')
  after(() => socket.close())
  socket.bind(range.portMin + 1, '127.0.0.1') // the RTCP port of the first pair
  await once(socket, 'listening')
  const port = await plane.openSession('a').openPort()
  assert.deepEqual(port.address, { ip: '127.0.0.1', rtpPort: range.portMin + 2, rtcpPort: range.portMin + 3 })
})

test('ports work over IPv6', async (t) => {
  const plane = await planeWith({ bindIp: '::1' }).catch(() => undefined)
  if (!plane) return t.skip('this host has no IPv6')
  const session = plane.openSession('call')
  const [a, b] = [await session.openPort(), await session.openPort()]
  const [alice, bob] = [await phone('::1'), await phone('::1')]
  a.describe(alice.description)
  b.describe(bob.description)
  session.bridge(a, b)
  const [started, heard] = [event(a, 'media-started'), bob.heard()]
  await alice.send(a, 1)
  assert.match((await started).source, /^\[::1\]:\d+$/)
  await heard
})

test('misuse is told at once: after close, recording twice, bridging ports of two calls', async () => {
  const plane = await planeWith()
  const [first, second] = [plane.openSession('a'), plane.openSession('b')]
  const [a, b] = [await first.openPort(), await second.openPort()]
  assert.throws(() => first.bridge(a, b), { code: 'media.other-session' })
  a.record(join(folder, 'never.wav'))
  assert.throws(() => a.record(join(folder, 'never.wav')), { code: 'media.already-recording' })
  await first.close()
  await assert.rejects(first.openPort(), { code: 'media.closed' })
  assert.throws(() => a.record(join(folder, 'never.wav')), { code: 'media.closed' })
  a.describe({ receive: [], send: [] })
  await plane.close()
  assert.throws(() => plane.openSession('c'), MediaError)
})

test('a worker that dies is replaced, its calls are told, its ports come back, and other calls go on', async () => {
  const lostSessions: string[] = []
  const plane = await planeWith({ workers: 2, ...(await freeRange(4)) }, (_worker, ids) => lostSessions.push(...ids))
  const [doomed, other] = [plane.openSession('doomed'), plane.openSession('other')]
  const port = await doomed.openPort()
  const healthy = await other.openPort()
  const lost = new Promise<SessionEvents['lost']>((resolve) => doomed.on('lost', resolve))
  port.record(join(folder, 'cut-off.wav'))
  port.describe({ receive: null as never, send: [] }) // what no caller does kills the thread
  const [stats, ofWorkers] = await Promise.all([port.stats(), plane.stats()]) // asked, and never answered
  assert.equal(stats.packetsReceived, 0)
  assert.deepEqual(
    ofWorkers.map(({ worker }) => worker),
    [1],
  )
  assert.deepEqual(await lost, { worker: 0 })
  assert.deepEqual(lostSessions, ['doomed'])
  await assert.rejects(doomed.openPort(), { code: 'media.worker-lost' })
  assert.equal((await port.close()).packetsReceived, 0)
  await assert.rejects(port.stopRecording(), { code: 'media.worker-lost' })
  await doomed.close()

  const alice = await phone()
  healthy.describe(alice.description)
  const started = event(healthy, 'media-started')
  await alice.send(healthy, 1)
  await started

  // Calls go to the worker that lives, or to the new one once it is there; the port of the lost call is free again.
  const next = plane.openSession('next')
  const reopened = [await next.openPort(), await next.openPort(), await next.openPort()]
  assert.ok(reopened.some(({ address }) => address.rtpPort === port.address.rtpPort))
})
