import assert from 'node:assert/strict'
import { test } from 'node:test'
import { belongings, stemOf } from './belongings.ts'

test('to a recording belong its files, sealed or not, and the notes beside them', () => {
  const names = belongings('call', ['call.wav', 'call_1.wav', 'call_1.rtpdump'])
  for (const name of [
    'call.wav',
    'call.json',
    'call.wav.sealed',
    'call_1.wav.locations',
    'call_1.flac',
    'call_1.rtpdump',
  ])
    assert.ok(names.includes(name), name)
  assert.equal(new Set(names).size, names.length)
})

test('what is called alike belongs to another recording: Call-IDs have dots in them', () => {
  const names = belongings('a@10.0.0.1', ['a@10.0.0.1.wav', 'a@10.0.0.1_1.wav'])
  for (const name of ['a@10.0.0.1.5.wav', 'a@10.0.0.1.5.json', 'a@10.0.0.1_2.wav', 'a@10.0.0.1.wav.wav'])
    assert.ok(!names.includes(name), name)
})

for (const [name, stem] of [
  ['a.wav', 'a'],
  ['a.wav.sealed', 'a'],
  ['a.b.wav.locations', 'a.b'],
  ['a.sealed', 'a.sealed'],
  ['a.txt', 'a.txt'],
  ['a', 'a'],
] as const)
  test(`${name} is named after ${stem}`, () => assert.equal(stemOf(name), stem))
