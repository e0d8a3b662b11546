import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dayMs, decide, shortestDays } from './decide.ts'
import type { RetentionCase, RetentionRule } from './types.ts'

const recording: RetentionCase = {
  recordingId: 'r',
  callId: 'c',
  kind: 'siprec',
  startedAtMs: 1_000,
  endedAtMs: 61_000,
  peer: 'sbc',
  tags: ['sales'],
  extensions: ['101'],
}
const rule = (id: string, changes: Partial<RetentionRule>): RetentionRule => ({
  id,
  name: id,
  createdAtMs: 0,
  ...changes,
})

test('where nothing applies the setting counts; 0 keeps for ever', () => {
  assert.deepEqual(decide(recording, [], 30), {
    counts: { by: 'setting', days: 30 },
    reasons: [{ by: 'setting', days: 30 }],
    keepUntilMs: 61_000 + 30 * dayMs,
  })
  assert.deepEqual(decide(recording, [], 0), { counts: { by: 'setting' }, reasons: [{ by: 'setting' }] })
})

test('of all that apply the longest counts, in whatever order they stand, and the setting does not', () => {
  const rules = [rule('short', { peer: 'sbc', days: 7 }), rule('long', { tag: 'sales', days: 90 })]
  for (const ordered of [rules, rules.toReversed()]) {
    const { counts, reasons } = decide({ ...recording, retentionDays: 10 }, ordered, 365)
    assert.deepEqual(counts, { by: 'rule', ruleId: 'long', name: 'long', days: 90 })
    assert.equal(reasons.length, 3)
  }
})

test('for ever is longer than any number of days', () => {
  const rules = [rule('ever', { peer: 'sbc' }), rule('long', { days: 36_500 })]
  const decision = decide(recording, rules, 0)
  assert.equal(decision.counts.ruleId, 'ever')
  assert.equal(decision.keepUntilMs, undefined)
})

test('what the call itself asked for counts where it is the longest', () => {
  const { counts } = decide({ ...recording, retentionDays: 100 }, [rule('short', { days: 7 })], 0)
  assert.deepEqual(counts, { by: 'call', days: 100 })
})

for (const [match, fits] of [
  [{ kind: 'siprec' }, true],
  [{ kind: 'pbx' }, false],
  [{ peer: 'other' }, false],
  [{ tag: 'sales', extension: '101' }, true],
  [{ tag: 'sales', extension: '102' }, false],
  [{ tag: 'sale' }, false],
  [{}, true],
] as const)
  test(`a rule of ${JSON.stringify(match)} ${fits ? 'applies' : 'does not apply'}`, () => {
    assert.equal(decide(recording, [rule('x', { ...match, days: 1 })], 0).counts.by, fits ? 'rule' : 'setting')
  })

test('nothing is looked at before the shortest time that anything says', () => {
  assert.equal(shortestDays([{}], undefined, 0), undefined)
  assert.equal(shortestDays([{ days: 9 }, {}], 4, 30), 4)
  assert.equal(shortestDays([{ days: 9 }], undefined, 0), 9)
})
