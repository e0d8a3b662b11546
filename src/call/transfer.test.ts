/** Transfers between phones of the house: blind, attended, and what happens when nobody takes the call. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { EndReason, Fact } from '../events/catalogue.ts'
import { FakeMedia } from '../media/test-support.ts'
import { MemoryNetwork } from '../net/memory-network.ts'
import { parseSdp } from '../sdp/parse.ts'
import { reofferProblems } from '../sdp/rules.ts'
import { settle, turn } from '../sip/dialog/test-support.ts'
import { fromTag } from '../sip/message/fields.ts'
import type { SipMessage, SipResponse } from '../sip/message/types.ts'
import { createSipStack } from '../sip/stack.ts'
import type { Dialog, IncomingInvite, InDialogRequest, SipStack } from '../sip/stack.types.ts'
import { Call } from './call.ts'
import { usualRules } from './codec-rules.ts'
import { sdpOf } from './description.ts'
import type { Presenter } from './leg.ts'
import { LiveCalls } from './live-calls.ts'
import type { CallServices } from './services.ts'
import type { Onwards, Route } from './transfer.ts'

const serverIp = '192.0.2.1'
/** Alice calls, Bob transfers, Carol is called in the end. */
const ips = { '101': '192.0.2.101', '102': '192.0.2.102', '103': '192.0.2.103' } as const
type Number = keyof typeof ips

const sdp = (ip: string, formats = '0') => ({
  contentType: 'application/sdp',
  body: `v=0\r\no=- 1 1 IN IP4 ${ip}\r\ns=-\r\nc=IN IP4 ${ip}\r\nt=0 0\r\nm=audio 4000 RTP/AVP ${formats}\r\n`,
})

/** A phone that answers what it is offered, and keeps what it heard. */
class Phone {
  readonly number: Number
  readonly stack: SipStack
  readonly dialogs: Dialog[] = []
  readonly invites: IncomingInvite[] = []
  /** Bodies of the NOTIFYs, with the end of the subscription marked. */
  readonly reports: string[] = []
  /** What the server said of its media in the calls this phone made, in answers and offers. */
  readonly described: string[] = []
  /** Whom it was told it speaks with: in the answer to its call, and after that. */
  readonly shown: string[] = []
  /** What it speaks: payload types of its descriptions. */
  formats = '0'
  /** What it does with a call. */
  takes: 'answer' | 'ring' | 486 = 'answer'
  /** How long it thinks about a re-INVITE. */
  answersAfterMs: number | 'refuse' = 0

  constructor(number: Number, stack: SipStack) {
    this.number = number
    this.stack = stack
    stack.on('invite', (invite) => {
      this.invites.push(invite)
      if (this.takes === 486) return invite.reject(486)
      invite.ring(180)
      if (this.takes === 'answer') this.#keep(invite.answer(sdp(ips[number], this.formats)))
    })
  }

  get dialog(): Dialog {
    const dialog = this.dialogs.at(-1)
    assert.ok(dialog, `${this.number} has no call`)
    return dialog
  }

  call(number: Number) {
    const { stack } = this
    const invite = stack.invite({
      target: { uri: `sip:${number}@${serverIp}:5060` },
      from: `<sip:${this.number}@${ips[this.number]}>`,
      to: `<sip:${number}@${serverIp}>`,
      ...sdp(ips[this.number], this.formats),
    })
    void invite.outcome.then((outcome) => {
      if (!outcome.answered) return
      this.described.push(sdpOf(outcome.response))
      this.#note('200', outcome.response)
      this.#keep(outcome.dialog)
    })
    return invite
  }

  refer(to: string, headers: Record<string, string> = {}): Promise<SipResponse> {
    return this.dialog.request('REFER', { headers: { 'Refer-To': to, ...headers } })
  }

  #keep(dialog: Dialog): void {
    this.dialogs.push(dialog)
    dialog.on('request', (incoming) => this.#hear(incoming))
  }

  #note(what: string, { headers }: SipMessage): void {
    const identity = headers.get('P-Asserted-Identity')
    if (identity !== undefined) this.shown.push(`${what} ${identity}`)
  }

  #hear(incoming: InDialogRequest): void {
    const { method, headers, body } = incoming.request
    this.#note(method, incoming.request)
    if (method === 'INVITE') {
      this.described.push(sdpOf(incoming.request))
      if (this.answersAfterMs === 'refuse') return incoming.respond(488)
      clock.after(this.answersAfterMs, () => incoming.respond(200, sdp(ips[this.number], this.formats)))
      return
    }
    if (method === 'NOTIFY') {
      const ended = headers.get('Subscription-State')?.startsWith('terminated') ? ' (last)' : ''
      this.reports.push(Buffer.from(body).toString().trim().replace('SIP/2.0 ', '') + ended)
    }
    incoming.respond(200)
  }
}

let clock: FakeClock
let media: FakeMedia
let live: LiveCalls
let facts: Fact[]
let recorded: string[]
let server: SipStack
/** INVITEs as the server got them. */
let arrived: IncomingInvite[]
let alice: Phone
let bob: Phone
let carol: Phone

const party = (number: string) => ({ uri: `sip:${number}@pbx`, extension: number })

const present: Presenter = ({ extension, private: hidden }) => ({
  'P-Asserted-Identity': hidden ? 'somebody' : `${extension}`,
})

const routeTo = (number: string): Route | EndReason =>
  Object.hasOwn(ips, number)
    ? {
        destinations: [
          { target: { uri: `sip:${number}@${ips[number as Number]}:5060` }, party: party(number), present },
        ],
        ringMs: 20_000,
        record: true,
      }
    : 'not-found'

const onwards: Onwards = { numberIn: ({ user }) => user, route: (number) => routeTo(number) }

beforeEach(async () => {
  clock = new FakeClock()
  const network = new MemoryNetwork({ clock })
  media = new FakeMedia()
  live = new LiveCalls()
  facts = []
  recorded = []
  const bus = new FactBus()
  bus.onAny((fact) => facts.push(fact))
  const stackAt = (ip: string) =>
    createSipStack({ clock, log: silentLogger, network, listen: [{ transport: 'udp', ip, port: 5060 }] })
  server = await stackAt(serverIp)
  alice = new Phone('101', await stackAt(ips['101']))
  bob = new Phone('102', await stackAt(ips['102']))
  carol = new Phone('103', await stackAt(ips['103']))
  const services: CallServices = {
    clock,
    log: silentLogger,
    stack: server,
    media,
    bus,
    live,
    recorder: {
      start: ({ tracks }) => {
        recorded.push(tracks.map(({ party: who }) => who.extension).join(' and '))
        return {
          addTrack: ({ party: who, role }) => recorded.push(`+ ${who.extension} as ${role}`),
          endTrack: () => recorded.push('- a track'),
          stop: async () => void recorded.push('stop'),
        }
      },
    },
    advertisedIp: () => serverIp,
    messages: () => [],
    rtpTimeoutMs: 0,
    srtp: 'accepted',
    codecs: usualRules,
  }
  arrived = []
  server.on('invite', (invite) => {
    arrived.push(invite)
    const from = /sip:(\d+)@/.exec(invite.request.headers.get('From') ?? '')?.[1] ?? ''
    const to = /sip:(\d+)@/.exec(invite.request.uri)?.[1] ?? ''
    const route = routeTo(to)
    assert.ok(typeof route === 'object')
    void new Call(invite, { from: party(from), to: party(to) }, services).dial({
      ...route,
      recordingName: 'x',
      onwards,
      present,
    })
  })
})

const wait = (ms = 1_000): Promise<void> => turn(clock, ms, 20)
const told = <Name extends Fact['name']>(name: Name) =>
  facts.filter((fact): fact is Extract<Fact, { name: Name }> => fact.name === name)

async function nothingIsLeft(): Promise<void> {
  await turn(clock, 70_000, 500)
  for (const stack of [server, alice.stack, bob.stack, carol.stack])
    assert.deepEqual(stack.counts(), { dialogs: 0, transactions: 0, connections: 0 })
  assert.equal(live.size, 0)
  assert.ok(media.ports.every(({ closed }) => closed))
  assert.equal(clock.pendingTimers, 0)
  assert.equal(told('leg.started').length, told('leg.ended').length)
}

/** Alice and Bob talk. */
async function talking(): Promise<void> {
  alice.call('102')
  await wait()
  assert.equal(bob.dialogs.length, 1)
}

test('blind: Carol answers, Bob hears true progress and is out, Alice keeps her leg (RFC 3515)', async () => {
  await talking()
  const accepted = bob.refer(`<sip:103@${serverIp}>`)
  await wait()
  assert.equal((await accepted).status, 202)
  assert.deepEqual(bob.reports, ['100 Trying', '180 Ringing', '200 OK (last)'])
  assert.equal(bob.dialog.state, 'terminated')
  assert.equal(alice.dialog.state, 'confirmed')
  assert.match(carol.invites[0]?.request.headers.get('From') ?? '', /<sip:101@/)
  assert.match(carol.invites[0]?.request.headers.get('Referred-By') ?? '', /<sip:102@/)
  assert.deepEqual(recorded, ['101 and 102', '+ 103 as callee', '- a track', '- a track'])
  assert.equal(told('call.transferred')[0]?.kind, 'blind')
  assert.deepEqual([alice.shown, carol.shown], [['200 102', 'UPDATE 103'], []], 'her display follows (RFC 5876)')
  assert.deepEqual(
    live
      .list()[0]
      ?.snapshot()
      .legs.map(({ party: who }) => who.extension),
    ['101', '103'],
  )
  void carol.dialog.bye()
  await wait()
  assert.equal(alice.dialog.state, 'terminated')
  await nothingIsLeft()
})

/** Payload types of the audio in a description. */
const formatsIn = (body: Uint8Array | string | undefined): string | undefined =>
  /m=audio \d+ \S+ ([\d ]+)/.exec(Buffer.from(body ?? '').toString())?.[1]

test('who comes by a transfer is offered the codec of who stays first, and may take another one', async () => {
  for (const phone of [alice, bob]) phone.formats = '9'
  carol.formats = '8'
  await talking()
  void bob.refer(`<sip:103@${serverIp}>`)
  await wait()
  assert.equal(formatsIn(carol.invites[0]?.request.body), '9 111 8 0 101 110')
  assert.deepEqual(
    live
      .list()[0]
      ?.snapshot()
      .legs.map(({ codec }) => codec),
    ['G722', 'PCMA'],
  )
  assert.deepEqual(alice.described.map(formatsIn), ['9'], 'her leg is as it was')
  void carol.dialog.bye()
  await nothingIsLeft()
})

test('who is moved into another call is offered first what is spoken there', async () => {
  alice.formats = '9 8'
  carol.formats = '8'
  bob.formats = '9'
  await talking()
  bob.formats = '8'
  bob.call('103')
  await wait()
  const { callId, localTag, remoteTag } = bob.dialog.id
  const replaces = encodeURIComponent(`${callId};to-tag=${remoteTag};from-tag=${localTag}`)
  const [first] = bob.dialogs
  void first?.request('REFER', { headers: { 'Refer-To': `<sip:103@${serverIp}?Replaces=${replaces}>` } })
  await wait()
  assert.equal(formatsIn(alice.described.at(-1)), '8 111 9 0 101 110')
  void carol.dialog.bye()
  await nothingIsLeft()
})

test('the caller may transfer too: the new leg takes the caller side', async () => {
  await talking()
  void alice.refer(`<sip:103@${serverIp}>`)
  await wait()
  assert.equal(alice.dialog.state, 'terminated')
  assert.match(carol.invites[0]?.request.headers.get('From') ?? '', /<sip:102@/)
  assert.ok(recorded.includes('+ 103 as caller'))
  void bob.dialog.bye()
  await wait()
  assert.equal(carol.dialog.state, 'terminated')
  await nothingIsLeft()
})

test('blind to somebody busy: Bob hears 486 and has the call still', async () => {
  carol.takes = 486
  await talking()
  void bob.refer(`<sip:103@${serverIp}>`)
  await wait()
  assert.deepEqual(bob.reports.at(-1), '486 Failed (last)')
  assert.equal(bob.dialog.state, 'confirmed')
  void bob.dialog.bye()
  await wait()
  assert.equal(told('call.ended')[0]?.reason, 'hangup')
  await nothingIsLeft()
})

test('to a number nobody has: 404 in the report', async () => {
  await talking()
  void bob.refer(`<sip:999@${serverIp}>`)
  await wait()
  assert.deepEqual(bob.reports, ['100 Trying', '404 Failed (last)'])
  void alice.dialog.bye()
  await nothingIsLeft()
})

test('Bob hangs up after his REFER and nobody answers: the call comes back to him', async () => {
  carol.takes = 'ring'
  await talking()
  void bob.refer(`<sip:103@${serverIp}>`)
  await wait()
  void bob.dialog.bye()
  await wait()
  assert.equal(alice.dialog.state, 'confirmed')
  await wait(21_000)
  assert.equal(bob.dialogs.length, 2)
  assert.equal(bob.dialog.state, 'confirmed')
  assert.equal(told('call.transferred')[0]?.kind, 'recall')
  void alice.dialog.bye()
  await wait()
  assert.equal(bob.dialog.state, 'terminated')
  await nothingIsLeft()
})

test('Alice hangs up while Carol rings: Carol is cancelled and the call is over', async () => {
  carol.takes = 'ring'
  await talking()
  void bob.refer(`<sip:103@${serverIp}>`)
  await wait()
  void alice.dialog.bye()
  await wait()
  assert.equal(carol.invites[0]?.cancelled.aborted, true)
  assert.equal(bob.dialog.state, 'terminated')
  assert.equal(told('call.ended').length, 1)
  await nothingIsLeft()
})

test('attended: Alice is moved into the call with Carol, both legs of Bob end (RFC 5589)', async () => {
  await talking()
  const [first] = bob.dialogs
  bob.call('103')
  await wait()
  const second = bob.dialog
  assert.ok(first && second !== first)
  const { callId, localTag, remoteTag } = second.id
  const replaces = encodeURIComponent(`${callId};to-tag=${remoteTag};from-tag=${localTag}`)
  const accepted = first.request('REFER', { headers: { 'Refer-To': `<sip:103@${serverIp}?Replaces=${replaces}>` } })
  await wait()
  assert.equal((await accepted).status, 202)
  assert.deepEqual(bob.reports, ['100 Trying', '200 OK (last)'])
  assert.deepEqual([first.state, second.state], ['terminated', 'terminated'])
  assert.deepEqual([alice.dialog.state, carol.dialog.state], ['confirmed', 'confirmed'])
  assert.deepEqual(
    live.list().map((call) => call.snapshot().legs.map(({ party: who }) => who.extension)),
    [['101', '103']],
  )
  assert.deepEqual([alice.shown, carol.shown], [['200 102', 'INVITE 103'], ['UPDATE 101']])
  assert.ok(recorded.includes('+ 101 as caller'))
  const [fact] = told('call.transferred')
  assert.equal(fact?.kind, 'attended')
  assert.equal(told('call.ended')[0]?.reason, 'transferred')
  assert.equal(told('call.ended')[0]?.callId, fact?.fromCallId)
  void carol.dialog.bye()
  await wait()
  assert.equal(alice.dialog.state, 'terminated')
  await nothingIsLeft()
})

/** Bob talks with Alice and with Carol, and asks to have them joined. */
async function joining(): Promise<{ readonly first: Dialog; readonly second: Dialog }> {
  await talking()
  const [first] = bob.dialogs
  bob.call('103')
  await wait()
  const second = bob.dialog
  assert.ok(first && second !== first)
  const { callId, localTag, remoteTag } = second.id
  const replaces = encodeURIComponent(`${callId};to-tag=${remoteTag};from-tag=${localTag}`)
  void first.request('REFER', { headers: { 'Refer-To': `<sip:103@${serverIp}?Replaces=${replaces}>` } })
  return { first, second }
}

test('attended: Bob lets go of the second call before he is told, and the others are joined all the same', async () => {
  alice.answersAfterMs = 500
  const { second } = await joining()
  await wait(200)
  void second.bye()
  await wait()
  assert.deepEqual([alice.dialog.state, carol.dialog.state], ['confirmed', 'confirmed'])
  assert.equal(bob.reports.at(-1), '200 OK (last)')
  void alice.dialog.bye()
  await wait()
  assert.equal(carol.dialog.state, 'terminated')
  await nothingIsLeft()
})

test('attended: Carol hangs up while Alice is being moved, and Alice is back with Bob', async () => {
  alice.answersAfterMs = 500
  const { first } = await joining()
  await wait(200)
  void carol.dialog.bye()
  await wait(2_000)
  assert.deepEqual([alice.dialog.state, first.state], ['confirmed', 'confirmed'])
  assert.equal(bob.reports.at(-1), '480 Failed (last)')
  // There and back it was one session to her (RFC 3264 §8).
  const [answer, there, back] = alice.described.map((text) => parseSdp(text)).map((each) => each.ok && each.description)
  assert.ok(answer && there && back)
  assert.deepEqual([reofferProblems(answer, there), reofferProblems(there, back)], [[], []])
  void first.bye()
  await wait()
  assert.equal(alice.dialog.state, 'terminated')
  await nothingIsLeft()
})

test('attended: a second call that is sent elsewhere at the same moment goes there, and Alice is back with Bob', async () => {
  alice.answersAfterMs = 500
  alice.takes = 'ring'
  const { first, second } = await joining()
  void second.request('REFER', { headers: { 'Refer-To': `<sip:101@${serverIp}>` } })
  await wait()
  const there = alice.invites.at(-1)?.answer(sdp(ips['101']))
  await wait()
  assert.deepEqual(
    [first, alice.dialog, carol.dialog, there].map((dialog) => dialog?.state),
    Array(4).fill('confirmed'),
  )
  assert.equal(second.state, 'terminated')
  assert.equal(
    live.list().flatMap((call) => call.snapshot().legs.filter(({ state }) => state === 'answered')).length,
    4,
  )
  for (const dialog of [first, there]) void dialog?.bye()
  await nothingIsLeft()
})

test('attended: a phone that refuses to be moved stays, and both calls with it', async () => {
  alice.answersAfterMs = 'refuse'
  const { first, second } = await joining()
  await wait()
  assert.deepEqual([alice.dialog.state, first.state, second.state], ['confirmed', 'confirmed', 'confirmed'])
  assert.equal(bob.reports.at(-1), '488 Failed (last)')
  void first.bye()
  void second.bye()
  await wait()
  await nothingIsLeft()
})

test('semi-attended: a second call that still rings is given up, and Carol rings for Alice', async () => {
  carol.takes = 'ring'
  await talking()
  const [first] = bob.dialogs
  const second = bob.call('103')
  await wait()
  const invite = arrived.at(-1)
  assert.ok(first && invite)
  const tag = fromTag(invite.request)
  carol.takes = 'answer'
  const replaces = encodeURIComponent(`${second.sipCallId};to-tag=early;from-tag=${tag}`)
  void first.request('REFER', { headers: { 'Refer-To': `<sip:103@${serverIp}?Replaces=${replaces}>` } })
  await wait()
  const outcome = await second.outcome
  assert.equal(!outcome.answered && outcome.response.status, 487)
  assert.match(carol.invites.at(-1)?.request.headers.get('From') ?? '', /<sip:101@/)
  assert.equal(bob.reports.at(-1), '200 OK (last)')
  void alice.dialog.bye()
  await wait()
  assert.equal(carol.dialog.state, 'terminated')
  await nothingIsLeft()
})

test('a Replaces that names the call of somebody else is reported as 481, and nothing is touched', async () => {
  await talking()
  const asked = bob.refer(`<sip:103@${serverIp}?Replaces=unknown%3Bto-tag%3Da%3Bfrom-tag%3Db>`)
  await wait()
  assert.equal((await asked).status, 202)
  assert.equal(bob.reports.at(-1), '481 Call/Transaction Does Not Exist (last)')
  assert.deepEqual(
    [alice, bob].map(({ dialog }) => dialog.state),
    ['confirmed', 'confirmed'],
  )
  void alice.dialog.bye()
  await nothingIsLeft()
})

test('a REFER that cannot be read gets 400, a second one while the first is under way 491', async () => {
  carol.takes = 'ring'
  await talking()
  const broken = bob.refer('nonsense <<')
  await wait(100)
  assert.equal((await broken).status, 400)
  void bob.refer(`<sip:103@${serverIp}>`)
  await wait(100)
  const again = bob.refer(`<sip:103@${serverIp}>`)
  await wait(100)
  assert.equal((await again).status, 491)
  void alice.dialog.bye()
  await nothingIsLeft()
})

test('a transferer that wants no reports gets none (RFC 4488)', async () => {
  await talking()
  const accepted = bob.refer(`<sip:103@${serverIp}>`, { 'Refer-Sub': 'false' })
  await wait()
  assert.equal((await accepted).headers.get('Refer-Sub'), 'false')
  assert.deepEqual(bob.reports, [])
  assert.equal(carol.dialog.state, 'confirmed')
  await settle()
  void alice.dialog.bye()
  await nothingIsLeft()
})
