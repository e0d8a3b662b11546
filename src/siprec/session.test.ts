import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import { goodQuality } from '../media/test-support.ts'
import { parseSdp } from '../sdp/parse.ts'
import type { SdpMedia } from '../sdp/types.ts'
import { SiprecServer } from './server.ts'
import type { SessionSettings } from './session/types.ts'
import { FakeInvite, type Response, readRequest, World } from './test-support.ts'

const basic = readFileSync(
  join(import.meta.dirname, '..', '..', 'test', 'data', 'siprec', 'basic-two-streams.sip'),
  'latin1',
)
const metadataOfBasic = /<\?xml[^]*<\/recording>/.exec(basic)?.[0] ?? ''

let world: World
let server: SiprecServer

beforeEach(() => {
  world = new World()
  server = serverWith()
})

function serverWith(settings: Partial<SessionSettings> = {}): SiprecServer {
  return new SiprecServer(world.services, { streamSilentMs: 0, askWhenSilentMs: 0, srtp: 'accepted', ...settings })
}

interface Line {
  readonly port?: number
  readonly label?: string
  readonly direction?: string
  readonly ip?: string
  readonly formats?: string
  readonly media?: string
  readonly protocol?: string
}

function sdp(...lines: readonly Line[]): string {
  const media = lines.map(({ port = 49_170, label, direction = 'sendonly', ip = '192.0.2.9', ...more }) => {
    const { formats = '0 8', media = 'audio', protocol = 'RTP/AVP' } = more
    const named = label === undefined ? '' : `a=label:${label}\r\n`
    return `m=${media} ${port} ${protocol} ${formats}\r\nc=IN IP4 ${ip}\r\n${named}a=${direction}\r\n`
  })
  return `v=0\r\no=SRC 1 1 IN IP4 192.0.2.9\r\ns=-\r\nt=0 0\r\n${media.join('')}`
}

function request(method: string, body = '', contentType = 'application/sdp') {
  const head = [
    `${method} sip:recorder@example.com SIP/2.0`,
    'Via: SIP/2.0/TCP src.example.com;branch=z9hG4bK1',
    'From: "Desk 2000" <sip:2000@example.com>;tag=1',
    'To: <sip:recorder@example.com>',
    'Call-ID: rs-1@192.0.2.9',
    `CSeq: 1 ${method}`,
    'Require: siprec',
    ...(body === '' ? [] : [`Content-Type: ${contentType}`]),
    `Content-Length: ${Buffer.byteLength(body)}`,
  ]
  return readRequest(Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`))
}

const two = [{ label: '96' }, { label: '97', port: 49_172 }] as const

async function begin(offer = sdp(...two)): Promise<FakeInvite> {
  const invite = new FakeInvite(request('INVITE', offer))
  server.handle(invite)
  await invite.final
  return invite
}

function linesOf({ answer }: Response): readonly SdpMedia[] {
  const parsed = parseSdp(String(answer.body))
  assert.ok(parsed.ok)
  return parsed.description.media
}

const directionsOf = (response: Response) =>
  linesOf(response).map((line) => line.attributes.find(({ name }) => /^(recvonly|inactive)$/.test(name))?.name)
const portsOf = (response: Response) => linesOf(response).map(({ port }) => port)
const settle = () => new Promise((resolve) => setImmediate(resolve))

test('a session is a live call with a leg a stream, and its recording is named by the Call-ID', async () => {
  await begin()

  const [call] = world.live.list()
  assert.deepEqual(
    call?.snapshot().legs.map(({ role, state, label, codec }) => ({ role, state, label, codec })),
    [
      { role: 'stream', state: 'answered', label: '96', codec: 'PCMU' },
      { role: 'stream', state: 'answered', label: '97', codec: 'PCMU' },
    ],
  )
  assert.deepEqual(call?.snapshot().from, { uri: 'sip:2000@example.com', name: 'Desk 2000' })
  const [recording] = world.recordings.started
  assert.equal(recording?.options.name, 'rs-1@192.0.2.9')
  assert.deepEqual(
    recording?.tracks.map(({ label }) => label),
    ['96', '97'],
  )
  assert.deepEqual(
    world.facts.map(({ name }) => name),
    [
      'call.started',
      'leg.started',
      'leg.started',
      'call.answered',
      'leg.answered',
      'leg.encryption',
      'leg.answered',
      'leg.encryption',
    ],
  )
})

test('every offered payload type of speech is taken and listened for, first what becomes sound', async () => {
  const invite = await begin(
    sdp({
      formats:
        '18 8 0 9 96 101\r\na=rtpmap:101 telephone-event/8000\r\na=rtpmap:96 opus/48000/2\r\na=fmtp:96 sprop-stereo=1',
    }),
  )

  assert.deepEqual(linesOf(await invite.final)[0]?.formats, ['8', '0', '9', '96', '18', '101'])
  assert.deepEqual(
    world.media.ports[0]?.descriptions[0]?.receive.map(({ payloadType, encoding }) => [payloadType, encoding]),
    [
      [8, 'PCMA'],
      [0, 'PCMU'],
      [9, 'G722'],
      [96, 'opus'],
      [18, 'G729'],
      [101, 'telephone-event'],
    ],
  )
})

test('metadata names the people, and who called is on channel 0', async () => {
  const invite = new FakeInvite(readRequest(Buffer.from(basic, 'latin1')))
  server.handle(invite)
  await invite.final

  const snapshot = world.live.list()[0]?.snapshot()
  assert.deepEqual(snapshot?.from, { uri: 'sip:bob@biloxi.example.com', name: 'Bob' })
  assert.deepEqual(snapshot?.to, { uri: 'sip:paul@biloxi.example.com', name: 'Paul' })
  const [bob, paul] = snapshot?.legs ?? []
  const statedFromMs = Date.parse('2010-12-16T23:41:07Z')
  const heard = [{ fromMs: world.clock.wallMs(), statedFromMs }]
  assert.deepEqual(world.recordings.started[0]?.who, {
    participants: [
      { uri: 'sip:bob@biloxi.example.com', name: 'Bob', legId: bob?.id, label: '96', heard },
      { uri: 'sip:paul@biloxi.example.com', name: 'Paul', legId: paul?.id, label: '97', heard },
    ],
    channelOrder: [bob?.id, paul?.id],
  })
})

test('video and streams encrypted without a key are refused by port 0 in their place, the audio is recorded', async () => {
  const invite = await begin(
    sdp({ media: 'video', formats: '96' }, { label: '1' }, { protocol: 'RTP/SAVP' }, { formats: '96' }, { label: '2' }),
  )

  assert.deepEqual(
    portsOf(await invite.final).map((port) => port !== 0),
    [false, true, false, false, true],
  )
})

for (const [what, body, type, status] of [
  ['a multipart body without a boundary in it', 'nothing', 'multipart/mixed;boundary=x', 400],
  ['a session description that cannot be read', 'v=1\r\n', 'application/sdp', 400],
  ['a body of a type that is not read', '{}', 'application/json', 415],
  ['no stream that can be recorded', sdp({ formats: '96' }), 'application/sdp', 488],
  ['events alone', sdp({ formats: '101\r\na=rtpmap:101 telephone-event/8000' }), 'application/sdp', 488],
] as const) {
  test(`${what} is refused with ${status}, and nothing is left over`, async () => {
    const invite = new FakeInvite(request('INVITE', body, type))
    server.handle(invite)
    const { status: given, answer } = await invite.final
    await settle()

    assert.equal(given, status)
    assert.equal(answer.headers?.['Accept'] !== undefined, status === 415)
    assert.equal(world.live.size, 0)
    assert.deepEqual(
      world.told('call.ended').map(({ sipStatus }) => sipStatus),
      [status],
    )
    assert.ok(world.media.ports.every(({ closed }) => closed))
  })
}

test('no description is refused with 488 from who has to conform to RFC 7866', async () => {
  const invite = new FakeInvite(request('INVITE'))
  server.handle(invite, { terms: { dialect: 'rfc', tags: [] }, failed: () => {}, over: () => {} })
  assert.equal((await invite.final).status, 488)
})

test('a client that leaves the offer to us is offered two streams, and what it answers is recorded (RFC 3261 §13.2.2.4)', async () => {
  const invite = new FakeInvite(request('INVITE'))
  server.handle(invite)
  const lines = linesOf(await invite.final)
  assert.deepEqual(
    lines.map(({ attributes }) => attributes.find(({ name }) => /^(recvonly|sendonly)$/.test(name))?.name),
    ['recvonly', 'recvonly'],
  )
  assert.ok(lines[0]?.formats.includes('0') && lines[0].formats.includes('18'))
  assert.equal(world.media.ports[0]?.descriptions[0]?.remote, undefined)

  invite.dialog.emit('ack', request('ACK', sdp({ port: 40_000, formats: '0' }, { port: 0 })))
  await settle()
  assert.deepEqual(world.media.ports[0]?.descriptions.at(-1)?.remote, {
    ip: '192.0.2.9',
    rtpPort: 40_000,
    rtcpPort: 40_001,
  })
  assert.deepEqual(
    world.media.ports.map(({ closed }) => closed),
    [false, true],
  )
})

test('without a free port for each stream the session is refused with 503, to be tried again', async () => {
  world.media.limit = 1
  const invite = await begin()
  await settle()

  const { status, answer } = await invite.final
  assert.equal(status, 503)
  assert.ok(Number(answer.headers?.['Retry-After']) > 0)
  assert.ok(world.media.ports.every(({ closed }) => closed))
  assert.equal(world.recordings.started.length, 0)
  assert.deepEqual(
    world.facts.map(({ name }) => name),
    ['call.started', 'call.ended', 'call.traced'],
  )
})

test('a description without c= and t= lines is recorded: the source is learned from the packets', async () => {
  const bare = 'v=0\r\no=- 1 0 IN IP4 0.0.0.0\r\ns=-\r\nm=audio 35011 RTP/AVP 0 8\r\na=label:0\r\na=sendonly\r\n'
  const invite = await begin(bare)

  assert.deepEqual(directionsOf(await invite.final), ['recvonly'])
  assert.equal(world.media.ports[0]?.descriptions[0]?.remote, undefined)
  assert.equal(world.media.ports[0]?.descriptions[0]?.receive.length, 2)
})

test('pause by inactive: the answer is inactive and nothing is listened for until it resumes', async () => {
  const invite = await begin()
  const paused = await invite.dialog.receive(
    request('INVITE', sdp({ ...two[0], direction: 'inactive' }, { ...two[1], direction: 'inactive' })),
  )
  assert.deepEqual(directionsOf(paused), ['inactive', 'inactive'])
  assert.deepEqual(world.media.ports[0]?.descriptions.at(-1)?.receive, [])

  const resumed = await invite.dialog.receive(request('UPDATE', sdp(...two)))
  assert.deepEqual(directionsOf(resumed), ['recvonly', 'recvonly'])
  assert.equal(world.media.ports[0]?.descriptions.at(-1)?.receive.length, 2)
  assert.deepEqual(portsOf(resumed), portsOf(await invite.final))
  assert.deepEqual(world.recordings.started[0]?.endedLegs, [])
})

test('what the client pauses is marked: all of it as a pause, one side as muted, and what goes on is told (M8)', async () => {
  const invite = await begin()
  const orders = () => world.recordings.started[0]?.orders.splice(0)
  const [first, second] = world.recordings.started[0]?.tracks ?? []
  orders()
  const inactive = two.map((line) => ({ ...line, direction: 'inactive' }))
  await invite.dialog.receive(request('INVITE', sdp(...inactive)))
  assert.ok(orders()?.includes('pause recording signalling'))
  await invite.dialog.receive(request('INVITE', sdp(two[0], { ...two[1], direction: 'inactive' })))
  const then = orders() ?? []
  assert.ok(then.includes('resume recording signalling') && then.includes(`mute ${second?.legId} signalling`))
  assert.ok(!then.includes(`mute ${first?.legId} signalling`))
})

test('a stream is paused by zeros for its address too, until the address comes back; its port goes nowhere (RFC 3264 §8.4)', async () => {
  const invite = await begin()
  const [recording] = world.recordings.started
  assert.ok(recording)
  const muted = recording.tracks[0]?.legId
  const held = await invite.dialog.receive(request('INVITE', sdp({ ...two[0], ip: '0.0.0.0' }, two[1])))
  assert.equal(held.status, 200)
  const last = world.media.ports[0]?.descriptions.at(-1)
  assert.equal(last?.remote?.ip, '192.0.2.9')
  assert.ok(recording.orders.includes(`mute ${muted} signalling`))
  assert.ok(!recording.orders.includes('pause recording signalling'))

  recording.orders.length = 0
  await invite.dialog.receive(request('INVITE', sdp(...two)))
  assert.ok(recording.orders.includes(`unmute ${muted} signalling`))
})

/** The last order to the recording as a whole. */
const pauseOrResume = () => world.recordings.started[0]?.orders.findLast((order) => / recording /.test(order))
const vendorMessage = (name: string, change = (text: string) => text) => {
  const file = join(import.meta.dirname, '..', '..', 'test', 'data', 'siprec', 'vendors', `${name}.sip`)
  return readRequest(Buffer.from(change(readFileSync(file, 'latin1').replace('@TOTAG@', 'ours')), 'latin1'))
}

test('hold of BroadWorks, a re-INVITE of zeros alone, pauses; metadata alone changes nothing; the address resumes', async () => {
  const invite = new FakeInvite(vendorMessage('broadworks.1'))
  server.handle(invite)
  await invite.final
  assert.equal(pauseOrResume(), 'resume recording signalling')
  await invite.dialog.receive(vendorMessage('broadworks.2'))
  assert.equal(pauseOrResume(), 'pause recording signalling')
  await invite.dialog.receive(vendorMessage('broadworks.3'))
  assert.equal(pauseOrResume(), 'pause recording signalling')
  const back = vendorMessage('broadworks.2', (text) =>
    text.replace('322', '328').replaceAll('IN IP4 0.0.0.0', 'IN IP4 192.0.2.50'),
  )
  assert.equal((await invite.dialog.receive(back)).status, 200)
  assert.equal(pauseOrResume(), 'resume recording signalling')
})

test('hold of Metaswitch, zeros at a new port, pauses its one stream until its address comes back', async () => {
  const invite = new FakeInvite(vendorMessage('metaswitch.1'))
  server.handle(invite)
  await invite.final
  const told: (string | undefined)[] = []
  for (const name of ['metaswitch.2', 'metaswitch.3']) {
    await invite.dialog.receive(vendorMessage(name))
    told.push(pauseOrResume())
  }
  assert.deepEqual(told, ['pause recording signalling', 'resume recording signalling'])
  assert.equal(world.media.ports[0]?.descriptions.at(-1)?.remote?.rtpPort, 30_010)
})

test('zeros from the first offer on are no pause: the client never said where it sends from', async () => {
  const zeros = two.map((line) => ({ ...line, ip: '0.0.0.0' }))
  const invite = await begin(sdp(...zeros))
  await invite.dialog.receive(request('INVITE', sdp(...zeros)))
  assert.equal(pauseOrResume(), 'resume recording signalling')
})

test('a stream that moves to another port is expected there, the other where it was', async () => {
  const invite = await begin()
  await invite.dialog.receive(request('UPDATE', sdp({ ...two[0], port: 50_000 }, two[1])))

  const [moved, kept] = world.media.ports.map(({ descriptions }) => descriptions.at(-1))
  assert.equal(moved?.remote?.rtpPort, 50_000)
  assert.equal(kept?.remote?.rtpPort, two[1]?.port)
})

test('a stream taken away is closed and refused by port 0, one added is recorded too', async () => {
  const invite = await begin()
  const answer = await invite.dialog.receive(
    request('INVITE', sdp({ ...two[0], port: 0 }, two[1], { label: '98', port: 49_174 })),
  )
  await settle()

  assert.deepEqual(portsOf(answer), [0, 20_002, 20_004])
  assert.deepEqual(
    world.media.ports.map(({ closed }) => closed),
    [true, false, false],
  )
  const [recording] = world.recordings.started
  assert.deepEqual(recording?.endedLegs, [recording?.tracks[0]?.legId])
  assert.deepEqual(
    recording?.tracks.map(({ label }) => label),
    ['96', '97', '98'],
  )
  assert.deepEqual(
    world.told('leg.ended').map(({ legId }) => legId),
    recording?.endedLegs,
  )
})

test('a stream for which no port is free is refused, the session goes on', async () => {
  world.media.limit = 2
  const invite = await begin()
  const answer = await invite.dialog.receive(request('INVITE', sdp(...two, { label: '98' })))

  assert.deepEqual(portsOf(answer), [20_000, 20_002, 0])
})

test('metadata alone changes who is named, and is answered without a description to an UPDATE', async () => {
  const invite = await begin()
  const answer = await invite.dialog.receive(request('UPDATE', metadataOfBasic, 'application/rs-metadata+xml'))

  assert.equal(answer.status, 200)
  assert.equal(answer.answer.body, undefined)
  const [updated] = world.told('siprec.metadata-updated')
  assert.deepEqual(
    updated?.participants.map(({ name, label }) => [name, label]),
    [
      ['Bob', '96'],
      ['Paul', '97'],
    ],
  )
  assert.equal(updated?.raw, metadataOfBasic)
  assert.equal(world.live.list()[0]?.snapshot().from.name, 'Bob')
})

test('metadata that cannot be read is told with its problems and changes nothing else', async () => {
  const invite = await begin()
  const answer = await invite.dialog.receive(request('UPDATE', '<!DOCTYPE x []><x/>', 'application/rs-metadata+xml'))

  assert.equal(answer.status, 200)
  assert.deepEqual(world.told('siprec.metadata-updated')[0]?.problems[0], 'a DTD is not read')
  assert.equal(world.live.size, 1)
})

for (const [what, document] of [
  ['no XML', 'hello'],
  ['an entity', '<!DOCTYPE r [<!ENTITY a SYSTEM "file:///etc/passwd">]><recording>&a;</recording>'],
  [
    'a raw & and an end tag that is missing',
    metadataOfBasic.replace('sip:bob@', 'sip:bob&co@').replace('</participant>', ''),
  ],
  [
    'an id used twice',
    metadataOfBasic.replace('</recording>', '<stream stream_id="x"/><stream stream_id="x"/></recording>'),
  ],
  ['bytes that are no UTF-8', metadataOfBasic.replace('Paul', 'P\u00e4ul')],
  ['more than a megabyte', metadataOfBasic.replace('</recording>', `<!--${'x'.repeat(1_048_576)}--></recording>`)],
] as const) {
  test(`broken metadata never costs audio: ${what}`, async () => {
    const body = [
      '--b\r\nContent-Type: application/sdp\r\n',
      sdp(...two),
      '--b\r\nContent-Type: application/rs-metadata+xml\r\n',
      document,
      '--b--\r\n',
    ].join('\r\n')
    const { headers } = request('INVITE', 'x', 'multipart/mixed;boundary=b')
    const invite = new FakeInvite({ ...request('INVITE'), headers, body: Buffer.from(body, 'latin1') })
    server.handle(invite)

    assert.equal((await invite.final).status, 200)
    assert.equal(world.recordings.started[0]?.tracks.length, 2)
    const [told] = world.told('siprec.metadata-updated')
    assert.ok((told?.problems.length ?? 0) > 0)
    assert.equal(told?.raw, document.slice(0, 1_048_576), 'kept as it came')
  })
}

test('a request with nothing in it refreshes: an INVITE gets our offer, an UPDATE only a 200', async () => {
  const invite = await begin()
  const again = await invite.dialog.receive(request('INVITE'))
  assert.deepEqual(portsOf(again), [20_000, 20_002])
  assert.deepEqual(directionsOf(again), ['recvonly', 'recvonly'])

  // The client's answer comes with the ACK.
  invite.dialog.emit('ack', request('ACK', sdp({ ...two[0], port: 50_002 }, two[1])))
  await settle()
  assert.equal(world.media.ports[0]?.descriptions.at(-1)?.remote?.rtpPort, 50_002)

  assert.equal((await invite.dialog.receive(request('UPDATE'))).answer.body, undefined)
})

test('a change that cannot be read is refused and changes nothing', async () => {
  const invite = await begin()
  const refused = await invite.dialog.receive(request('INVITE', 'v=1\r\n'))

  assert.equal(refused.status, 400)
  assert.ok(world.media.ports.every(({ closed }) => !closed))
  assert.equal((await invite.dialog.receive(request('UPDATE', sdp(...two)))).status, 200)
})

test('changes that come together are answered in their order, each upon the last', async () => {
  const invite = await begin()
  const [first, second] = await Promise.all([
    invite.dialog.receive(request('INVITE', sdp(...two, { label: '98' }))),
    invite.dialog.receive(request('UPDATE', sdp({ ...two[0], port: 0 }, two[1], { label: '98' }))),
  ])
  assert.deepEqual(portsOf(first), [20_000, 20_002, 20_004])
  assert.deepEqual(portsOf(second), [0, 20_002, 20_004])
})

test('BYE ends it: ports closed, recording stopped, each fact once', async () => {
  const invite = await begin()
  invite.dialog.receiveBye()
  invite.dialog.receiveBye()
  await settle()

  assert.equal(world.live.size, 0)
  assert.ok(world.recordings.started[0]?.stopped)
  assert.ok(world.media.ports.every(({ closed }) => closed))
  assert.deepEqual(
    world.facts.slice(8).map(({ name }) => name),
    ['leg.ended', 'leg.ended', 'call.ended', 'call.traced'],
  )
  assert.equal(world.told('call.ended')[0]?.reason, 'hangup')
  assert.deepEqual(invite.dialog.sent, [])
})

test('CANCEL while ports are being opened leaves nothing open', async () => {
  const invite = new FakeInvite(request('INVITE', sdp(...two)))
  server.handle(invite)
  invite.cancel()
  await settle()

  assert.equal(world.live.size, 0)
  assert.equal(world.recordings.started.length, 0)
  assert.equal(world.told('call.ended')[0]?.reason, 'cancelled')
  assert.deepEqual(invite.responses, [])
  assert.ok(world.media.ports.every(({ closed }) => closed))
})

test('an answer that is never acknowledged ends the session', async () => {
  const invite = await begin()
  invite.dialog.emit('ended', { by: 'no-ack' })
  await settle()

  assert.equal(world.live.size, 0)
  assert.equal(world.told('call.ended')[0]?.reason, 'failed')
})

test('the clean stop sends BYE and waits for the files', async () => {
  const invite = await begin()
  await world.live.endAll('shutdown')

  assert.deepEqual(invite.dialog.sent, ['BYE'])
  assert.ok(world.recordings.started[0]?.stopped)
  assert.deepEqual(
    world.told('call.ended').map(({ reason }) => reason),
    ['shutdown'],
  )
})

test('a media worker that dies ends its sessions, whose files are kept', async () => {
  await begin()
  world.media.loseWorker()
  await settle()

  assert.equal(world.live.size, 0)
  assert.equal(world.told('call.ended')[0]?.reason, 'media-lost')
  assert.ok(world.recordings.started[0]?.stopped)
})

test('a silent stream ends nothing', async () => {
  await begin()
  world.media.ports[0]?.emit('inactive', { idleMs: 60_000 })
  await settle()

  assert.equal(world.live.size, 1)
})

test('when all streams are silent the client is asked; only one that is gone ends the session', async () => {
  server = serverWith({ askWhenSilentMs: 300_000 })
  const invite = await begin()
  const silent = (idleMs: number) => {
    for (const port of world.media.ports) port.idleMs = idleMs
  }
  const pass = async () => {
    world.clock.advance(300_000)
    await settle()
  }

  silent(300_000)
  for (const port of world.media.ports.slice(0, 1)) port.idleMs = 20
  await pass()
  assert.deepEqual(invite.dialog.sent, [])

  silent(300_000)
  await pass()
  assert.deepEqual(invite.dialog.sent, ['OPTIONS'])
  assert.equal(world.live.size, 1)

  invite.dialog.answersWith = 408
  await pass()
  assert.equal(world.live.size, 0)
  assert.equal(world.told('call.ended')[0]?.reason, 'media-timeout')
})

test('digits and the first packet of a stream are told', async () => {
  await begin()
  world.media.ports[1]?.emit('media-started', { source: '192.0.2.9:49172', codec: 'PCMU' })
  world.media.ports[1]?.emit('digit', { digit: '5', durationMs: 100 })

  const legId = world.live.list()[0]?.snapshot().legs[1]?.id
  assert.equal(world.told('leg.media-started')[0]?.legId, legId)
  assert.equal(world.told('leg.digit')[0]?.digit, '5')
})

test('how well a stream is heard is told, shown while it lives, and kept with its end', async () => {
  await begin()
  const heard = { ...goodQuality, verdicts: [{ code: 'high-loss', about: '5.0 %' }] } as const
  world.media.ports[1]?.emit('quality', heard)

  const [live] = world.live.list()
  const leg = live?.snapshot().legs[1]
  assert.equal(world.told('leg.quality')[0]?.legId, leg?.id)
  assert.deepEqual(world.told('leg.quality')[0]?.quality, leg?.quality)
  assert.deepEqual(
    leg?.quality?.verdicts.map(({ code }) => code),
    ['high-loss'],
  )
})

const withKey = (offer: string): string =>
  offer
    .replaceAll('RTP/AVP', 'RTP/SAVP')
    .replaceAll(
      /(a=label:\d+)/g,
      `$1\r\na=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:${Buffer.alloc(30, 5).toString('base64')}`,
    )

test('an encrypted stream is recorded, and answered with a key of its own (RFC 7866 §12.1)', async () => {
  const { final } = await begin(withKey(sdp({ label: '1' }, { label: '2' })))
  const answer = await final
  const keys = String(answer.answer.body).match(/a=crypto:3 AES_CM_128_HMAC_SHA1_80 inline:\S{40}/g)
  assert.equal(new Set(keys).size, 2)
  for (const port of world.media.ports) {
    const srtp = port.descriptions.at(-1)?.srtp
    assert.ok(typeof srtp === 'object' && 'receive' in srtp)
    assert.deepEqual(srtp.receive.master, new Uint8Array(30).fill(5))
  }
})

test('a stream with keys by DTLS is recorded, and answered with our certificate (RFC 5763)', async () => {
  const offer = sdp({ label: '1', protocol: 'UDP/TLS/RTP/SAVP' }, { label: '2', protocol: 'UDP/TLS/RTP/SAVP' })
  const { final } = await begin(
    offer.replace('t=0 0\r\n', 't=0 0\r\na=fingerprint:sha-256 11:22\r\na=setup:actpass\r\n'),
  )
  const answer = await final
  assert.equal(String(answer.answer.body).match(/a=setup:passive\r\na=fingerprint:sha-256 AB:CD\r\n/g)?.length, 2)
  const terms = { side: 'server', fingerprints: [{ hash: 'sha-256', value: '11:22' }] }
  assert.deepEqual(
    world.media.ports.map((port) => port.descriptions.at(-1)?.srtp),
    [terms, terms],
  )
})

test('streams say how they are encrypted; a session whose every handshake failed ends, and says why', async () => {
  const offer = sdp({ label: '1', protocol: 'UDP/TLS/RTP/SAVP' }, { label: '2', protocol: 'UDP/TLS/RTP/SAVP' })
  const invite = await begin(offer.replace('t=0 0\r\n', 't=0 0\r\na=fingerprint:sha-256 11:22\r\na=setup:actpass\r\n'))
  const told = () =>
    world.facts.flatMap((fact) => (fact.name === 'leg.encryption' ? [fact.suite ?? fact.encryption] : []))
  const [first, second] = world.media.ports
  first?.emit('secured', { suite: 'AEAD_AES_128_GCM' })
  assert.deepEqual(told(), ['dtls', 'dtls', 'AEAD_AES_128_GCM'])
  second?.emit('handshake-failed', { why: 'no answer' })
  world.clock.advance(10_000)
  assert.equal(world.live.size, 1, 'the other one is recorded')
  first?.emit('handshake-failed', { why: 'no answer' })
  world.clock.advance(10_000)
  await settle()
  assert.equal(world.live.size, 0)
  const ended = world.facts.find(({ name }) => name === 'call.ended')
  assert.equal(ended?.name === 'call.ended' && ended.reason, 'encryption-failed')
  assert.ok(invite)
})

test('where encryption is mandatory a plain session is refused with 488', async () => {
  server = serverWith({ srtp: 'mandatory' })
  const invite = await begin(sdp({ label: '1' }))
  assert.equal((await invite.final).status, 488)
  await settle()
  assert.equal(world.told('call.ended')[0]?.reason, 'encryption-failed')
})

/** Races: what comes while something else is under way (M10). */
test('BYE during an update: the update is refused or answered, everything is closed, and each end told once', async () => {
  const invite = await begin()
  const update = invite.dialog.receive(request('INVITE', sdp(...two, { label: '98', port: 49_174 })))
  invite.dialog.receiveBye()
  await Promise.race([update, settle()])
  await settle()
  assert.equal(world.live.size, 0)
  assert.ok(world.media.ports.every(({ closed }) => closed))
  assert.equal(world.told('call.ended').length, 1)
  assert.equal(world.recordings.started[0]?.stopped, true)
})

test('an update that comes while another is handled builds on it; metadata alone does not undo its streams', async () => {
  const invite = await begin()
  const added = invite.dialog.receive(request('INVITE', sdp(...two, { label: '98', port: 49_174 })))
  const named = invite.dialog.receive(request('UPDATE', metadataOfBasic, 'application/rs-metadata+xml'))
  assert.deepEqual([(await added).status, (await named).status], [200, 200])
  assert.equal(world.live.list()[0]?.snapshot().legs.length, 3)
})

test('the end by the API during the beginning leaves nothing open', async () => {
  const invite = new FakeInvite(request('INVITE', sdp(...two)))
  server.handle(invite)
  await world.live.endAll('shutdown')
  await settle()
  await world.live.endAll('shutdown')
  await settle()
  assert.ok(world.media.ports.every(({ closed }) => closed))
  assert.equal(world.live.size, 0)
})

test('a session ends when its longest duration is over, by the header of its client or by the setting', async () => {
  server = serverWith({ maxDurationMs: 60_000 })
  const invite = await begin()
  world.clock.advance(59_999)
  assert.equal(world.live.size, 1)
  world.clock.advance(1)
  await settle()
  assert.deepEqual(
    world.told('call.ended').map(({ reason }) => reason),
    ['limit'],
  )
  assert.deepEqual(invite.dialog.sent, ['BYE'])
})

test('partial metadata that names nobody who is known is asked for in full, once at a time and not for ever (RFC 7866 §9.2)', async () => {
  const partial = `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>partial</datamode>
    <participantstreamassoc participant_id="nobody"><send>x</send></participantstreamassoc></recording>`
  const invite = new FakeInvite(withAllow(request('INVITE', sdp(...two))))
  server.handle(invite)
  await invite.final
  for (let times = 0; times < 20; times++) {
    await invite.dialog.receive(request('UPDATE', partial, 'application/rs-metadata+xml'))
    await invite.dialog.receive(request('UPDATE', partial, 'application/rs-metadata+xml'))
    world.clock.advance(10_000)
    await settle()
  }
  assert.deepEqual(
    invite.dialog.sent,
    Array.from({ length: 5 }, () => 'UPDATE'),
  )
})

function withAllow(invite: ReturnType<typeof request>): typeof invite {
  invite.headers.set('Allow', 'INVITE, ACK, BYE, UPDATE')
  return invite
}
