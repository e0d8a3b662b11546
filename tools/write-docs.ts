/** `npm run docs`: put the tables made from the code into their pages, in place of the rows of the first table there. */
import { readFileSync, writeFileSync } from 'node:fs'
import { pagesWithTables } from './doc-tables.ts'

for (const [path, rows] of await pagesWithTables()) {
  const lines = readFileSync(path, 'utf8').split('\n')
  const first = lines.findIndex((line) => line.startsWith('|---')) + 1
  const after = lines.findIndex((line, index) => index >= first && !line.startsWith('|'))
  writeFileSync(path, [...lines.slice(0, first), ...rows, ...lines.slice(after)].join('\n'))
}
