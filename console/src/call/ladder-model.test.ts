import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Leg, TracedMessage } from '../../../src/api/schemas/calls.ts'
import { ladderOf } from './ladder-model.ts'

const leg = (role: Leg['role'], name: string, remote: string, sipCallId: string): Leg => ({
  id: name,
  role,
  party: { uri: `sip:${name}@example.com` },
  sipCallId,
  transport: 'udp',
  remote,
  startedAtMs: 0,
  digits: '',
})

const message = (
  atMs: number,
  direction: 'in' | 'out',
  remote: string,
  sipCallId: string,
  summary: string,
): TracedMessage => ({
  atMs,
  direction,
  transport: 'udp',
  local: '192.0.2.1:5060',
  remote,
  sipCallId,
  summary,
  text: '',
})

test('the caller stands left of Patchbay, each called device right of it', () => {
  const legs = [
    leg('caller', 'alice', '192.0.2.17:5060', 'a'),
    leg('callee', 'bob', '192.0.2.23:5060', 'b'),
    leg('callee', 'bob', '192.0.2.24:5060', 'c'),
  ]
  const { columns, arrows } = ladderOf(
    [
      message(1_000, 'in', '192.0.2.17:5060', 'a', 'INVITE sip:bob@example.com SIP/2.0'),
      message(1_002, 'out', '192.0.2.23:5060', 'b', 'INVITE sip:bob@192.0.2.23 SIP/2.0'),
      message(1_003, 'out', '192.0.2.24:5060', 'c', 'INVITE sip:bob@192.0.2.24 SIP/2.0'),
      message(1_500, 'in', '192.0.2.24:5060', 'c', 'SIP/2.0 200 OK'),
    ],
    legs,
  )
  assert.deepEqual(
    columns.map(({ name, address }) => `${name} ${address}`.trim()),
    ['alice 192.0.2.17:5060', 'Patchbay', 'bob 192.0.2.23:5060', 'bob 192.0.2.24:5060'],
  )
  assert.deepEqual(
    arrows.map(({ from, to, label, afterMs }) => [from, to, label, afterMs]),
    [
      [0, 1, 'INVITE', 0],
      [1, 2, 'INVITE', 2],
      [1, 3, 'INVITE', 3],
      [3, 1, '200 OK', 500],
    ],
  )
})

test('messages stand in the order of time, whatever order they came in', () => {
  const legs = [leg('caller', 'alice', 'x:1', 'a')]
  const { arrows } = ladderOf(
    [message(9, 'out', 'x:1', 'a', 'SIP/2.0 100 Trying'), message(5, 'in', 'x:1', 'a', 'INVITE sip:b SIP/2.0')],
    legs,
  )
  assert.deepEqual(
    arrows.map(({ label }) => label),
    ['INVITE', '100 Trying'],
  )
})

test('what a message means shows in its class', () => {
  const legs = [leg('caller', 'alice', 'x:1', 'a')]
  const lines = ['BYE sip:b SIP/2.0', 'SIP/2.0 183 Session Progress', 'SIP/2.0 202 Accepted', 'SIP/2.0 486 Busy Here']
  const { arrows } = ladderOf(
    lines.map((line, index) => message(index, 'in', 'x:1', 'a', line)),
    legs,
  )
  assert.deepEqual(
    arrows.map((arrow) => arrow.class),
    ['request', 'progress', 'success', 'failure'],
  )
})

test('all streams of a recording session come from one client', () => {
  const legs = [leg('stream', 'alice', 'x:1', 'a'), leg('stream', 'bob', 'x:1', 'a')]
  const { columns } = ladderOf([message(0, 'in', 'x:1', 'a', 'INVITE sip:srs SIP/2.0')], legs)
  assert.deepEqual(
    columns.map(({ name }) => name),
    ['Recording client', 'Patchbay'],
  )
})
