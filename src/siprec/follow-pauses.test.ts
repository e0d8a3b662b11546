import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { Pauses } from '../recording/pauses.ts'
import { followPauses } from './follow-pauses.ts'
import { readOffer } from './offer.ts'

type Held = 'sendonly' | 'inactive' | '0.0.0.0'

/** Two streams in these directions, at these addresses, as a re-INVITE offers them. */
function streams(...held: readonly Held[]) {
  const lines = held.map((how, i) => {
    const direction = how === 'inactive' ? 'inactive' : 'sendonly'
    return `m=audio ${4000 + 2 * i} RTP/AVP 0\r\na=${direction}\r\na=label:${i}\r\n`
  })
  const { streams: offered } = readOffer(
    `v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n${lines.join('')}`,
  )
  return offered.map((one, i) => ({ legId: `${i}`, offered: one, heldByAddress: held[i] === '0.0.0.0' }))
}

function recording() {
  const told: string[] = []
  const pauses = new Pauses({
    clock: new FakeClock(),
    paused: () => told.push('paused'),
    resumed: () => told.push('resumed'),
    muted: (legId, on) => told.push(`${on ? 'muted' : 'unmuted'} ${legId}`),
  })
  const follow = (...held: readonly Held[]): string[] => {
    followPauses(pauses, streams(...held))
    return told.splice(0)
  }
  return { pauses, follow }
}

test('inactive streams, and those whose address was taken back, pause the recording until they send again', () => {
  const { follow } = recording()
  assert.deepEqual(follow('sendonly', 'sendonly'), [])
  assert.deepEqual(follow('inactive', '0.0.0.0'), ['paused'])
  assert.deepEqual(follow('inactive', 'inactive'), [])
  assert.deepEqual(follow('sendonly', 'sendonly'), ['resumed'])
})

test('one inactive stream is muted, and the other goes on; nothing is heard between two ways of holding', () => {
  const { pauses, follow } = recording()
  assert.deepEqual(follow('inactive', 'sendonly'), ['muted 0'])
  assert.deepEqual(follow('inactive', 'inactive'), ['paused', 'unmuted 0'])
  assert.ok(pauses.keepsOut('0') && pauses.keepsOut('1'))
  assert.deepEqual(follow('inactive', 'sendonly'), ['muted 0', 'resumed'])
  assert.ok(pauses.keepsOut('0') && !pauses.keepsOut('1'))
})

test('a session refresh does not resume what a person paused', () => {
  const { pauses, follow } = recording()
  pauses.pause({ by: 'api' })
  assert.deepEqual(follow('sendonly', 'sendonly'), ['paused'])
  assert.ok(pauses.keepsOut('0'))
})
