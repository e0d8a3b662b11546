/** Documentation that lists what the code has is held against the code. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { errorRows } from '../tools/doc-tables.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

test('docs/events.md lists the facts of the catalogue, and no others', () => {
  const body = /export interface Facts \{([\s\S]*?)\n\}/.exec(read('src/events/catalogue.ts'))?.[1] ?? ''
  const told = [...body.matchAll(/^ {2}'([a-z-]+\.[a-z-]+)':/gm)].map((match) => match[1])
  const documented = [...read('docs/events.md').matchAll(/^\| `([a-z-]+\.[a-z-]+)` \|/gm)].map((match) => match[1])
  assert.ok(told.length > 10)
  assert.deepEqual(documented, told)
})

test('docs/errors.md lists every error code with its fault, answers and text, and no others; `npm run docs` makes it', async () => {
  const rows = await errorRows()
  assert.ok(rows.length > 5)
  const documented = read('docs/errors.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  assert.deepEqual(documented, rows)
})
