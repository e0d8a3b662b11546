/** The recording client against a recording server of the test's own: real SIP over loopback, media that are written down. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { usualRules } from '../../call/codec-rules.ts'
import type { SentTrack } from '../../call/services.ts'
import { systemClock } from '../../core/clock.ts'
import { FakeClock } from '../../core/fake-clock.ts'
import { silentLogger } from '../../core/logger.ts'
import { FactBus } from '../../events/bus.ts'
import type { Fact } from '../../events/catalogue.ts'
import { FakeMedia, type FakePort } from '../../media/test-support.ts'
import { pcma, pcmu, telephoneEvent } from '../../sdp/media.ts'
import { parseSdp } from '../../sdp/parse.ts'
import type { SdpMedia } from '../../sdp/types.ts'
import { leafParts, parseMultipart } from '../../sip/message/multipart.ts'
import type { SipRequest } from '../../sip/message/types.ts'
import { createSipStack } from '../../sip/stack.ts'
import type { Dialog, IncomingInvite, SipStack } from '../../sip/stack.types.ts'
import { parseMetadata } from '../metadata/document/read.ts'
import { RecordingSender } from './sender.ts'
import { type RecordingServer, RecordingServers } from './servers.ts'

/** A recording server that does as it is told. */
class Recorder {
  readonly stack: SipStack
  readonly invites: SipRequest[] = []
  /** Re-INVITEs. */
  readonly changes: SipRequest[] = []
  dialog: Dialog | undefined
  ended = 0
  /** Refuses with it; takes the call when it is undefined. */
  refuses: number | undefined
  /** What it answers to an offer. */
  answer: (offer: string) => string = (offer) => answered(offer)

  constructor(stack: SipStack) {
    this.stack = stack
    stack.on('invite', (invite) => this.#take(invite))
  }

  get uri(): string {
    const at = this.stack.listening[0]
    return `sip:recorder@127.0.0.1:${at?.port};transport=tcp`
  }

  #take(invite: IncomingInvite): void {
    this.invites.push(invite.request)
    if (this.refuses !== undefined) return invite.reject(this.refuses)
    const dialog = invite.answer({ contentType: 'application/sdp', body: this.answer(sdpIn(invite.request)) })
    this.dialog = dialog
    dialog.on('ended', () => this.ended++)
    dialog.on('request', (incoming) => {
      if (incoming.request.method === 'INVITE') this.changes.push(incoming.request)
      incoming.respond(200, { contentType: 'application/sdp', body: this.answer(sdpIn(incoming.request)) })
    })
  }
}

const stackOf = () =>
  createSipStack({
    clock: systemClock,
    log: silentLogger,
    listen: [{ transport: 'tcp', ip: '127.0.0.1', port: 0 }],
    supported: ['siprec'],
  })

/** Each m-line of an offer taken as `recvonly`, but for those of `refused`. */
function answered(offer: string, refused: readonly number[] = [], direction = 'recvonly'): string {
  const lines = linesOf(offer).map(({ formats, protocol, attributes }, index) => {
    const label = attributes.find(({ name }) => name === 'label')?.value ?? ''
    const port = refused.includes(index) ? 0 : 40_000 + 2 * index
    return `m=audio ${port} ${protocol} ${formats[0]}\r\na=${direction}\r\na=label:${label}\r\n`
  })
  return `v=0\r\no=- 7 ${Math.floor(performance.now())} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n${lines.join('')}`
}

function partsOf({ headers, body }: SipRequest) {
  return leafParts(parseMultipart(headers.get('Content-Type') ?? '', body) ?? [])
}

const sdpIn = (request: SipRequest): string =>
  Buffer.from(partsOf(request).find(({ contentType }) => contentType.type === 'application/sdp')?.body ?? '').toString()

function metadataIn(request: SipRequest | undefined) {
  assert.ok(request)
  const part = partsOf(request).find(({ contentType }) => contentType.type === 'application/rs-metadata+xml')
  assert.equal(part?.headers.get('Content-Disposition'), 'recording-session')
  return parseMetadata(part?.body ?? new Uint8Array())
}

function linesOf(sdp: string): readonly SdpMedia[] {
  const parsed = parseSdp(sdp)
  assert.ok(parsed.ok)
  return parsed.description.media
}

const directions = (request: SipRequest | undefined): readonly (string | undefined)[] =>
  linesOf(request ? sdpIn(request) : '').map(
    ({ attributes }) => attributes.find(({ name }) => /^(sendonly|inactive|sendrecv|recvonly)$/.test(name))?.name,
  )

async function until<Value>(what: string, look: () => Value | undefined | false): Promise<Value> {
  for (let turns = 0; turns < 2_000; turns++) {
    const seen = look()
    if (seen !== undefined && seen !== false) return seen
    await new Promise((resolve) => setImmediate(resolve))
    if (turns % 10 === 9) await new Promise((resolve) => setTimeout(resolve, 2))
  }
  throw new Error(`waited for ${what}`)
}

async function room(t: TestContext, change: Partial<RecordingServer> = {}) {
  const [stack, first, second] = await Promise.all([stackOf(), stackOf(), stackOf()])
  t.after(() => Promise.all([stack.close(), first.close(), second.close()]))
  const [main, spare] = [new Recorder(first), new Recorder(second)]
  const clock = new FakeClock()
  const bus = new FactBus()
  const facts: Fact[] = []
  bus.onAny((fact) => facts.push(fact))
  const media = new FakeMedia()
  const servers = new RecordingServers({
    servers: [
      { name: 'main', uri: main.uri, srtp: 'none', qualifyMs: 0, ...change },
      { name: 'spare', uri: spare.uri, srtp: 'none', qualifyMs: 0 },
    ],
    clock,
    log: silentLogger,
    bus,
    ownHost: () => '127.0.0.1',
  })
  t.after(() => servers.close())
  const services = { clock, stack, bus, log: silentLogger, advertisedIp: () => '127.0.0.1' }
  const sender = new RecordingSender({ services, servers, codecs: () => usualRules })
  const session = media.openSession('call')
  const flows = new Map<string, { sends: boolean; hears: boolean }>()
  async function track(role: 'caller' | 'callee', number: string): Promise<SentTrack> {
    const port = await session.openPort()
    return {
      port,
      legId: `leg-${number}`,
      role,
      party: { uri: `sip:${number}@example.com`, name: `Phone <${number}>`, extension: number },
      sipCallId: `call-id-${number}`,
      formats: () => [pcmu, telephoneEvent],
      flow: () => flows.get(number) ?? { sends: true, hears: true },
    }
  }
  const [alice, bob] = [await track('caller', '101'), await track('callee', '102')]
  const begin = (to: readonly string[] = ['main']) =>
    sender.start({ callId: 'call', media: session, tracks: [alice, bob], to })
  const named = (name: Fact['name']) => facts.filter((fact) => fact.name === name)
  /** The ports that send: opened after those of the two parties. */
  const copies = (): readonly FakePort[] => media.ports.slice(2).filter(({ options }) => !options.recordedLater)
  return { main, spare, clock, bus, facts, named, media, sender, flows, track, alice, bob, begin, copies }
}

test('the INVITE asks for a recording session: a labelled stream for each side, and who they are (RFC 7866 §6.1, §7.1)', async (t) => {
  const { main, begin, named, copies, media } = await room(t)
  const sent = begin()
  await until('the session', () => named('srs.started').length > 0)
  const [invite] = main.invites
  assert.ok(invite)
  assert.equal(invite.headers.get('Require'), 'siprec')
  assert.match(invite.headers.get('Contact') ?? '', /;\+sip\.src/)
  const lines = linesOf(sdpIn(invite))
  assert.deepEqual(directions(invite), ['sendonly', 'sendonly'])
  assert.deepEqual(
    lines.map(({ attributes }) => attributes.find(({ name }) => name === 'label')?.value),
    ['1', '2'],
  )
  assert.deepEqual(lines[0]?.formats, ['0', '8', '101'], 'the codec of the call first, what all servers know behind it')
  const { mode, participants, streams, sending, problems, sessions } = metadataIn(invite)
  assert.deepEqual([mode, problems], ['complete', []])
  assert.deepEqual(
    [...sessions.values()].map(({ sipSessionIds }) => sipSessionIds ?? []),
    [[]],
    'none of RFC 7989',
  )
  const [one, two] = [...streams.values()]
  assert.deepEqual([one?.label, two?.label], ['1', '2'])
  assert.deepEqual(
    Array.from(participants.values(), ({ id, uris, names }) => [
      uris[0],
      names[0]?.text,
      sending.get(id)?.send,
      sending.get(id)?.receive,
    ]),
    [
      ['sip:101@example.com', 'Phone <101>', [one?.id], [two?.id]],
      ['sip:102@example.com', 'Phone <102>', [two?.id], [one?.id]],
    ],
  )
  const [first] = copies()
  const { remote, receive, send } = first?.descriptions.at(-1) ?? {}
  assert.deepEqual(remote, { ip: '127.0.0.1', rtpPort: 40_000, rtcpPort: 40_001 })
  assert.deepEqual([receive, send?.map(({ encoding }) => encoding)], [[], ['PCMU']])
  assert.deepEqual(media.copies, ['port-20000 by port-20004', 'port-20002 by port-20006'])
  await sent.stop()
  await until('the BYE', () => main.ended === 1)
  assert.deepEqual(
    named('srs.ended').map((fact) => 'reason' in fact && fact.reason),
    ['stopped'],
  )
  assert.ok(copies().every(({ closed }) => closed))
})

test('a server that takes one stream gets that one alone', async (t) => {
  const { main, begin, named, media } = await room(t)
  main.answer = (offer) => answered(offer, [0])
  const sent = begin()
  await until('the session', () => named('srs.started').length > 0)
  assert.deepEqual(media.copies, ['port-20002 by port-20006'])
  await sent.stop()
})

test('a server that takes no stream, or none that is encrypted as it must be, is left for the next', async (t) => {
  const { main, spare, begin, named } = await room(t, { srtp: 'mandatory' })
  const sent = begin(['main|spare'])
  await until('the session', () => named('srs.started').length > 0)
  assert.match(sdpIn(main.invites[0] as SipRequest), /m=audio \d+ RTP\/SAVP [^]*a=crypto:1 /)
  assert.equal(spare.invites.length, 1)
  assert.deepEqual(
    named('srs.refused').map((fact) => 'text' in fact && fact.text),
    ['it took no stream'],
  )
  await until('the BYE to the first', () => main.ended === 1)
  assert.deepEqual(sent.status(), [{ servers: ['main', 'spare'], server: 'spare' }])
  await sent.stop()
})

for (const status of [420, 488, 503])
  test(`a server that answers ${status} leaves the call to the next of its list`, async (t) => {
    const { main, begin, named } = await room(t)
    main.refuses = status
    const sent = begin(['main|spare'])
    await until('the session', () => named('srs.started').length > 0)
    assert.deepEqual(sent.status(), [{ servers: ['main', 'spare'], server: 'spare' }])
    assert.deepEqual(
      named('srs.down').map((fact) => 'server' in fact && fact.server),
      status === 503 ? ['main'] : [],
    )
    await sent.stop()
  })

test('of two lists each has the call at the same time', async (t) => {
  const { begin, main, spare } = await room(t)
  const sent = begin(['main', 'spare'])
  await until('both', () => main.dialog && spare.dialog)
  await until('both begun', () => sent.status().every(({ server }) => server !== undefined))
  await sent.stop()
  await until('both ended', () => main.ended + spare.ended === 2)
})

test('when all refuse, the list is begun again four times, and then it is told that the call is recorded by none', async (t) => {
  const { main, spare, begin, named, clock, sender } = await room(t)
  main.refuses = 603
  spare.refuses = 480
  begin(['main|spare'])
  for (const [round, pauseMs] of [2_000, 5_000, 15_000, 30_000].entries()) {
    await until(`round ${round}`, () => named('srs.refused').length === 2 * (round + 1))
    await until('the pause', () => clock.pendingTimers > 0)
    clock.advance(pauseMs)
  }
  await until('the end', () => named('srs.failed').length === 1)
  assert.equal(main.invites.length, 5)
  assert.equal(sender.of('call'), undefined)
})

test('a server that ends the session is asked again after a pause', async (t) => {
  const { main, begin, named, clock } = await room(t)
  const sent = begin()
  await until('the session', () => named('srs.started').length === 1)
  await main.dialog?.bye()
  await until('the end', () => named('srs.ended').length === 1)
  assert.deepEqual(
    named('srs.ended').map((fact) => 'reason' in fact && fact.reason),
    ['by-server'],
  )
  await until('the pause', () => clock.pendingTimers > 0)
  clock.advance(2_000)
  await until('another', () => named('srs.started').length === 2)
  await sent.stop()
})

test('a pause takes effect at once, and is told; what the server hears goes on with the same numbers', async (t) => {
  const { main, begin, named, copies, sender } = await room(t)
  const sent = begin()
  await until('the session', () => named('srs.started').length === 1)
  sender.pause('call', true)
  for (const port of copies()) assert.deepEqual(port.descriptions.at(-1)?.send, [])
  await until('the re-INVITE', () => main.changes.length === 1)
  assert.deepEqual(directions(main.changes[0]), ['inactive', 'inactive'])
  sender.pause('call', false)
  await until('another', () => main.changes.length === 2)
  assert.deepEqual(directions(main.changes[1]), ['sendonly', 'sendonly'])
  await until('its answer', () => copies().every(({ descriptions }) => descriptions.at(-1)?.send.length === 1))
  await sent.stop()
})

test('a pause of the recording here pauses it there', async (t) => {
  const { begin, named, bus, sender } = await room(t)
  const sent = begin()
  await until('the session', () => named('srs.started').length === 1)
  const stamp = { atMs: 1, callId: 'call', recordingId: 'r', by: 'digits' } as const
  bus.publish({ name: 'recording.paused', ...stamp, what: 'transcription' })
  assert.equal(sender.of('call')?.paused, false)
  bus.publish({ name: 'recording.paused', ...stamp, what: 'both' })
  assert.equal(sender.of('call')?.paused, true)
  bus.publish({ name: 'recording.resumed', ...stamp, what: 'recording', pausedMs: 1 })
  assert.equal(sender.of('call')?.paused, false)
  await sent.stop()
})

test('a call that is sent to a server in the middle of a pause sends nothing until everybody who paused resumes', async (t) => {
  const { main, spare, begin, named, bus, sender, copies } = await room(t)
  const stamp = { atMs: 1, callId: 'call', recordingId: 'r', by: 'api', what: 'recording' } as const
  bus.publish({ name: 'recording.paused', ...stamp })
  const first = begin()
  await until('the session', () => named('srs.started').length === 1)
  assert.deepEqual(directions(main.invites[0]), ['inactive', 'inactive'])
  sender.pause('call', true, 'wish')
  sender.pause('call', false, 'wish')
  sender.pause('call', true)
  await first.stop()
  const second = begin(['spare'])
  await until('the other session', () => named('srs.started').length === 2)
  bus.publish({ name: 'recording.resumed', ...stamp, pausedMs: 1 })
  assert.deepEqual(directions(spare.invites[0]), ['inactive', 'inactive'])
  assert.ok(copies().every(({ descriptions }) => descriptions.every(({ send }) => send.length === 0)))
  sender.pause('call', false)
  assert.equal(sender.of('call')?.paused, false)
  await second.stop()
})

test('who takes the place of somebody is on the same stream, and the document has the times of both', async (t) => {
  const { main, begin, named, media, alice, bob, track, clock } = await room(t)
  const sent = begin()
  await until('the session', () => named('srs.started').length === 1)
  const carol = await track('callee', '103')
  clock.advance(3_000)
  sent.update([alice, carol])
  assert.equal(media.copies.at(-1), `${carol.port.id} by port-20006`)
  await until('the re-INVITE', () => main.changes.length === 1)
  const { participants, streams, sending } = metadataIn(main.changes[0])
  const people = Array.from(participants.values(), ({ id, uris }) => ({ uri: uris[0], ...sending.get(id) }))
  const second = [...streams.values()][1]?.id
  assert.deepEqual(
    people.map(({ uri, send, disassociatedAtMs }) => [uri, send?.[0] === second, disassociatedAtMs !== undefined]),
    [
      ['sip:101@example.com', false, false],
      ['sip:102@example.com', false, true],
      ['sip:103@example.com', true, false],
    ],
  )
  assert.equal(bob.legId, 'leg-102')
  await sent.stop()
})

test('who is on hold hears nobody, and sends nothing when it says so', async (t) => {
  const { main, begin, named, flows, alice, bob } = await room(t)
  const sent = begin()
  await until('the session', () => named('srs.started').length === 1)
  flows.set('102', { sends: false, hears: false })
  sent.update([alice, bob])
  await until('the re-INVITE', () => main.changes.length === 1)
  const { participants, sending } = metadataIn(main.changes[0])
  assert.deepEqual(
    Array.from(participants.values(), ({ id }) => [sending.get(id)?.send.length, sending.get(id)?.receive.length]),
    [
      [1, 0],
      [0, 0],
    ],
  )
  await sent.stop()
})

test('a server may stop and start the streams, and ask for our offer and for a snapshot', async (t) => {
  const { main, begin, named, copies } = await room(t)
  const sent = begin()
  await until('the session', () => named('srs.started').length === 1)
  const ask = (direction: string) =>
    main.dialog?.request('INVITE', {
      contentType: 'application/sdp',
      body: answered(sdpIn(main.invites[0] as SipRequest), [], direction),
    })
  const held = await ask('inactive')
  assert.match(Buffer.from(held?.body ?? '').toString(), /a=inactive[^]*a=inactive/)
  assert.match(held?.headers.get('Contact') ?? '', /;\+sip\.src/)
  for (const port of copies()) assert.deepEqual(port.descriptions.at(-1)?.send, [])
  const back = await ask('recvonly')
  assert.match(Buffer.from(back?.body ?? '').toString(), /a=sendonly[^]*a=sendonly/)
  const offered = await main.dialog?.request('INVITE', {
    ackBody: (response) => ({ contentType: 'application/sdp', body: answered(Buffer.from(response.body).toString()) }),
  })
  assert.equal(linesOf(Buffer.from(offered?.body ?? '').toString()).length, 2)
  const snapshot = await main.dialog?.request('UPDATE', {
    headers: { 'Content-Disposition': 'recording-session', Require: 'siprec' },
    contentType: 'application/rs-metadata-request',
    body: '<?xml version="1.0"?><requestsnapshot xmlns="urn:ietf:params:xml:ns:recording:1"/>',
  })
  assert.equal(snapshot?.status, 200)
  await until('the snapshot', () => main.changes.length === 1)
  assert.equal(metadataIn(main.changes[0]).participants.size, 2)
  assert.equal((await main.dialog?.request('MESSAGE'))?.status, 405)
  await sent.stop()
})

test('a call that ends before the server answers leaves nothing behind', async (t) => {
  const { main, begin, named, copies } = await room(t)
  const sent = begin()
  await sent.stop()
  assert.ok(copies().every(({ closed }) => closed))
  await until('no dialog', () => main.stack.counts().dialogs === 0)
  assert.deepEqual([named('srs.started'), named('srs.failed')], [[], []])
})

test('servers are asked whether they are there, and one that is down is tried last', async (t) => {
  const { spare, named, sender, begin, main } = await room(t)
  sender.servers.served('main', 'no answer')
  assert.equal(named('srs.down').length, 1)
  const sent = begin(['main|spare'])
  await until('the session', () => named('srs.started').length === 1)
  assert.deepEqual([main.invites.length, spare.invites.length], [0, 1])
  await sent.stop()
  assert.deepEqual(
    sender.serverStates().map(({ name, state }) => [name, state]),
    [
      ['main', 'down'],
      ['spare', 'up'],
    ],
  )
  assert.equal(pcma.payloadType, 8)
})
