import assert from 'node:assert/strict'
import { test } from 'node:test'
import { endReasonSchema } from '../../src/api/schemas/common.ts'
import { clockTime, endText, fileSize, partyName, partyNumber, shortTime, spokenDuration, traceTime } from './format.ts'

test('a party is called by name, else by extension, else by its address', () => {
  assert.equal(partyName({ uri: 'sip:101@x', name: 'Alice', extension: '101' }), 'Alice')
  assert.equal(partyName({ uri: 'sip:101@x', extension: '101' }), '101')
  assert.equal(partyName({ uri: 'sip:bob%20b@x;transport=tcp' }), 'bob b')
  assert.equal(partyName({ uri: 'tel:+4930123' }), '+4930123')
  assert.equal(partyName({ uri: 'sip:192.0.2.1' }), '192.0.2.1')
  assert.equal(partyName({ uri: 'sip:%zz@x' }), '%zz')
  assert.equal(partyName({}), 'Unknown')
})

test('the number stands beside a name only when it says more', () => {
  assert.equal(partyNumber({ uri: 'sip:101@x', name: 'Alice', extension: '101' }), '101')
  assert.equal(partyNumber({ uri: 'sip:101@x' }), undefined)
  assert.equal(partyNumber({ uri: 'sip:agent@x', name: 'Agent' }), undefined)
})

test('durations read as a clock in lists and as words in sentences', () => {
  assert.deepEqual([0, 7_400, 750_000, 3_723_000, -5].map(clockTime), ['0:00', '0:07', '12:30', '1:02:03', '0:00'])
  assert.deepEqual([900, 7_900, 750_000, 120_000, 3_720_000, 3_600_000].map(spokenDuration), [
    'less than a second',
    '7 s',
    '12 min 30 s',
    '2 min',
    '1 h 2 min',
    '1 h',
  ])
})

test('sizes are given in thousands', () => {
  assert.deepEqual([44, 999, 1_000, 352_044, 1_234_567, 115_200_044].map(fileSize), [
    '44 B',
    '999 B',
    '1.0 kB',
    '352 kB',
    '1.2 MB',
    '115 MB',
  ])
})

test('a time of today and yesterday is called so', () => {
  const noon = new Date(2026, 10, 20, 12, 0, 0).getTime()
  assert.match(shortTime(noon, noon), /^Today /)
  assert.match(shortTime(noon, new Date(2026, 10, 21, 0, 30).getTime()), /^Yesterday /)
  assert.doesNotMatch(shortTime(noon, new Date(2026, 10, 22, 0, 30).getTime()), /day/)
  assert.match(shortTime(noon, new Date(2027, 0, 2).getTime()), /2026/)
})

test('the time of a message has milliseconds, and its day when that is not today', () => {
  const at = new Date(2026, 10, 20, 14, 3, 7, 250).getTime()
  assert.match(traceTime(at, at), /^\d\d:03:07.250/)
  assert.match(traceTime(at, at + 86_400_000), /20.*03:07.250/)
})

test('every reason for the end of a call has words', () => {
  for (const reason of endReasonSchema.options) assert.match(endText(reason).sentence, /\.$/, reason)
  assert.equal(endText(undefined).label, 'In progress')
})
