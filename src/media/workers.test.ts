/** Media workers that die or stand still, really: threads, sockets, and what becomes of all that was asked of them. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { until } from '../../test/support/until.ts'
import { cause, faultArgs } from '../../test/support/worker-faults.ts'
import { silentLogger } from '../core/logger.ts'
import { printRtp } from '../rtp/packet.ts'
import { chooseIo } from './native-addon.ts'
import { createMediaPlane } from './plane.ts'
import type { IoKind, MediaPlane, MediaPlaneSettings, MediaPort, MediaSession } from './types.ts'

const folder = mkdtempSync(join(tmpdir(), 'patchbay-workers-'))
after(() => rmSync(folder, { recursive: true }))

const pcmu = { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 } as const
const format = { sampleRateHz: 8000, encoding: 's16le', frameMs: 20 } as const
const ioKinds: readonly IoKind[] = chooseIo('auto').kind === 'native' ? ['dgram', 'native'] : ['dgram']

/** What was told of workers, one line each. */
type Told = string[]

async function planeOf(changes: Partial<MediaPlaneSettings> = {}): Promise<{ plane: MediaPlane; told: Told }> {
  const told: Told = []
  const settings = { workers: 2, bindIp: '127.0.0.1', portMin: 25_000, portMax: 26_999, ...changes }
  const plane = await createMediaPlane(settings, {
    log: silentLogger,
    nodeArgs: faultArgs,
    onWorkerLost: (worker, calls, why) => told.push(`lost ${worker} ${calls.join()} ${why}`),
    onWorkerStalled: (worker, calls) => told.push(`stalled ${worker} ${calls.join()}`),
    onWorkerRecovered: (worker) => told.push(`recovered ${worker}`),
  })
  after(() => plane.close())
  return { plane, told }
}

const states = (plane: MediaPlane): string =>
  plane
    .workers()
    .map(({ state }) => state)
    .join()
const allRun = (plane: MediaPlane): Promise<boolean> =>
  until('all workers to run', 20_000, () => plane.workers().every(({ state }) => state === 'running'))

/** A port that sends to nobody, and may be sent to. */
async function port(session: MediaSession): Promise<MediaPort> {
  const opened = await session.openPort()
  const remote = { ip: '127.0.0.1', rtpPort: 9, rtcpPort: 9 }
  const event = { payloadType: 101, encoding: 'telephone-event', clockRateHz: 8000 } as const
  opened.describe({ remote, receive: [pcmu], send: [pcmu, event] })
  return opened
}

/** Files and sockets of this process; Linux only. */
const openFiles = (): number => readdirSync('/proc/self/fd').length

const lostOf = (session: MediaSession): Promise<unknown> => new Promise((resolve) => session.on('lost', resolve))

test('when a worker dies all that was asked of it is refused or ends, and nothing waits for ever', async () => {
  const { plane, told } = await planeOf()
  const session = plane.openSession('call')
  const [a, b] = [await port(session), await port(session)]
  const mixer = session.openMixer({ sampleRateHz: 16_000 })
  mixer.join(a)
  const endless = { times: Number.POSITIVE_INFINITY }
  const playing = [a.sound.play([{ tone: 'dial' }], endless), mixer.play([{ tone: 'dial' }], endless)]
  const injection = b.sound.inject(format)
  const injected = new Promise((resolve) => injection.on('ended', resolve))
  const tapped = new MessageChannel()
  a.sound.tapTo({ ...format, what: 'said' }, tapped.port2)
  const tapClosed = once(tapped.port1, 'close')
  tapped.port1.start()
  a.sound.tap({ ...format, what: 'both' }, () => undefined)
  a.record(join(folder, 'died.wav'))
  await a.stats()
  const lost = lostOf(session)

  cause({ worker: 0, fault: 'die' })
  const asked = [
    assert.rejects(session.openPort(), { code: 'media.worker-lost' }),
    assert.rejects(a.sendDigits('1234567890'), { code: 'media.worker-lost' }),
    assert.rejects(a.stopRecording(), { code: 'media.worker-lost' }),
    a.stats(),
    b.close(),
    injection.flush(),
    injected,
    tapClosed,
    lost,
  ]
  await Promise.all(asked)
  for (const { ended } of playing) assert.equal((await ended).reason, 'closed')
  assert.deepEqual(told, ['lost 0 call died'])
  assert.equal(plane.portStats().inUse, 0)

  assert.equal((await a.sound.play([{ tone: 'dial' }]).ended).reason, 'closed')
  assert.equal((await mixer.play([{ tone: 'dial' }]).ended).reason, 'closed')
  const late = a.sound.inject(format)
  await new Promise((resolve) => late.on('ended', resolve))
  assert.equal(await late.flush(), 0)
  const channel = new MessageChannel()
  const closed = once(channel.port1, 'close')
  channel.port1.start()
  b.sound.injectFrom(format, channel.port2)
  await closed
  await assert.rejects(a.sendDigits('1'), { code: 'media.closed' })
  assert.throws(() => a.record(join(folder, 'late.wav')), { code: 'media.closed' })
  assert.throws(() => session.openMixer({ sampleRateHz: 16_000 }), { code: 'media.worker-lost' })
  session.bridge(a, b)
  session.supervise(a, [b]).stop()
  a.describe({ receive: [], send: [] })
  await session.close()
})

test('a plane whose worker cannot start says so, and leaves no thread behind', async () => {
  const settings = { workers: 2, bindIp: '127.0.0.1', portMin: 25_000, portMax: 25_099 }
  const nodeArgs = ['--import=data:text/javascript,throw 1']
  const started = createMediaPlane(settings, { log: silentLogger, nodeArgs })
  await assert.rejects(started, { code: 'media.worker-lost' })
})

for (const io of ioKinds) {
  test(`the end of a worker closes its sockets and files (${io})`, { skip: process.platform !== 'linux' }, async () => {
    const { plane } = await planeOf({ workers: 1, io })
    const oneCall = async (): Promise<void> => {
      const session = plane.openSession('call')
      const socket = createSocket('udp4')
      for (let i = 0; i < 10; i++) {
        const recorded = await session.openPort()
        recorded.describe({ receive: [pcmu], send: [] })
        recorded.record(join(folder, `${io}-${recorded.address.rtpPort}.wav`))
        await recorded.stats() // it knows by now what may come
        const header = { marker: false, payloadType: 0, sequence: 1, timestamp: 160, ssrc: 5 }
        socket.send(printRtp(header, new Uint8Array(160)), recorded.address.rtpPort, '127.0.0.1')
        await new Promise((resolve) => recorded.on('media-started', resolve))
        await session.openPort({ relay: true })
      }
      socket.close()
      const lost = lostOf(session)
      cause({ worker: 0, fault: 'die' })
      await lost
      await allRun(plane)
      for (const name of readdirSync(folder)) rmSync(join(folder, name))
    }
    await allRun(plane)
    const before = openFiles()
    await oneCall()
    await until(`${before} open files again`, 10_000, () => openFiles() <= before)
  })
}

test('a worker that stands still is told, avoided, and loses nothing when it goes on', async () => {
  const { plane, told } = await planeOf()
  const session = plane.openSession('call')
  const recorded = await port(session)
  const { rtpPort } = recorded.address
  const socket = createSocket('udp4')
  after(() => socket.close())
  const packets = 150
  const send = (sequence: number): void => {
    const header = { marker: false, payloadType: 0, sequence, timestamp: sequence * 160, ssrc: 5 }
    socket.send(printRtp(header, new Uint8Array(160)), rtpPort, '127.0.0.1')
  }
  await allRun(plane)

  cause({ worker: 0, fault: 'stand', forMs: 4_000 })
  for (let sequence = 0; sequence < packets; sequence++) {
    send(sequence)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  await until('the standstill to be told', 10_000, () => told.length > 0)
  assert.deepEqual(told, ['stalled 0 call'])
  assert.equal(states(plane), 'stalled,running')
  assert.deepEqual(
    (await plane.stats()).map(({ worker }) => worker),
    [1],
  )
  // A worker in motion answers at once, so these are on the other one.
  for (let i = 0; i < 5; i++) await plane.openSession(`next ${i}`).openPort()
  assert.equal(states(plane), 'stalled,running')

  await until('it to go on', 20_000, () => told.length > 1)
  assert.deepEqual(told, ['stalled 0 call', 'recovered 0'])
  const { packetsReceived } = await recorded.stats()
  assert.equal(packetsReceived, packets)
})

test('a worker that stands still for too long is given up on and replaced', async () => {
  const { plane, told } = await planeOf({ workers: 1, stallLimitMs: 3_000 })
  const session = plane.openSession('call')
  const opened = await port(session)
  const lost = lostOf(session)
  await allRun(plane)
  cause({ worker: 0, fault: 'stand', forMs: 60_000 })
  await lost
  assert.deepEqual(told, ['stalled 0 call', 'lost 0 call stalled'])
  assert.equal((await opened.close()).packetsReceived, 0)
  await allRun(plane)
  const next = plane.openSession('next')
  assert.equal((await (await next.openPort()).stats()).packetsReceived, 0)
})

test('a plane whose worker stands still is closed all the same', { timeout: 30_000 }, async () => {
  const { plane } = await planeOf({ stallLimitMs: 0 })
  const session = plane.openSession('call')
  await port(session)
  await allRun(plane)
  cause({ worker: 0, fault: 'stand', forMs: 60_000 })
  await plane.close()
})

test('a plane whose worker dies while it is closed is closed all the same', async () => {
  const { plane, told } = await planeOf()
  const session = plane.openSession('call')
  const recorded = await port(session)
  recorded.record(join(folder, 'closing.wav'))
  await recorded.stats()
  cause({ worker: 0, fault: 'die' })
  await plane.close()
  assert.deepEqual(told, [])
  assert.equal(plane.portStats().inUse, 0)
})
