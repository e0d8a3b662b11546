/** Whole recording sessions over loopback: our own SIP stack as the client, real sockets, real media workers. */
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { LiveCalls } from '../call/live-calls.ts'
import type { Codec } from '../codec/codec.ts'
import { findCodec } from '../codec/codecs.ts'
import { decodeG711 } from '../codec/g711.ts'
import { opus } from '../codec/opus.ts'
import { findSine, sine } from '../codec/test-support.ts'
import { readWav } from '../codec/wav.ts'
import { systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import type { SrtpKey } from '../core/srtp.ts'
import { FactBus } from '../events/bus.ts'
import type { Fact, FactName, FactOf } from '../events/catalogue.ts'
import { createMediaPlane } from '../media/plane.ts'
import type { MediaPlane } from '../media/types.ts'
import { Recordings } from '../recording/service.ts'
import { printRtp } from '../rtp/packet.ts'
import { SrtpSender } from '../rtp/srtp.ts'
import { cryptoAttribute, newSrtpKey, usableCryptos } from '../sdp/crypto.ts'
import { parseSdp } from '../sdp/parse.ts'
import type { SdpMedia } from '../sdp/types.ts'
import { createSipStack } from '../sip/stack.ts'
import type { Dialog, SipStack } from '../sip/stack.types.ts'
import { isSiprec } from './body.ts'
import { SiprecServer } from './server.ts'

const basic = readFileSync(
  join(import.meta.dirname, '..', '..', 'test', 'data', 'siprec', 'basic-two-streams.sip'),
  'latin1',
)
const body = basic.slice(basic.indexOf('--foobar'))

const stackOn = (supported: readonly string[]) =>
  createSipStack({
    clock: systemClock,
    log: silentLogger,
    listen: (['udp', 'tcp'] as const).map((transport) => ({ transport, ip: '127.0.0.1', port: 0 })),
    supported,
  })

class Recorder {
  readonly folder: string
  readonly media: MediaPlane
  readonly stack: SipStack
  readonly client: SipStack
  readonly facts: Fact[] = []
  readonly #bus = new FactBus()

  private constructor(folder: string, media: MediaPlane, stack: SipStack, client: SipStack) {
    this.folder = folder
    this.media = media
    this.stack = stack
    this.client = client
    this.#bus.onAny((fact) => this.facts.push(fact))
    const recordings = new Recordings({ folder, bus: this.#bus, clock: systemClock, log: silentLogger })
    const siprec = new SiprecServer(
      {
        clock: systemClock,
        log: silentLogger,
        stack,
        media,
        bus: this.#bus,
        live: new LiveCalls(),
        recordings,
        advertisedIp: () => '127.0.0.1',
        messages: () => [],
      },
      { streamSilentMs: 0, askWhenSilentMs: 0, srtp: 'accepted' },
    )
    stack.on('invite', (invite) => {
      if (isSiprec(invite.request)) siprec.handle(invite)
    })
  }

  static async start(context: TestContext): Promise<Recorder> {
    const folder = mkdtempSync(join(tmpdir(), 'patchbay-siprec-'))
    const settings = { workers: 1, bindIp: '127.0.0.1', portMin: 30_000, portMax: 39_999 }
    const media = await createMediaPlane(settings, { log: silentLogger })
    const recorder = new Recorder(folder, media, await stackOn(['siprec']), await stackOn([]))
    context.after(async () => {
      await Promise.all([recorder.client.close(), recorder.stack.close(), media.close()])
      rmSync(folder, { recursive: true })
    })
    return recorder
  }

  /** Resolves with the first fact of that name, told already or later. */
  fact<Name extends FactName>(name: Name): Promise<FactOf<Name>> {
    const told = this.facts.find((fact) => fact.name === name)
    if (told) return Promise.resolve(told as FactOf<Name>)
    return new Promise((resolve) => this.#bus.on(name, resolve))
  }

  /** An INVITE as a session border controller sends it; resolves with the dialog and our ports, in the order offered. */
  async invite(
    transport: 'udp' | 'tcp',
    offer = body,
  ): Promise<{ dialog: Dialog; ports: number[]; callId: string; contact: string; media: readonly SdpMedia[] }> {
    const to = this.stack.listening.find((listening) => listening.transport === transport)
    assert.ok(to)
    const { outcome, sipCallId } = this.client.invite({
      target: { uri: `sip:recorder@127.0.0.1:${to.port}`, via: to },
      from: '<sip:sbc@127.0.0.1>',
      to: '<sip:recorder@127.0.0.1>',
      contactParams: ';+sip.src',
      headers: { Require: 'siprec' },
      contentType: 'multipart/mixed;boundary=foobar',
      body: offer,
    })
    const result = await outcome
    assert.ok(result.answered, `answered ${result.response.status}`)
    const answer = parseSdp(Buffer.from(result.response.body).toString())
    assert.ok(answer.ok)
    const { media } = answer.description
    const contact = result.response.headers.get('Contact') ?? ''
    return { dialog: result.dialog, ports: media.map(({ port }) => port), callId: sipCallId, contact, media }
  }

  /** Packets are handled by the worker in its own time: wait until it has counted this many. */
  async received(packets: number): Promise<void> {
    for (;;) {
      const stats = await this.media.stats()
      if (stats.reduce((sum, { packetsReceived }) => sum + packetsReceived, 0) >= packets) return
    }
  }
}

/** 1.2 s: sent at once, it is not so far ahead of the clock that the recorder doubts the timestamps. */
const packets = 60
const samplesPerPacket = 160

interface Sending {
  readonly payloadType: 0 | 8
  readonly seed: number
  readonly key?: SrtpKey
}

/** What was sent, as the file must hold it: zeros for the packets that were lost. */
async function send(
  socket: Socket,
  port: number,
  { payloadType, seed, key }: Sending,
): Promise<{ sent: number; unique: number; pcm: Int16Array }> {
  const random = seeded(seed)
  const sealed = key && new SrtpSender(key)
  const pcm = new Int16Array(packets * samplesPerPacket)
  const datagrams: Uint8Array[] = []
  for (let index = 0; index < packets; index++) {
    const payload = Uint8Array.from({ length: samplesPerPacket }, () => random(256))
    const first = 0xffff_f000 + seed // the timestamp wraps on the way
    const timestamp = (first + index * samplesPerPacket) >>> 0
    const header = { payloadType, marker: index === 0, sequence: (65_500 + index) & 0xffff, timestamp, ssrc: seed }
    // The first and the last mark where the file begins and ends.
    const fate = index === 0 || index === packets - 1 ? 99 : random(20)
    const plain = printRtp(header, payload)
    const datagram = sealed?.rtp(plain, 0, plain.length) ?? plain
    if (fate === 0) continue
    pcm.set(decodeG711(payloadType === 0 ? 'PCMU' : 'PCMA', payload), index * samplesPerPacket)
    if (fate === 1 && datagrams.length > 1) datagrams.splice(-1, 0, datagram)
    else datagrams.push(datagram)
    if (fate === 2) datagrams.push(datagram)
  }
  for (const datagram of datagrams) socket.send(datagram, port, '127.0.0.1')
  return { sent: datagrams.length, unique: new Set(datagrams).size, pcm }
}

/** Numbers below a bound, the same for the same seed. */
function seeded(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

async function openSocket(context: TestContext): Promise<Socket> {
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  context.after(() => socket.close())
  return socket
}

for (const transport of ['udp', 'tcp'] as const) {
  test(`over ${transport}: lost, doubled and swapped packets, and yet each file holds what was sent`, async (context) => {
    const recorder = await Recorder.start(context)
    const { dialog, ports, callId, contact } = await recorder.invite(transport)
    assert.match(contact, /;\+sip\.srs/)
    assert.equal(ports.length, 2)

    const bob = await send(await openSocket(context), ports[0] ?? 0, { payloadType: 0, seed: 1 })
    const paul = await send(await openSocket(context), ports[1] ?? 0, { payloadType: 8, seed: 2 })
    await recorder.received(bob.sent + paul.sent)
    await dialog.bye()
    const stored = await recorder.fact('recording.stored')

    assert.deepEqual(
      stored.files.map(({ name, label }) => [name, label]),
      [
        [`${callId}.wav`, undefined],
        [`${callId}_96.wav`, '96'],
        [`${callId}_97.wav`, '97'],
      ],
    )
    assert.deepEqual((await readWav(join(recorder.folder, `${callId}_96.wav`))).channel(0), bob.pcm)
    assert.deepEqual((await readWav(join(recorder.folder, `${callId}_97.wav`))).channel(0), paul.pcm)
    assert.deepEqual(
      stored.participants.map(({ name, channel }) => [name, channel]),
      [
        ['Bob', 0],
        ['Paul', 1],
      ],
    )
    const combined = await readWav(join(recorder.folder, `${callId}.wav`))
    const [, first, second] = stored.files
    for (const [channel, pcm, file] of [
      [0, bob.pcm, first],
      [1, paul.pcm, second],
    ] as const) {
      const offset = Math.round((((file?.startedAtMs ?? 0) - (stored.files[0]?.startedAtMs ?? 0)) * 8_000) / 1000)
      assert.deepEqual(combined.channel(channel).subarray(offset, offset + pcm.length), pcm)
    }
    const ended = await recorder.fact('call.ended')
    assert.equal(ended.reason, 'hangup')
    assert.equal(recorder.stack.counts().dialogs, 0)
  })
}

test('streams encrypted each with its own key are recorded as what was said; what is not of that key is not (RFC 3711, 4568)', async (context) => {
  const recorder = await Recorder.start(context)
  const keys = [newSrtpKey('AES_CM_128_HMAC_SHA1_80'), newSrtpKey('AEAD_AES_256_GCM')] as const
  let stream = 0
  const offer = body.replaceAll(/m=audio (\d+) RTP\/AVP (.*)\r\n/g, (_, port: string, formats: string) => {
    const { name, value } = cryptoAttribute({ tag: 1, key: keys[stream++] ?? keys[0] })
    return `m=audio ${port} RTP/SAVP ${formats}\r\na=${name}:${value}\r\n`
  })
  const { dialog, ports, callId, media } = await recorder.invite('tcp', offer)
  assert.deepEqual(
    media.map(({ protocol }) => protocol),
    ['RTP/SAVP', 'RTP/SAVP'],
  )
  assert.deepEqual(
    media.map((answered) => usableCryptos(answered).map(({ key }) => key.suite)),
    keys.map(({ suite }) => [suite]),
  )

  const [socket, other] = [await openSocket(context), await openSocket(context)]
  // They come first, when a source has still to be found
  await send(socket, ports[0] ?? 0, { payloadType: 0, seed: 3 })
  await send(socket, ports[0] ?? 0, { payloadType: 0, seed: 4, key: newSrtpKey('AES_CM_128_HMAC_SHA1_80') })
  const bob = await send(socket, ports[0] ?? 0, { payloadType: 0, seed: 1, key: keys[0] })
  const paul = await send(other, ports[1] ?? 0, { payloadType: 8, seed: 2, key: keys[1] })
  await recorder.received(bob.unique + paul.unique) // a packet that comes twice is no packet
  await dialog.bye()

  await recorder.fact('recording.stored')
  assert.deepEqual((await readWav(join(recorder.folder, `${callId}_96.wav`))).channel(0), bob.pcm)
  assert.deepEqual((await readWav(join(recorder.folder, `${callId}_97.wav`))).channel(0), paul.pcm)
})

/** Packets of 20 ms, sent at once; as many as `packets`. */
function sendPayloads(
  socket: Socket,
  port: number,
  payloadType: number,
  payloads: readonly Uint8Array[],
  ticks: number,
) {
  for (const [index, payload] of payloads.entries()) {
    const header = { payloadType, marker: false, sequence: index, timestamp: index * ticks, ssrc: payloadType }
    socket.send(printRtp(header, payload), port, '127.0.0.1')
  }
}

const frames = (codec: Codec, sound: Int16Array): Uint8Array[] => {
  const samples = (codec.sampleRateHz / 50) * codec.channels
  const encoder = codec.createEncoder()
  const bytes = new Uint8Array(1500)
  return Array.from({ length: packets }, (_, i) =>
    bytes.slice(0, encoder.encode(sound, i * samples, samples, bytes, 0)),
  )
}

const line = (port: number, label: string, formats: string): string =>
  `m=audio ${port} RTP/AVP ${formats}\r\na=label:${label}\r\na=sendonly\r\n`

test('streams of G.722, of Opus in stereo and of G.729 are each kept as they are best kept', async (context) => {
  const recorder = await Recorder.start(context)
  const sdp = [
    'v=0\r\no=SRC 1 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\n',
    line(49_170, '96', '9'),
    line(49_172, '97', '111\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 sprop-stereo=1'),
    line(49_174, '98', '18\r\na=fmtp:18 annexb=no'),
  ].join('')
  const offer = `${body.slice(0, body.indexOf('v=0'))}${sdp}${body.slice(body.indexOf('--foobar', 3))}`
  const { dialog, ports, callId } = await recorder.invite('tcp', offer)

  const [g722, stereo] = [findCodec('G722', 8_000), opus(48_000, 2)]
  assert.ok(g722)
  const wide = sine(1_000, 8_000, 16_000, 2)
  const both = Int16Array.from({ length: 96_000 * 2 }, (_, i) =>
    Math.round(8_000 * Math.sin((i >> 1) * (i % 2 ? 0.1 : 0.05))),
  )
  const g729 = Array.from({ length: packets }, (_, i) => new Uint8Array(20).fill(i))
  sendPayloads(await openSocket(context), ports[0] ?? 0, 9, frames(g722, wide), 160)
  sendPayloads(await openSocket(context), ports[1] ?? 0, 111, frames(stereo, both), 960)
  sendPayloads(await openSocket(context), ports[2] ?? 0, 18, g729, 160)
  await recorder.received(3 * packets)
  await dialog.bye()
  const stored = await recorder.fact('recording.stored')

  assert.deepEqual(
    stored.files.map(({ name, kind, channels, sampleRateHz, samples }) => [
      name,
      kind,
      channels,
      sampleRateHz,
      samples,
    ]),
    [
      [`${callId}.wav`, 'combined', 3, 48_000, stored.files[0]?.samples],
      [`${callId}_96.wav`, 'leg', 1, 16_000, packets * 320],
      [`${callId}_97.wav`, 'leg', 2, 48_000, packets * 960],
      [`${callId}_98.rtpdump`, 'raw', 0, 0, 0],
    ],
  )
  const heard = (await readWav(join(recorder.folder, `${callId}_96.wav`))).pcm
  assert.ok(findSine(heard.subarray(1_600, 17_600), 1_000, 16_000).snrDb > 30)
  const dump = readFileSync(join(recorder.folder, `${callId}_98.rtpdump`))
  assert.equal(dump.length, '#!rtpplay1.0 0.0.0.0/0\n'.length + 16 + packets * (8 + 12 + 20))
  assert.deepEqual(
    recorder.facts.flatMap((fact) => (fact.name === 'leg.answered' ? [fact.codec] : [])),
    ['G722', 'opus', 'G729'],
  )
})

test('in the dialog: metadata by UPDATE, a pause, a refresh, OPTIONS, and a request nobody knows', async (context) => {
  const recorder = await Recorder.start(context)
  const { dialog } = await recorder.invite('tcp')
  const metadata = /<\?xml[^]*<\/recording>/.exec(body)?.[0] ?? ''
  const sdp = /v=0[^]*?(?=\r\n--foobar)/.exec(body)?.[0] ?? ''

  const update = await dialog.request('UPDATE', { contentType: 'application/rs-metadata+xml', body: metadata })
  assert.equal(update.status, 200)
  assert.match(update.headers.get('Contact') ?? '', /;\+sip\.srs/)
  const pause = await dialog.request('INVITE', {
    contentType: 'application/sdp',
    body: `${sdp.replaceAll('sendonly', 'inactive')}\r\n`,
  })
  assert.match(Buffer.from(pause.body).toString(), /a=inactive/)
  const answers = { ackBody: () => ({ contentType: 'application/sdp', body: `${sdp}\r\n` }) }
  assert.match(Buffer.from((await dialog.request('INVITE', answers)).body).toString(), /a=recvonly/)
  assert.equal((await dialog.request('OPTIONS')).status, 200)
  assert.equal((await dialog.request('MESSAGE')).status, 405)
  await dialog.bye()
  assert.equal((await recorder.fact('recording.failed')).code, 'recording.no-audio')
})
