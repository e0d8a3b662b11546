/** The tables of docs/errors.md, docs/configuration.md and docs/siprec/environment.md, made from the code. `npm run docs` writes them; tests hold them. */
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { FailureTable } from '../src/core/failures.ts'
import { settingsMarkdown } from '../src/core/settings/show.ts'
import { siprecNameRows } from './siprec-names.ts'

const root = join(import.meta.dirname, '..')

/** The rows of docs/errors.md: one for each code of each `…Failures` table. */
export async function errorRows(): Promise<string[]> {
  const tables: FailureTable[] = []
  for (const path of globSync(['src/**/*failures.ts', 'src/pbx/directory.ts'], { cwd: root })) {
    const module = (await import(pathToFileURL(join(root, path)).href)) as Record<string, unknown>
    for (const [name, table] of Object.entries(module))
      if (name.endsWith('Failures')) tables.push(table as FailureTable)
  }
  return tables
    .flatMap((table) => Object.entries(table))
    .map(([code, { fault, sip, http, text }]) => `| \`${code}\` | ${fault} | ${sip ?? ''} | ${http ?? ''} | ${text} |`)
    .sort()
}

/** Pages with a table in them, by path, each with the lines its table has to hold. */
export async function pagesWithTables(): Promise<Map<string, readonly string[]>> {
  return new Map([
    [join(root, 'docs/errors.md'), await errorRows()],
    [join(root, 'docs/configuration.md'), settingsMarkdown().split('\n').slice(2)],
    [join(root, 'docs/siprec/environment.md'), siprecNameRows()],
  ])
}
