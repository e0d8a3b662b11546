/** The sound of ports through real worker threads and sockets. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { after, test } from 'node:test'
import { MessageChannel } from 'node:worker_threads'
import { until } from '../../../test/support/until.ts'
import { decodeG711, encodeG711 } from '../../codec/g711.ts'
import { silentLogger } from '../../core/logger.ts'
import { emptyRtpPacket, parseRtp } from '../../rtp/packet.ts'
import { createMediaPlane } from '../plane.ts'
import type { MediaPlane, MediaPort, MediaSession } from '../types.ts'
import type { InjectionEvents, InjectMessage, InjectTold, TapFrame } from './types.ts'

const pcmu = { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 } as const

async function plane(): Promise<MediaPlane> {
  const settings = { workers: 1, bindIp: '127.0.0.1', portMin: 23_000, portMax: 24_999 }
  const made = await createMediaPlane(settings, { log: silentLogger })
  after(() => made.close())
  return made
}

/** A port, and all that its phone was sent. */
async function phone(session: MediaSession): Promise<{ port: MediaPort; heard: () => Int16Array }> {
  const socket = createSocket('udp4')
  after(() => socket.close())
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const payloads: Uint8Array[] = []
  const packet = emptyRtpPacket()
  socket.on('message', (bytes) => {
    if (parseRtp(bytes, packet)) payloads.push(bytes.subarray(packet.payloadStart, packet.payloadEnd))
  })
  const port = await session.openPort()
  const { port: rtpPort } = socket.address()
  port.describe({ remote: { ip: '127.0.0.1', rtpPort, rtcpPort: rtpPort + 1 }, receive: [pcmu], send: [pcmu] })
  return { port, heard: () => decodeG711('PCMU', Buffer.concat(payloads)) }
}

const ramp = decodeG711(
  'PCMU',
  Uint8Array.from({ length: 3200 }, (_, i) => (i * 7) & 0xff),
)
const raw = { encoding: 'PCMU', sampleRateHz: 8000 } as const
const sound = { bytes: encodeG711('PCMU', ramp), raw }
const narrow = { sampleRateHz: 8000, encoding: 's16le', frameMs: 20 } as const

test('what is played is heard to the last sample, and told to be over', async () => {
  const session = (await plane()).openSession('call')
  const { port, heard } = await phone(session)
  const { reason, positionMs } = await port.sound.play([sound]).ended
  assert.deepEqual([reason, positionMs], ['ended', 400])
  const samples = await until('all to be heard', 5000, () => heard().length >= ramp.length && heard())
  assert.deepEqual(samples.subarray(0, ramp.length), ramp)
})

test('a missing file is told, with the code of its failure', async () => {
  const session = (await plane()).openSession('call')
  const { port } = await phone(session)
  const end = await port.sound.play([{ file: '/nowhere.wav' }]).ended
  assert.deepEqual(end, { reason: 'failed', failure: 'media.sound-missing', positionMs: 0 })
  assert.throws(() => port.sound.play([]), RangeError)
  assert.throws(() => port.sound.play([sound], { volumeDb: 99 }), RangeError)
  assert.throws(() => port.sound.meter(5, () => undefined), RangeError)
})

test('a consumer that takes its time gets frame after frame in their order; one that fails gets no more', async () => {
  const session = (await plane()).openSession('call')
  const { port } = await phone(session)
  port.sound.play([{ tone: 'dial' }])
  const frames: TapFrame[] = []
  let atOnce = 0
  const tap = port.sound.tap({ ...narrow, what: 'both' }, async (frame) => {
    assert.equal(++atOnce, 1)
    await new Promise((resolve) => setImmediate(resolve))
    atOnce--
    frames.push(frame)
  })
  await until('a second of frames', 5000, () => frames.length > 50)
  tap.stop()
  assert.deepEqual(
    frames.map(({ sequence }) => sequence),
    frames.map((_, i) => i),
  )
  assert.ok(
    frames.at(-1)?.tracks[1]?.some((byte) => byte !== 0),
    'the tone is what is heard',
  )
  let failing = 0
  port.sound.tap(narrow, () => {
    failing++
    throw new Error('a consumer of sound')
  })
  await until('the failure', 5000, () => failing > 0)
  let healthy = 0
  port.sound.tap(narrow, () => void healthy++)
  await until('frames for another', 5000, () => healthy > 5)
  assert.equal(failing, 1)
})

test('what an agent says is heard; marks, low and the end are told, and a flush says what was not heard', async () => {
  const session = (await plane()).openSession('call')
  const { port, heard } = await phone(session)
  const told: (keyof InjectionEvents)[] = []
  const agent = port.sound.inject({ sampleRateHz: 8000, encoding: 'PCMU', lowMs: 100 })
  agent.on('mark', () => told.push('mark'))
  agent.on('low', () => told.push('low'))
  const over = new Promise<InjectionEvents['ended']>((resolve) => agent.on('ended', resolve))
  agent.write(sound.bytes)
  agent.mark('said')
  await until('the mark', 5000, () => told.includes('mark'))
  assert.deepEqual(told, ['low', 'mark'])
  for (let i = 0; i < 10; i++) agent.write(sound.bytes)
  assert.ok((await agent.flush()) > 3500)
  agent.end()
  assert.ok((await over).playedMs >= 400)
  assert.deepEqual(heard().subarray(0, ramp.length), ramp)
  assert.equal(await agent.flush(), 0)
})

test('another thread gets frames and speaks by channels of its own', async () => {
  const session = (await plane()).openSession('call')
  const { port, heard } = await phone(session)
  const [listening, speaking] = [new MessageChannel(), new MessageChannel()]
  const frames: TapFrame[] = []
  listening.port1.on('message', (frame: TapFrame) => {
    frames.push(frame)
    listening.port1.postMessage(1)
  })
  const tap = port.sound.tapTo({ ...narrow, what: 'heard' }, listening.port2)
  const told: InjectTold[] = []
  speaking.port1.on('message', (event: InjectTold) => told.push(event))
  port.sound.injectFrom({ sampleRateHz: 8000, encoding: 'PCMU' }, speaking.port2)
  speaking.port1.postMessage({ audio: sound.bytes } satisfies InjectMessage)
  speaking.port1.postMessage({ mark: 'said' } satisfies InjectMessage)
  await until('the mark', 5000, () => told.some(({ name }) => name === 'mark'))
  speaking.port1.postMessage({ flush: 3 } satisfies InjectMessage)
  await until('the flush', 5000, () => told.some((event) => event.name === 'flushed' && event.ask === 3))
  const closed = Promise.all([once(speaking.port1, 'close'), once(listening.port1, 'close')])
  speaking.port1.postMessage({ end: true } satisfies InjectMessage)
  await until('more frames than it had credit for', 5000, () => frames.length > 30)
  tap.stop()
  await closed
  assert.deepEqual(heard().subarray(0, ramp.length), ramp)
  assert.ok(frames.some(({ tracks }) => tracks[0]?.some((byte) => byte !== 0)))
})

test('members of a mixer hear each other, and are told to talk', async () => {
  const session = (await plane()).openSession('room')
  const [a, b] = [await phone(session), await phone(session)]
  const mixer = session.openMixer({ sampleRateHz: 8000 })
  mixer.join(a.port)
  const member = mixer.join(b.port)
  const end = await mixer.play([sound]).ended
  assert.equal(end.reason, 'ended')
  for (const { heard } of [a, b]) await until('both to hear it', 5000, () => heard().length >= 3000)
  member.change({ gainDb: -6 })
  member.leave()
  const levels = await new Promise((resolve) => a.port.sound.meter(100, resolve))
  assert.deepEqual(Object.keys(levels as object), ['said', 'heard'])
  mixer.close()
  const other = (await plane()).openSession('other')
  assert.throws(() => other.openMixer({ sampleRateHz: 8000 }).join(a.port), { code: 'media.other-session' })
})

test('a port that is closed, and a session too, end what was played', async () => {
  const session = (await plane()).openSession('call')
  const [a, b] = [await phone(session), await phone(session)]
  const [first, second] = [a.port.sound.play([{ tone: 'busy' }]), b.port.sound.play([{ tone: 'busy' }])]
  await a.port.close()
  assert.equal((await first.ended).reason, 'closed')
  await session.close()
  assert.equal((await second.ended).reason, 'closed')
  assert.equal((await a.port.sound.play([sound]).ended).reason, 'closed')
})

test('a worker that dies ends what was played', async () => {
  const session = (await plane()).openSession('call')
  const { port } = await phone(session)
  const playback = port.sound.play([{ tone: 'busy' }])
  port.describe({ receive: null as never, send: [] }) // what no caller does kills the thread
  assert.equal((await playback.ended).reason, 'closed')
})
