/** Holds the code against the table in docs/architecture.md: who may import whom, and nobody else. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { test } from 'node:test'

const source = join(import.meta.dirname, '..', 'src')

/** What a folder may import besides its own files. */
interface Rule {
  readonly folders: readonly string[]
  /** Of these only the types. */
  readonly typesOf: readonly string[]
  /** Single files, or folders with a slash at the end. */
  readonly files: readonly string[]
}

/** The rows of `| folder, folder | core, events; types of call; \`pbx/directory.ts\` |`. */
function readTable(): ReadonlyMap<string, Rule> {
  const text = readFileSync(join(import.meta.dirname, '..', 'docs', 'architecture.md'), 'utf8')
  const rows = text.matchAll(/^\| ([a-z/, ]+) \| ([^|]+) \|$/gm)
  const rules = new Map<string, Rule>()
  for (const [, names = '', allowed = ''] of rows) {
    const [folders = '', ...more] = allowed.split(';').map((part) => part.trim())
    const types = more.find((part) => part.startsWith('types of ')) ?? ''
    const rule = {
      folders: folders.split(', ').filter((folder) => folder !== 'nothing'),
      typesOf: types.replace('types of ', '').split(', '),
      files: [...allowed.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
    }
    for (const name of names.split(', ')) rules.set(name, rule)
  }
  rules.delete('folder')
  return rules
}

const table = readTable()

/** Inside sip/: message ◀ transport ◀ transaction ◀ dialog ◀ subscription ◀ packages; auth knows messages only. */
const insideSip: Record<string, readonly string[]> = {
  message: [],
  transport: ['message'],
  transaction: ['message', 'transport'],
  dialog: ['message', 'transport', 'transaction', 'auth'],
  auth: ['message'],
  subscription: ['message', 'transport', 'transaction', 'dialog'],
  packages: ['message', 'subscription'],
  client: ['message', 'transport', 'dialog'],
}

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

function* files(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) yield* files(path)
    else if (entry.name.endsWith('.ts') && !/(\.test|^test-support)\.ts$/.test(entry.name)) yield path
  }
}

const posix = (path: string): string => path.replaceAll(sep, '/')

function importsOf(path: string): Import[] {
  const text = readFileSync(path, 'utf8')
  const found: Import[] = []
  const pattern = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'(\.[^']+)'|import\('(\.[^']+)'\)/gm
  for (const match of text.matchAll(pattern)) {
    const target = resolve(dirname(path), match[2] ?? match[3] ?? '')
    const braces = /\{([^}]*)\}/.exec(match[0])?.[1]
    const allNamesAreTypes = braces !== undefined && braces.split(',').every((name) => /^\s*(type\s|$)/.test(name))
    found.push({
      from: posix(relative(source, path)),
      to: posix(relative(source, target)),
      typeOnly: Boolean(match[1]) || allNamesAreTypes,
    })
  }
  return found
}

/** The row that a file of src/ stands under: that of the innermost folder with one. */
function folderOf(path: string): string {
  const names = path.split('/').slice(0, -1)
  for (; names.length > 1; names.pop()) if (table.has(names.join('/'))) break
  return names.join('/') || 'root'
}

function isAllowed({ from, to, typeOnly }: Import): boolean {
  const here = folderOf(from)
  const there = to.includes('/') ? (to.split('/')[0] ?? '') : 'root'
  if (here === 'root' || to.startsWith(`${here}/`)) return true
  const rule = table.get(here)
  if (!rule) return false
  if (rule.folders.includes(there) || (typeOnly && rule.typesOf.includes(there))) return true
  return rule.files.some((file) => to === file || (file.endsWith('/') && to.startsWith(file)))
}

const everyImport = [...files(source)].flatMap(importsOf)

test('each folder imports only what the table of docs/architecture.md allows', () => {
  assert.ok(everyImport.length > 500)
  assert.deepEqual(
    everyImport.filter((each) => !isAllowed(each)),
    [],
  )
})

test('inside sip/ imports point towards the wire', () => {
  const wrong = everyImport.filter(({ from, to }) => {
    const here = from.split('/')
    const there = to.split('/')
    if (here[0] !== 'sip' || there[0] !== 'sip' || here.length < 3 || there.length < 3) return false
    return here[1] !== there[1] && !insideSip[here[1] ?? '']?.includes(there[1] ?? '')
  })
  assert.deepEqual(wrong, [])
})

test('the folders of the table are those of src/', () => {
  const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  assert.deepEqual(
    [...table.keys()].filter((name) => !name.includes('/')).sort(),
    folders.map(({ name }) => name).sort(),
  )
})
