import assert from 'node:assert/strict'
import { test } from 'node:test'
import { countsText, subjectOf } from './subject.ts'

test('one number is a person, several are all of the same person', () => {
  assert.deepEqual(subjectOf('person', ' +49 30 123 '), { person: '+49 30 123' })
  assert.deepEqual(subjectOf('person', '+4930123, a@example.com,'), { person: ['+4930123', 'a@example.com'] })
})

test('a call is named by its id, and nothing typed is nobody', () => {
  assert.deepEqual(subjectOf('call', ' c1 '), { callId: 'c1' })
  assert.equal(subjectOf('person', ' , '), undefined)
  assert.equal(subjectOf('call', ''), undefined)
})

test('what would go is counted in words, and what is none is left out', () => {
  const none = { calls: 0, recordings: 0, files: 0, copies: {}, rows: {}, mentions: 0, exports: 0, jobs: 0 }
  assert.equal(countsText(none), '0 calls')
  const some = { ...none, calls: 2, recordings: 1, files: 3, copies: { s3: 2, local: 1 }, rows: { legs: 4, calls: 2 } }
  assert.equal(countsText(some), '2 calls, 1 recording, 3 files, 3 copies in archives, 6 rows of the database')
})
