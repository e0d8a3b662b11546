import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { Fact, Party } from '../events/catalogue.ts'
import { FakeMedia } from '../media/test-support.ts'
import { MemoryNetwork } from '../net/memory-network.ts'
import { SipDialog } from '../sip/dialog/dialog.ts'
import { settle, turn } from '../sip/dialog/test-support.ts'
import { createSipStack } from '../sip/stack.ts'
import type { Dialog, IncomingInvite, InviteOptions, OutgoingInvite, SipStack } from '../sip/stack.types.ts'
import { Call, type DialOptions } from './call.ts'
import type { Destination } from './fork.ts'
import { LiveCalls } from './live-calls.ts'
import type { CallServices } from './services.ts'

const serverIp = '192.0.2.1'
const callerIp = '192.0.2.11'
const deviceIps = ['192.0.2.21', '192.0.2.22']

const sdp = (ip: string, formats = '0 8 101', direction = 'sendrecv'): string =>
  [
    'v=0',
    `o=- 1 1 IN IP4 ${ip}`,
    's=-',
    `c=IN IP4 ${ip}`,
    't=0 0',
    `m=audio 4000 RTP/AVP ${formats}`,
    ...(formats.includes('101') ? ['a=rtpmap:101 telephone-event/8000'] : []),
    `a=${direction}`,
    '',
  ].join('\r\n')

const description = (text: string) => ({ contentType: 'application/sdp', body: text })

let clock: FakeClock
let network: MemoryNetwork
let media: FakeMedia
let live: LiveCalls
let facts: Fact[]
let server: SipStack
let caller: SipStack
let devices: SipStack[]
let recorded: string[]
let calls: Call[]
let dialOptions: Partial<DialOptions>
let callerParty: Party

const stackAt = (ip: string): Promise<SipStack> =>
  createSipStack({ clock, log: silentLogger, network, listen: [{ transport: 'udp', ip, port: 5060 }] })

beforeEach(async () => {
  clock = new FakeClock()
  network = new MemoryNetwork({ clock })
  media = new FakeMedia()
  live = new LiveCalls()
  facts = []
  recorded = []
  calls = []
  dialOptions = {}
  callerParty = { uri: 'sip:101@pbx', extension: '101', name: 'Alice' }
  const bus = new FactBus()
  bus.onAny((fact) => facts.push(fact))
  server = await stackAt(serverIp)
  caller = await stackAt(callerIp)
  devices = await Promise.all(deviceIps.map(stackAt))
  const services: CallServices = {
    clock,
    log: silentLogger,
    stack: server,
    media,
    bus,
    live,
    recorder: {
      start: ({ name, tracks }) => {
        recorded.push(`${name}: ${tracks.map(({ role }) => role).join(', ')}`)
        return {
          addTrack: ({ role, party }) => void recorded.push(`+ ${role} ${party.extension}`),
          endTrack: () => void recorded.push('- track'),
          stop: async () => void recorded.push('stopped'),
        }
      },
    },
    advertisedIp: () => serverIp,
    messages: () => [],
    rtpTimeoutMs: 0,
  }
  server.on('invite', (invite) => {
    const call = new Call(invite, { from: callerParty, to: to102 }, services)
    calls.push(call)
    void call.dial({ destinations, ringMs: 30_000, record: true, recordingName: 'talk', ...dialOptions })
  })
})

const to102 = { uri: 'sip:102@pbx', extension: '102' }
const destinations: readonly Destination[] = deviceIps.map((ip) => ({
  target: { uri: `sip:102@${ip}:5060` },
  party: to102,
}))

function call(more: Partial<InviteOptions> = {}): OutgoingInvite & { readonly ringing: number[] } {
  const ringing: number[] = []
  const invite = caller.invite({
    target: { uri: `sip:102@${serverIp}:5060` },
    from: `<sip:101@${callerIp}>`,
    to: `<sip:102@${serverIp}>`,
    ...description(sdp(callerIp)),
    onProvisional: ({ status }) => ringing.push(status),
    ...more,
  })
  return Object.assign(invite, { ringing })
}

/** What a device did with the INVITE it got. */
interface Device {
  invite?: IncomingInvite
  dialog?: Dialog
  reason?: string | undefined
}

function device(index: number, behave: (invite: IncomingInvite, seen: Device) => void): Device {
  const seen: Device = {}
  devices[index]?.on('invite', (invite) => {
    seen.invite = invite
    behave(invite, seen)
  })
  return seen
}

const answers = (index: number, afterMs = 100, formats?: string): Device =>
  device(index, (invite, seen) => {
    invite.ring(180)
    clock.after(afterMs, () => {
      if (!invite.cancelled.aborted) seen.dialog = invite.answer(description(sdp(deviceIps[index] ?? '', formats)))
    })
  })
const rings = (index: number): Device => device(index, (invite) => invite.ring(180))
const refuses = (index: number, status: number): Device => device(index, (invite) => invite.reject(status))

const told = (name: Fact['name']): Fact[] => facts.filter((fact) => fact.name === name)
const endedAs = (): unknown => {
  const [fact] = told('call.ended')
  return fact?.name === 'call.ended' ? fact.reason : undefined
}

/** Everything a call opens is closed again: dialogs, transactions, ports, timers. */
async function nothingIsLeft(): Promise<void> {
  await turn(clock, 70_000, 500)
  for (const stack of [server, caller, ...devices])
    assert.deepEqual(stack.counts(), { dialogs: 0, transactions: 0, connections: 0 })
  assert.equal(live.size, 0)
  assert.ok(media.ports.every(({ closed }) => closed))
  assert.equal(clock.pendingTimers, 0)
  assert.equal(told('call.ended').length, 1)
  assert.equal(told('call.traced').length, 1)
  assert.equal(told('leg.started').length, told('leg.ended').length)
}

test('the first device that answers gets the call, the other is cancelled, and a BYE ends both legs', async () => {
  const first = answers(0)
  const second = rings(1)
  const invite = call()
  await turn(clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  assert.deepEqual(invite.ringing, [180])
  assert.ok(first.dialog)
  assert.equal(second.invite?.cancelled.aborted, true)
  assert.equal(live.list()[0]?.snapshot().legs.length, 2)
  void outcome.dialog.bye()
  await turn(clock, 1_000)
  assert.equal(first.dialog.state, 'terminated')
  assert.equal(endedAs(), 'hangup')
  assert.deepEqual(recorded, ['talk: caller, callee', 'stopped'])
  await nothingIsLeft()
})

test('each leg is a dialog of its own: other Call-ID, other tags, our own Contact', async () => {
  const first = answers(0)
  const invite = call()
  await turn(clock, 1_000)
  const request = first.invite?.request
  assert.notEqual(request?.headers.get('Call-ID'), invite.sipCallId)
  assert.match(request?.headers.get('From') ?? '', /^"Alice" <sip:101@192\.0\.2\.1>;tag=/)
  assert.match(request?.headers.get('Contact') ?? '', /192\.0\.2\.1:5060/)
  assert.ok(!Buffer.from(request?.body ?? '').includes(callerIp))
})

test('the callee hangs up: the caller gets a BYE', async () => {
  const first = answers(0)
  const invite = call()
  await turn(clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  void first.dialog?.bye()
  await turn(clock, 1_000)
  assert.equal(outcome.dialog.state, 'terminated')
  await nothingIsLeft()
})

for (const [statuses, reason, status] of [
  [[486, 486], 'busy', 486],
  [[480, 486], 'busy', 486],
  [[404, 480], 'not-found', 404],
  [[488, 480], 'no-common-codec', 488],
  [[503, 480], 'unreachable', 480],
  [[500, 500], 'failed', 500],
] as const) {
  test(`devices that answer ${statuses.join(' and ')} leave the caller with ${status}`, async () => {
    statuses.forEach((answer, index) => refuses(index, answer))
    const invite = call()
    await turn(clock, 1_000)
    const outcome = await invite.outcome
    assert.equal(outcome.response.status, status)
    assert.equal(endedAs(), reason)
    await nothingIsLeft()
  })
}

test('a person who declines stops the other devices too (RFC 3261 §21.6)', async () => {
  refuses(0, 603)
  const second = rings(1)
  const invite = call()
  await turn(clock, 1_000)
  assert.equal((await invite.outcome).response.status, 603)
  assert.equal(second.invite?.cancelled.aborted, true)
  await nothingIsLeft()
})

test('nobody answers: after the ring time the devices are cancelled and the caller gets 480', async () => {
  const first = rings(0)
  rings(1)
  const invite = call()
  await turn(clock, 29_000, 100)
  assert.equal(told('call.ended').length, 0)
  await turn(clock, 2_000, 100)
  assert.equal((await invite.outcome).response.status, 480)
  assert.equal(first.invite?.cancelled.aborted, true)
  assert.equal(endedAs(), 'no-answer')
  await nothingIsLeft()
})

test('a phone that never says a word is given up after the ring time', async () => {
  dialOptions = { destinations: [{ target: { uri: 'sip:102@192.0.2.99:5060' }, party: to102 }], ringMs: 10_000 }
  const invite = call()
  await turn(clock, 11_000, 100)
  assert.equal((await invite.outcome).response.status, 480)
  assert.equal(endedAs(), 'no-answer')
  await nothingIsLeft()
})

test('the caller gives up while it rings: the devices are cancelled', async () => {
  const first = rings(0)
  rings(1)
  const invite = call()
  await turn(clock, 1_000)
  invite.cancel()
  await turn(clock, 1_000)
  assert.equal((await invite.outcome).response.status, 487)
  assert.equal(first.invite?.cancelled.aborted, true)
  assert.equal(endedAs(), 'cancelled')
  await nothingIsLeft()
})

test('a caller that shares no codec gets 488, and no phone rings', async () => {
  const first = answers(0)
  const invite = call(description(sdp(callerIp, '9 18')))
  await turn(clock, 1_000)
  assert.equal((await invite.outcome).response.status, 488)
  assert.equal(first.invite, undefined)
  await nothingIsLeft()
})

test('a description that cannot be read is answered 400', async () => {
  const invite = call(description('this is no SDP'))
  await turn(clock, 1_000)
  assert.equal((await invite.outcome).response.status, 400)
  await nothingIsLeft()
})

test('without a free RTP port the caller gets 503', async () => {
  media.limit = 1
  const invite = call()
  await turn(clock, 1_000)
  assert.equal((await invite.outcome).response.status, 503)
  await nothingIsLeft()
})

test('the caller is answered with what the callee took, so that nothing is transcoded', async () => {
  answers(0, 100, '8')
  const invite = call()
  await turn(clock, 1_000)
  const { response } = await invite.outcome
  assert.match(Buffer.from(response.body).toString(), /m=audio \d+ RTP\/AVP 8\r\n/)
})

test('a caller without an offer gets ours and answers in the ACK (RFC 3261 §13.2.2.4)', async () => {
  const first = answers(0)
  const late = caller.invite({
    target: { uri: `sip:102@${serverIp}:5060` },
    from: `<sip:101@${callerIp}>`,
    to: `<sip:102@${serverIp}>`,
    ackBody: () => description(sdp(callerIp, '0')),
  })
  await turn(clock, 1_000)
  const outcome = await late.outcome
  assert.ok(outcome.answered)
  assert.ok(first.dialog)
  assert.match(Buffer.from(outcome.response.body).toString(), /m=audio 20000 RTP\/AVP 0 8 101/)
  const [callerPort] = media.ports
  assert.equal(callerPort?.descriptions.at(-1)?.remote?.ip, callerIp)
})

test('a re-INVITE without an offer gets ours, and the answer in its ACK moves the media (RFC 3261 §14.2)', async () => {
  answers(0)
  const invite = call()
  await turn(clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  const musicServer = '192.0.2.99'
  const again = outcome.dialog.request('INVITE', { ackBody: () => description(sdp(musicServer, '0', 'sendonly')) })
  await turn(clock, 1_000)
  assert.match(Buffer.from((await again).body).toString(), /m=audio 20000 RTP\/AVP/)
  const [callerPort] = media.ports
  assert.equal(callerPort?.descriptions.at(-1)?.remote?.ip, musicServer)
  assert.deepEqual(callerPort?.descriptions.at(-1)?.send, [])
  assert.equal(live.size, 1)
})

test('a caller that answers our offer with nothing in its ACK has no call', async () => {
  answers(0)
  const invite = caller.invite({
    target: { uri: `sip:102@${serverIp}:5060` },
    from: `<sip:101@${callerIp}>`,
    to: `<sip:102@${serverIp}>`,
  })
  await turn(clock, 1_000)
  assert.ok((await invite.outcome).answered)
  assert.equal(endedAs(), 'failed')
})

/** A body as a trunk sends it that also tells where an emergency caller is (RFC 6442), or the ISUP of the call. */
const mixed = (text: string) => ({
  contentType: 'multipart/mixed;boundary="b 1"',
  body: [
    '--b 1',
    'Content-Type: application/pidf+xml',
    '',
    '<presence/>',
    '--b 1',
    'Content-Type: application/sdp;charset=utf-8',
    'Content-Disposition: session;handling=required',
    '',
    `${text}--b 1--`,
    '',
  ].join('\r\n'),
})

test('a description among other parts is found, in an offer and in an answer (RFC 5621)', async () => {
  device(0, (invite) => void invite.answer(mixed(sdp(deviceIps[0] ?? '', '8'))))
  const invite = call(mixed(sdp(callerIp)))
  await turn(clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  assert.match(Buffer.from(outcome.response.body).toString(), /m=audio \d+ RTP\/AVP 8\r\n/)
  assert.deepEqual(
    media.ports.map(({ descriptions }) => descriptions.at(-1)?.remote?.ip),
    [callerIp, deviceIps[0]],
  )
})

test('a body that is no description is answered 415', async () => {
  const invite = call({ contentType: 'text/plain', body: 'hello' })
  await turn(clock, 1_000)
  assert.equal((await invite.outcome).response.status, 415)
  await nothingIsLeft()
})

test('each hop takes one from Max-Forwards, and with none left the call is answered 483 (RFC 3261 §8.1.1.6)', async () => {
  const first = answers(0)
  call({ headers: { 'Max-Forwards': '8' } })
  await turn(clock, 1_000)
  assert.equal(first.invite?.request.headers.get('Max-Forwards'), '7')
  const back = call({ headers: { 'Max-Forwards': '0' } })
  await turn(clock, 1_000)
  assert.equal((await back.outcome).response.status, 483)
})

test('a caller without a user part is shown as anonymous, not by its address', async () => {
  callerParty = { uri: 'sip:[2001:db8::1]:5062', name: 'Zoë "Z" \\' }
  const first = answers(0)
  call()
  await turn(clock, 1_000)
  const from = first.invite?.request.headers.get('From') ?? ''
  assert.match(from, /^"Zoë \\"Z\\" \\\\" <sip:anonymous@192\.0\.2\.1>;tag=/)
})

test('early media reaches the caller, and the 200 repeats its answer (RFC 3261 §13.2.1)', async () => {
  device(0, (invite, seen) => {
    invite.ring(183, description(sdp(deviceIps[0] ?? '', '0')))
    clock.after(500, () => (seen.dialog = invite.answer(description(sdp(deviceIps[0] ?? '', '0')))))
  })
  const bodies: string[] = []
  const invite = call({ onProvisional: ({ status, body }) => bodies.push(`${status} ${Buffer.from(body).toString()}`) })
  await turn(clock, 1_000)
  const { response } = await invite.outcome
  assert.equal(bodies.length, 1)
  assert.equal(bodies[0], `183 ${Buffer.from(response.body).toString()}`)
  // Bridged before they are recorded: the last moment has to be kept.
  assert.deepEqual(
    media.ports.map(({ options }) => options.recordedLater),
    [true, true],
  )
})

test('hold stops what we send to that leg, resume starts it again', async () => {
  answers(0)
  const invite = call()
  await turn(clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  const [callerPort] = media.ports
  const hold = outcome.dialog.request('INVITE', description(sdp(callerIp, '0', 'sendonly')))
  await turn(clock, 1_000)
  assert.match(Buffer.from((await hold).body).toString(), /a=recvonly/)
  assert.deepEqual(callerPort?.descriptions.at(-1)?.send, [])
  const resume = outcome.dialog.request('INVITE', description(sdp(callerIp, '0', 'sendrecv')))
  await turn(clock, 1_000)
  assert.match(Buffer.from((await resume).body).toString(), /a=sendrecv/)
  assert.equal(callerPort?.descriptions.at(-1)?.send.length, 1)
})

test('a re-INVITE that shares no codec is answered 488 and the call goes on (RFC 3261 §14.2)', async () => {
  answers(0)
  const invite = call()
  await turn(clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  const wrong = outcome.dialog.request('INVITE', description(sdp(callerIp, '18')))
  await turn(clock, 1_000)
  assert.equal((await wrong).status, 488)
  assert.equal(live.size, 1)
})

test('digits by SIP INFO are told', async () => {
  answers(0)
  const invite = call()
  await turn(clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  const info = outcome.dialog.request('INFO', {
    contentType: 'application/dtmf-relay',
    body: 'Signal=5\r\nDuration=240\r\n',
  })
  await turn(clock, 500)
  assert.equal((await info).status, 200)
  const [fact] = told('leg.digit')
  assert.ok(fact?.name === 'leg.digit')
  assert.deepEqual([fact.digit, fact.durationMs], ['5', 240])
})

test('a clean stop refuses a ringing call with 503 and ends an answered one with BYE', async () => {
  rings(0)
  const invite = call()
  await turn(clock, 1_000)
  void live.endAll('shutdown')
  await turn(clock, 1_000)
  assert.equal((await invite.outcome).response.status, 503)
  assert.equal(endedAs(), 'shutdown')
  await nothingIsLeft()
})

test('a caller that hangs up before its ports are open leaves nothing', async () => {
  const invite = call()
  await settle()
  clock.advance(2)
  invite.cancel()
  await turn(clock, 2_000)
  assert.equal((await invite.outcome).answered, false)
  await nothingIsLeft()
})

test('a phone whose answer came in a reliable 183 may answer without a description (RFC 3262 §5)', async () => {
  const first = device(0, (invite, seen) => {
    invite.ring(183, description(sdp(deviceIps[0] ?? '')))
    clock.after(100, () => (seen.dialog = invite.answer({})))
  })
  const invite = call()
  await turn(clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  assert.ok(first.dialog)
  void outcome.dialog.bye()
  await turn(clock, 1_000)
  await nothingIsLeft()
})

test('a caller that requires reliable ringing gets it, and the call stands (RFC 3262)', async () => {
  answers(0)
  const invite = call({ headers: { Require: '100rel' } })
  await turn(clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  assert.deepEqual(invite.ringing, [180])
  void outcome.dialog.bye()
  await turn(clock, 1_000)
  await nothingIsLeft()
})

test('a phone that vanished is found out by its session timer, and the other leg hears BYE (RFC 4028)', async () => {
  const first = answers(0)
  const invite = call()
  await turn(clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered && first.dialog instanceof SipDialog)
  outcome.dialog.on('request', (incoming) => incoming.respond(200))
  first.dialog.drop()
  await turn(clock, 1_000_000, 500)
  assert.equal(endedAs(), 'media-timeout')
  assert.equal(outcome.dialog.state, 'terminated')
  await nothingIsLeft()
})
