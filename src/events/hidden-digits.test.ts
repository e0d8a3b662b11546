import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FactBus } from './bus.ts'

const leg = (callId: string, legId: string, sipCallId: string) =>
  ({
    name: 'leg.started',
    atMs: 1,
    callId,
    legId,
    role: 'caller',
    party: { uri: 'sip:101@x' },
    sipCallId,
    transport: 'udp',
    remote: '192.0.2.1:5060',
  }) as const

function open() {
  const bus = new FactBus()
  const told: string[] = []
  bus.on('leg.digit', ({ digit }) => told.push(digit))
  bus.publish(leg('c', 'l', 'a@x'))
  bus.publish(leg('c', 'm', 'b@x'))
  bus.publish(leg('other', 'n', 'other@x'))
  const press = (legId: string, digit: string, callId = 'c'): void =>
    bus.publish({ name: 'leg.digit', atMs: 2, callId, legId, digit, durationMs: 100 })
  return { bus, told, press }
}

const about = { atMs: 2, callId: 'c', recordingId: 'r', by: 'api' } as const

test('digits pressed while the recording is paused are told to nobody, those of other calls are', () => {
  const { bus, told, press } = open()
  press('l', '1')
  bus.publish({ name: 'recording.paused', ...about, what: 'transcription' })
  press('l', '2')
  bus.publish({ name: 'recording.paused', ...about, what: 'recording' })
  press('l', '4')
  press('m', '7')
  press('n', '9', 'other')
  assert.deepEqual([bus.hidesDigits('a@x'), bus.hidesDigits('b@x'), bus.hidesDigits('other@x')], [true, true, false])
  bus.publish({ name: 'recording.resumed', ...about, what: 'recording', pausedMs: 5 })
  press('l', '3')
  assert.equal(told.join(''), '12xx93')
  assert.equal(bus.hidesDigits('a@x'), false)
})

test('of a muted leg the digits are hidden, also in messages of the leg that they go out on', () => {
  const { bus, told, press } = open()
  bus.publish({ name: 'recording.muted', ...about, legId: 'l', on: true })
  press('l', '4')
  press('m', '5')
  assert.equal(bus.hidesDigits('b@x'), true)
  bus.publish({ name: 'recording.muted', ...about, legId: 'l', on: false })
  press('l', '6')
  assert.equal(told.join(''), 'x56')
  assert.equal(bus.hidesDigits('b@x'), false)
})

test('a stranger who uses the Call-ID of a paused call again takes nothing off it, and a call that is over hides nothing', () => {
  const { bus } = open()
  bus.publish({ name: 'recording.paused', ...about, what: 'both' })
  bus.publish(leg('third', 'o', 'a@x'))
  assert.equal(bus.hidesDigits('a@x'), true)
  bus.publish({ name: 'call.ended', atMs: 3, callId: 'third', reason: 'hangup' })
  assert.equal(bus.hidesDigits('a@x'), true)
  bus.publish({ name: 'call.ended', atMs: 3, callId: 'c', reason: 'hangup' })
  assert.equal(bus.hidesDigits('a@x'), false)
})

test('digits of a call whose recording elsewhere is paused are hidden too', () => {
  const { bus, told, press } = open()
  bus.publish({ name: 'srs.paused', atMs: 2, callId: 'c' })
  press('l', '4')
  bus.publish({ name: 'recording.paused', ...about, what: 'both' })
  bus.publish({ name: 'srs.resumed', atMs: 2, callId: 'c' })
  press('l', '5')
  bus.publish({ name: 'recording.resumed', ...about, what: 'both', pausedMs: 1 })
  press('l', '6')
  assert.equal(told.join(''), 'xx6')
})
