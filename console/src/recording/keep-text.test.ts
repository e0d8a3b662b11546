import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Hold } from '../../../src/api/schemas/retention.ts'
import { fullTime } from '../format.ts'
import { holdText, keepText, ruleText } from './keep-text.ts'

const hold: Hold = {
  id: 'h',
  kind: 'person',
  subject: 'number:4930123',
  why: 'Case 7',
  placedBy: 'anna',
  placedAtMs: 1,
}

test('a recording says until when it is kept, and by which rule', () => {
  const counts = { by: 'rule', ruleId: 'r', name: 'Sales', days: 90 } as const
  const text = keepText({ keepUntilMs: 7_776_000_000, counts, holds: [] })
  assert.equal(text, `Kept until ${fullTime(7_776_000_000)}: the rule "Sales" says 90 days.`)
})

test('without an end it is kept for ever, by the settings or by the call itself', () => {
  assert.equal(keepText({ counts: { by: 'setting' }, holds: [] }), 'Kept for ever: the settings say for ever.')
})

test('a legal hold comes before all rules', () => {
  const counts = { by: 'call', days: 1 } as const
  const text = keepText({ keepUntilMs: 1, counts, holds: [hold] })
  assert.equal(text, 'Kept while a legal hold stands. Without it: the call itself asked for 1 day.')
})

test('a hold says on whom, by whom and why', () => {
  assert.equal(holdText(hold), 'Hold on 4930123, by anna: Case 7')
  assert.equal(holdText({ ...hold, kind: 'call', subject: 'c1' }), 'Hold on the call, by anna: Case 7')
})

test('a rule says for how long it keeps what', () => {
  assert.equal(ruleText({ name: 'All' }), 'For ever: calls and SIPREC sessions')
  const rule = { name: 'Sales', kind: 'siprec', peer: 'SBC', tag: 'sales', extension: '101', days: 90 } as const
  assert.equal(ruleText(rule), '90 days: SIPREC sessions, of SBC, tagged sales, with extension 101')
})
