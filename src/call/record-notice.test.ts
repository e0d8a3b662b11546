import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import { FakePort } from '../media/test-support.ts'
import { Headers } from '../sip/message/headers.ts'
import type { SipResponse } from '../sip/message/types.ts'
import type { Dialog } from '../sip/stack.types.ts'
import type { Leg } from './leg.ts'
import { LegMedia } from './leg-media.ts'
import { type LiveCall, LiveCalls } from './live-calls.ts'
import { RecordNotice } from './record-notice.ts'
import { watchRecording } from './watch-recording.ts'

const described = (more = ''): string =>
  `v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n${more}m=audio 4000 RTP/AVP 0\r\n`

/** A phone in a call, and what it is asked inside its dialog. */
function phone(id: string, recordAware: boolean, said = '') {
  const port = new FakePort(20_000)
  const media = new LegMedia(port, '192.0.2.1')
  media.answer(described(said))
  const asked: string[] = []
  const dialog = {
    request: (_method: string, { body = '' }: { body?: string | Uint8Array } = {}): Promise<SipResponse> => {
      asked.push(/a=record:(\w+)/.exec(String(body))?.[1] ?? 'nothing')
      const headers = new Headers([['Content-Type', 'application/sdp']])
      return Promise.resolve({
        kind: 'response',
        status: 200,
        reason: 'OK',
        headers,
        body: Buffer.from(described(said)),
      })
    },
  } as unknown as Dialog
  const leg: Leg = {
    id,
    role: id === 'a' ? 'caller' : 'callee',
    party: { uri: `sip:${id}@example.com` },
    sipCallId: id,
    transport: 'udp',
    remote: '192.0.2.7:5060',
    state: 'answered',
    recordAware,
    media,
    dialog,
  }
  const played = () => port.orders.filter(({ do: what }) => what === 'play').length
  return { leg, asked, played }
}

const settle = () => new Promise((resolve) => setImmediate(resolve))

function noticeOf(clock = new FakeClock(), everyMs: number | undefined = 15_000) {
  const sound = { sounds: [{ silenceMs: 1 }], ...(everyMs && { everyMs }) }
  return new RecordNotice({ clock, log: silentLogger, sound })
}

test('a phone that shows a=record is told each change by an offer, and nothing twice (RFC 7866 §6.3)', async () => {
  const [a, b] = [phone('a', true), phone('b', true)]
  const notice = noticeOf()
  notice.update([a.leg, b.leg])
  assert.deepEqual(a.asked, [], 'that nothing is recorded needs no telling')
  notice.here('on')
  notice.update()
  notice.elsewhere('main', true)
  notice.here('paused')
  await settle()
  assert.deepEqual(a.asked, ['on'], 'it is recorded elsewhere still')
  notice.elsewherePaused(true)
  notice.elsewhere('main', false)
  notice.here('off')
  await settle()
  assert.deepEqual(a.asked, ['on', 'paused', 'off'])
  assert.deepEqual(b.asked, a.asked)
  assert.equal(a.played(), 0)
})

test('what is said before the answer stands in the description of the answer', () => {
  const { leg, asked } = phone('a', true)
  leg.state = 'ringing'
  const notice = noticeOf()
  notice.update([leg])
  notice.here('on')
  assert.match(leg.media?.answer(described()) ?? '', /a=record:on/)
  leg.state = 'answered'
  notice.update()
  assert.deepEqual(asked, [])
})

test('who does not show it hears a beep every 15 s while it is recorded, and none while that is paused', () => {
  const clock = new FakeClock()
  const { leg, asked, played } = phone('a', false)
  const notice = noticeOf(clock)
  notice.update([leg])
  assert.equal(played(), 0)
  notice.here('on')
  assert.equal(played(), 1)
  clock.advance(30_000)
  assert.equal(played(), 3)
  notice.here('paused')
  clock.advance(60_000)
  assert.equal(played(), 3)
  notice.here('on')
  assert.equal(played(), 4)
  notice.update([])
  clock.advance(60_000)
  assert.equal(played(), 4, 'it left')
  assert.deepEqual(asked, [])
  notice.close()
  assert.equal(clock.pendingTimers, 0)
})

test('that the other party records is passed on, as long as it says so', async () => {
  const [a, b] = [phone('a', true), phone('b', false, 'a=record:on\r\n')]
  const notice = noticeOf()
  notice.update([a.leg, b.leg])
  await settle()
  assert.deepEqual(a.asked, ['on'])
  b.leg.media?.answer(described('a=record:off\r\n'))
  notice.update()
  await settle()
  assert.deepEqual(a.asked, ['on', 'off'])
})

test('facts of recordings, here and elsewhere, reach the notice of their call', async () => {
  const bus = new FactBus()
  const live = new LiveCalls()
  const { leg, asked } = phone('a', true)
  const notice = noticeOf()
  notice.update([leg])
  live.add({ id: 'call', notice } as unknown as LiveCall)
  watchRecording(bus, live)
  const of = { callId: 'call', atMs: 1 }
  const stamp = { ...of, recordingId: 'r', by: 'api', what: 'recording' } as const
  bus.publish({ name: 'recording.started', ...of, recordingId: 'r', folder: '/' })
  await settle()
  bus.publish({ name: 'recording.paused', ...stamp })
  await settle()
  bus.publish({ name: 'srs.started', ...of, server: 'main', sipCallId: 'x' })
  await settle()
  bus.publish({ name: 'srs.paused', ...of })
  bus.publish({ name: 'srs.started', ...of, callId: 'another', server: 'main', sipCallId: 'x' })
  await settle()
  assert.deepEqual(asked, ['on', 'paused', 'on', 'paused'])
})

test('what a phone wishes to become of recording is told once, and again when it wishes something else', () => {
  const told: string[] = []
  const notice = new RecordNotice({
    clock: new FakeClock(),
    log: silentLogger,
    preferred: ({ id }, wish) => told.push(`${id} ${wish}`),
  })
  const { leg } = phone('a', true, 'a=recordpref:off\r\n')
  notice.update([leg])
  notice.update()
  leg.media?.answer(described())
  notice.update()
  leg.media?.answer(described('a=recordpref:on\r\n'))
  notice.update()
  assert.deepEqual(told, ['a off', 'a on'])
})
