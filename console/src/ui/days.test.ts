import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dayEndMs, dayStartMs } from './days.ts'

test('a day reaches from midnight to midnight in the zone of the reader', () => {
  assert.equal(dayStartMs('2026-11-20'), new Date(2026, 10, 20).getTime())
  assert.equal(dayEndMs('2026-11-20'), new Date(2026, 10, 21).getTime())
})

test('what is no day is no limit', () => {
  for (const text of ['', '2026', '2026-13-40', 'today']) {
    assert.equal(dayStartMs(text), undefined)
    assert.equal(dayEndMs(text), undefined)
  }
})
