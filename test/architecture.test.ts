/** Holds the table of allowed imports (docs/architecture.md): who may import whom, and nobody else. */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { test } from 'node:test'

const source = join(import.meta.dirname, '..', 'src')

/** Folder to the folders it may import; its own is always allowed. */
const allowed: Record<string, readonly string[]> = {
  core: [],
  events: ['core'],
  sdp: ['core'],
  rtp: ['core'],
  codec: ['core'],
  dsp: ['core'],
  net: ['core'],
  sip: ['core', 'net'],
  media: ['core', 'net', 'rtp', 'codec', 'dsp'],
  call: ['core', 'events', 'sip', 'sdp', 'media'],
  recording: ['core', 'events', 'codec', 'media'],
  archive: ['core'],
  speech: ['core', 'media'],
  siprec: ['core', 'events', 'sip', 'sdp', 'call', 'media', 'recording'],
  pbx: ['core', 'events', 'sip', 'call', 'media', 'recording', 'speech'],
  agent: ['core', 'events', 'call', 'media', 'speech'],
  analytics: ['core', 'events', 'speech'],
  compliance: ['core', 'events', 'speech'],
  security: ['core', 'events', 'sip'],
  auth: ['core', 'events'],
  messaging: ['core', 'events'],
  ops: ['core', 'events'],
  cluster: ['core', 'events'],
  database: ['core', 'events'],
  api: ['core', 'events', 'auth', 'call', 'pbx', 'siprec', 'recording', 'agent', 'analytics', 'compliance', 'ops'],
  cli: [],
  demo: ['core', 'sip', 'sdp', 'rtp', 'codec', 'net'],
}

/** Files of errors: whoever implements an interface throws what it declares, and the API knows what each code means. */
const allowedFiles: Record<string, readonly string[]> = {
  api: [join('database', 'failures.ts')],
  database: [join('pbx', 'directory.ts'), join('auth', 'failures.ts')],
}

/** `database` may take from features the interfaces they declare, `demo` from the API its shapes: type-only imports. */
const allowedTypes: Record<string, readonly string[]> = {
  database: ['pbx', 'call', 'auth', 'recording', 'siprec'],
  demo: ['api'],
}

/** The thread that owns the sockets must start fast and know no more than this. */
const workerMayImport = new Set(['core', 'net', 'rtp', 'codec', 'dsp'])

/** Inside sip/: message ◀ transport ◀ transaction ◀ dialog; auth knows messages only. */
const insideSip: Record<string, readonly string[]> = {
  message: [],
  transport: ['message'],
  transaction: ['message', 'transport'],
  dialog: ['message', 'transport', 'transaction', 'auth'],
  auth: ['message'],
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

function importsOf(path: string): Import[] {
  const text = readFileSync(path, 'utf8')
  const found: Import[] = []
  const pattern = /^\s*(?:import|export)\s+(type\s+)?(?:[^'";]*?\sfrom\s+)?'(\.[^']+)'|import\('(\.[^']+)'\)/gm
  for (const match of text.matchAll(pattern)) {
    const target = resolve(dirname(path), match[2] ?? match[3] ?? '')
    const braces = /\{([^}]*)\}/.exec(match[0])?.[1]
    const allNamesAreTypes = braces !== undefined && braces.split(',').every((name) => /^\s*(type\s|$)/.test(name))
    found.push({
      from: relative(source, path),
      to: relative(source, target),
      typeOnly: Boolean(match[1]) || allNamesAreTypes,
    })
  }
  return found
}

const folderOf = (path: string): string => (path.includes(sep) ? (path.split(sep)[0] ?? '') : '')
const everyImport = [...files(source)].flatMap(importsOf)

test('each folder imports only what the table allows', () => {
  const wrong = everyImport.filter(({ from, to, typeOnly }) => {
    const here = folderOf(from)
    const there = folderOf(to)
    if (here === '' || here === there) return false // main.ts and its helpers know all; own folder is free
    if (typeOnly && allowedTypes[here]?.includes(there)) return false
    if (allowedFiles[here]?.includes(to)) return false
    if (here === 'cli')
      return !(there === '' || there === 'core' || there === 'demo' || to.startsWith(join('api', 'schemas')))
    if (here === 'demo' && there === '') return false
    return !allowed[here]?.includes(there)
  })
  assert.deepEqual(wrong, [])
})

test('a media worker imports only core, net, rtp, codec, dsp and its own protocol', () => {
  const wrong = everyImport.filter(({ from, to }) => {
    if (!from.startsWith(join('media', 'worker'))) return false
    if (
      to.startsWith(join('media', 'worker')) ||
      to === join('media', 'protocol.ts') ||
      to === join('media', 'types.ts')
    )
      return false
    return !workerMayImport.has(folderOf(to))
  })
  assert.deepEqual(wrong, [])
})

test('inside sip/ imports point towards the wire', () => {
  const wrong = everyImport.filter(({ from, to }) => {
    const here = from.split(sep)
    const there = to.split(sep)
    if (here[0] !== 'sip' || there[0] !== 'sip' || here.length < 3 || there.length < 3) return false
    return here[1] !== there[1] && !insideSip[here[1] ?? '']?.includes(there[1] ?? '')
  })
  assert.deepEqual(wrong, [])
})

test('every folder of src/ stands in the table', () => {
  const folders = readdirSync(source, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  assert.deepEqual(
    folders.map((entry) => entry.name).filter((name) => !(name in allowed)),
    [],
  )
})
