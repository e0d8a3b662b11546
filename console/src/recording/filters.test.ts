import assert from 'node:assert/strict'
import { test } from 'node:test'
import { recordingStateSchema } from '../../../src/api/schemas/recordings.ts'
import { verdicts } from '../../../src/media/verdict.ts'
import { recordingFilters, stateChoices, verdictChoices } from './filters.ts'

const asked = (query: string) => {
  const parameters = new URLSearchParams(query)
  const filters = recordingFilters((name) => parameters.get(name) ?? '')
  return Object.fromEntries(Object.entries(filters).filter(([, value]) => value !== undefined))
}

const values = (choices: typeof stateChoices) => choices.map(({ value }) => value).filter(Boolean)

test('the filters of the address are those of the API', () => {
  assert.deepEqual(asked('search=bob&kind=siprec&tag=sales&peer=SBC&verdict=one-way-audio&held=true&state=stored'), {
    search: 'bob',
    kind: 'siprec',
    tag: 'sales',
    peer: 'SBC',
    verdict: 'one-way-audio',
    held: 'true',
    state: 'stored',
  })
})

test('lengths are at least or at most so long', () => {
  assert.deepEqual(asked('length=600'), { minDurationMs: 600_000 })
  assert.deepEqual(asked('length=-10'), { maxDurationMs: 10_000 })
})

test('words of the address that are no choice are left out', () => {
  assert.deepEqual(asked('kind=fax&length=7&held=maybe&state=lost&verdict=&from=yesterday'), {})
})

test('every verdict and every state can be filtered for', () => {
  assert.deepEqual(values(verdictChoices), Object.keys(verdicts))
  assert.deepEqual(values(stateChoices), recordingStateSchema.options)
})
