/** Documentation that lists what the code has is held against the code. */
import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import type { FailureTable } from '../src/core/failures.ts'

const root = join(import.meta.dirname, '..')
const read = (path: string): string => readFileSync(join(root, path), 'utf8')

test('docs/events.md lists the facts of the catalogue, and no others', () => {
  const body = /export interface Facts \{([\s\S]*?)\n\}/.exec(read('src/events/catalogue.ts'))?.[1] ?? ''
  const told = [...body.matchAll(/^ {2}'([a-z-]+\.[a-z-]+)':/gm)].map((match) => match[1])
  const documented = [...read('docs/events.md').matchAll(/^\| `([a-z-]+\.[a-z-]+)` \|/gm)].map((match) => match[1])
  assert.ok(told.length > 10)
  assert.deepEqual(documented, told)
})

test('docs/errors.md lists every error code with its fault, answers and text, and no others', async () => {
  const tables: FailureTable[] = []
  for (const path of globSync(['src/**/*failures.ts', 'src/pbx/directory.ts'], { cwd: root }).sort()) {
    const module = (await import(pathToFileURL(join(root, path)).href)) as Record<string, unknown>
    for (const [name, table] of Object.entries(module))
      if (name.endsWith('Failures')) tables.push(table as FailureTable)
  }
  const rows = tables
    .flatMap((table) => Object.entries(table))
    .map(([code, { fault, sip, http, text }]) => `| \`${code}\` | ${fault} | ${sip ?? ''} | ${http ?? ''} | ${text} |`)
    .sort()
  assert.ok(rows.length > 5)
  const documented = read('docs/errors.md')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
  assert.deepEqual(documented, rows)
})
