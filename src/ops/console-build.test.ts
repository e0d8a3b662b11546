import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { silentLogger } from '../core/logger.ts'
import { ensureConsoleBuilt } from './console-build.ts'

const fail = () => Promise.reject(new Error("Cannot find package 'vite'"))

const sources = ['index.html', 'package.json', 'vite.config.ts']

/** A console folder with one source, and a builder that counts. */
async function consoleFolder(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-console-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  for (const name of ['src', 'public', 'fallback']) await mkdir(join(folder, name))
  for (const name of [...sources, 'src/main.tsx', 'public/icon.svg']) {
    await writeFile(join(folder, name), name)
  }
  let builds = 0
  const build = async (outDir: string) => {
    builds += 1
    await mkdir(outDir)
    await writeFile(join(outDir, 'index.html'), `build ${builds}`)
  }
  const ensure = (how: (outDir: string) => Promise<unknown> = build) =>
    ensureConsoleBuilt({ log: silentLogger, folder, build: how })
  return { folder, ensure, builds: () => builds }
}

test('a missing console is built, an unchanged one is served as it is', async (t) => {
  const { folder, ensure, builds } = await consoleFolder(t)
  assert.equal(await ensure(), join(folder, 'dist'))
  assert.equal(await ensure(), join(folder, 'dist'))
  assert.equal(builds(), 1)
})

test('a changed source brings a new build, a changed test does not', async (t) => {
  const { folder, ensure, builds } = await consoleFolder(t)
  await ensure()
  await writeFile(join(folder, 'src', 'main.test.ts'), 'a test')
  await ensure()
  assert.equal(builds(), 1)
  await writeFile(join(folder, 'src', 'main.tsx'), 'changed')
  const dist = await ensure()
  assert.equal(await readFile(join(dist, 'index.html'), 'utf8'), 'build 2')
})

test('without the builder the page that says what to do is served', async (t) => {
  const { folder, ensure } = await consoleFolder(t)
  assert.equal(await ensure(fail), join(folder, 'fallback'))
})

test('when a build fails the older one is still served', async (t) => {
  const { folder, ensure } = await consoleFolder(t)
  await ensure()
  await writeFile(join(folder, 'src', 'main.tsx'), 'broken')
  const dist = await ensure(fail)
  assert.equal(await readFile(join(dist, 'index.html'), 'utf8'), 'build 1')
})

test('a build given up because the server stops leaves nothing behind', async (t) => {
  const { folder, ensure } = await consoleFolder(t)
  const stopping = new AbortController()
  const building = ensure(async (outDir) => {
    await mkdir(outDir)
    stopping.abort()
    stopping.signal.throwIfAborted()
  })
  assert.equal(await building, join(folder, 'fallback'))
  assert.deepEqual((await readdir(folder)).sort(), [...sources, 'fallback', 'public', 'src'].sort())
})

test('what a killed server left of its build goes with the next one', async (t) => {
  const { folder, ensure } = await consoleFolder(t)
  const left = join(folder, 'dist-0123456789abcdef')
  await mkdir(left)
  const hourAgo = new Date(Date.now() - 3_600_000)
  await utimes(left, hourAgo, hourAgo)
  await ensure()
  assert.equal((await readdir(folder)).includes('dist-0123456789abcdef'), false)
})

test('two servers that build at once both end with a whole build and leave nothing behind', async (t) => {
  const { folder, ensure } = await consoleFolder(t)
  const folders = await Promise.all([ensure(), ensure()])
  assert.deepEqual(folders, [join(folder, 'dist'), join(folder, 'dist')])
  const left = (await readdir(folder)).filter((name) => name.startsWith('dist'))
  assert.deepEqual(left, ['dist'])
})
