import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { SoundStore } from './store.ts'
import { bytesOf, inMemory, saw, wav } from './test-support.ts'

let folder: string
let file: string
const sound = saw(20_000)

before(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-sounds-'))
  file = join(folder, 'prompt.wav')
  writeFileSync(file, wav(bytesOf(sound), 8000))
})

after(() => rmSync(folder, { recursive: true }))

test('a file that many play is there once, in pieces of a second', async () => {
  const store = new SoundStore()
  const first = await store.open({ file }, 8000)
  assert.equal(first.piece(0), undefined, 'it is on its way')
  await first.ready(0)
  const second = await store.open({ file }, 8000)
  assert.equal(second, first)
  assert.deepEqual(second.piece(0), sound.slice(0, 8000))
  await first.ready(2)
  assert.deepEqual(first.piece(2), sound.slice(16_000))
  assert.equal(first.piece(3), undefined)
  first.release()
  second.release()
  const again = await store.open({ file }, 8000)
  assert.ok(again.piece(0), 'kept for the next')
  await again.ready(1)
  assert.deepEqual(again.piece(1), sound.slice(8000, 16_000), 'and opened again for what was not read')
  again.release()
})

test('a file that was changed is another one', async () => {
  const store = new SoundStore()
  const before = await store.open({ file }, 8000)
  utimesSync(file, 1, 1)
  const changed = await store.open({ file }, 8000)
  assert.notEqual(changed, before)
  before.release()
  changed.release()
})

test('no more is kept than there is room for; what was asked for last stays', async () => {
  const store = new SoundStore(16_000)
  const stored = await store.open({ file }, 8000)
  await stored.ready(0)
  await stored.ready(1)
  stored.piece(0)
  await stored.ready(2)
  assert.ok(store.keptSamples <= 16_000)
  assert.ok(stored.piece(0))
  assert.equal(stored.piece(1), undefined)
  stored.release()
})

test('what nobody else can play is given up as it is passed, and when it is released', async () => {
  const store = new SoundStore()
  const stored = await store.open(inMemory(sound), 8000)
  await stored.ready(0)
  await stored.ready(1)
  assert.equal(store.keptSamples, 16_000)
  stored.passed(0)
  assert.equal(store.keptSamples, 8000)
  stored.release()
  assert.equal(store.keptSamples, 0)
})

test('a file that is cut while it is played fails where it ends now', async () => {
  const store = new SoundStore()
  const path = join(folder, 'cut.wav')
  writeFileSync(path, wav(bytesOf(sound), 8000))
  const stored = await store.open({ file: path }, 8000)
  await stored.ready(0)
  truncateSync(path, 20_000)
  await stored.ready(1)
  assert.equal(stored.failure?.code, 'media.sound-broken')
  stored.release()
})

test('a file that vanishes before its end fails, once it is asked for, and can be tried again', async () => {
  const store = new SoundStore()
  const path = join(folder, 'short-lived.wav')
  writeFileSync(path, wav(bytesOf(sound), 8000))
  const stored = await store.open({ file: path }, 8000)
  await stored.ready(0)
  stored.release()
  const again = await store.open({ file: path }, 8000)
  rmSync(path)
  await again.ready(1)
  assert.equal(again.failure?.code, 'media.sound-missing')
  await assert.rejects(store.open({ file: path }, 8000), { code: 'media.sound-missing' })
})
