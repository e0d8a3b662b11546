/** Documentation that lists what the code has is held against the code. */
import assert from 'node:assert/strict'
import { existsSync, globSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
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

test('docs/retention.md lists what the audit record can hold', () => {
  const documented = read('docs/retention.md')
  const sources = globSync('src/**/*.ts', { cwd: root }).filter((path) => !path.endsWith('.test.ts'))
  const kept = sources.flatMap((path) =>
    [...read(path).matchAll(/(?:audit: |auditHere\(\w+, |action: )'([a-z-]+\.[a-z-]+)'/g)].map(([, action]) => action),
  )
  assert.ok(kept.length > 30)
  assert.deepEqual(new Set(kept.filter((action) => !documented.includes(`\`${action}\``))), new Set())
})

test('CHANGELOG.md has one entry for each thing', () => {
  const titles = [...read('CHANGELOG.md').matchAll(/^- \*\*(.+?)\*\*/gm)].map((match) => match[1])
  assert.ok(titles.length > 10)
  assert.deepEqual(titles, [...new Set(titles)])
})

test('every link from page to page leads to a file and a heading that are there', () => {
  const pages = globSync(['*.md', '{docs,examples,console,bench,test}/**/*.md'], { cwd: root })
  const lost: string[] = []
  let links = 0
  for (const page of pages)
    for (const [, to = ''] of read(page).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^(?:https?|mailto):/.test(to)) continue
      links++
      const [path = '', heading] = to.split('#')
      const target = path === '' ? page : join(dirname(page), path)
      const leads = existsSync(join(root, target)) && (heading === undefined || anchorsOf(target).includes(heading))
      if (!leads) lost.push(`${page}: ${to}`)
    }
  assert.ok(links > 30)
  assert.deepEqual(lost, [])
})

/** As GitHub makes them of headings. */
const anchorsOf = (page: string): string[] =>
  [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  )
