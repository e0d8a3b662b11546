import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseXml } from './xml.ts'

const names = (text: string): readonly string[] =>
  parseXml(Buffer.from(text)).root?.children.map(({ name }) => name) ?? []

test('what stands before and after a fault is read', () => {
  assert.deepEqual(names('<r><a/><b>x & y</b><c/></r>'), ['a', 'b', 'c'])
})

test('a document of faults costs no more than its first 500: what stood before them is read', () => {
  const start = '<r><a/>'
  const faults = '</x>'.repeat(100_000)
  assert.deepEqual(names(start + faults + '<b/>'), ['a'])
  assert.equal(parseXml(Buffer.from(start + faults)).problems.length, 20)
})
