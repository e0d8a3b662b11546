import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import { type Logger, silentLogger } from '../../core/logger.ts'
import { EnvironmentKeys } from './environment-keys.ts'
import { FileKeys } from './file-keys.ts'
import { KeyRing } from './key-ring.ts'
import type { MasterKeys } from './master-keys.ts'

let folder: string
let clock: FakeClock
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'patchbay-keys-'))
  clock = new FakeClock()
})
afterEach(() => rmSync(folder, { recursive: true }))

const keys = (): string => join(folder, 'keys')
const secret = randomBytes(32)

interface Source {
  readonly first: () => MasterKeys
  /** The same keys, seen by another process, or after a restart. */
  readonly again: () => MasterKeys
}

const sources: Readonly<Record<string, Source>> = {
  file: { first: () => new FileKeys(keys(), clock), again: () => new FileKeys(keys(), clock) },
  env: {
    first: () => new EnvironmentKeys([secret.toString('hex')]),
    again: () => new EnvironmentKeys([randomBytes(32).toString('hex'), secret.toString('base64')]),
  },
}

for (const [kind, { first, again }] of Object.entries(sources)) {
  test(`${kind}: the current key is 32 bytes, stays the same, and is found by its id after a restart`, async () => {
    const source = first()
    const current = await source.current()
    assert.equal(source.kind, kind)
    assert.ok(current.id.startsWith(`${kind}:`))
    assert.equal(current.key.length, 32)
    assert.deepEqual(await source.current(), current)
    assert.deepEqual(Buffer.from((await again().find(current.id, current.via)).key), Buffer.from(current.key))
  })

  test(`${kind}: keys are listed, one of them current, without what is secret`, async () => {
    const source = first()
    const { id, key } = await source.current()
    const listed = await source.list()
    assert.deepEqual(
      listed.map((fact) => [fact.id, fact.current]),
      [[id, true]],
    )
    assert.ok(!JSON.stringify(listed).includes(Buffer.from(key).toString('base64')))
  })

  test(`${kind}: a key that is not there is missing by name`, async () => {
    const source = first()
    await source.current()
    for (const id of [`${kind}:20260101T000000000Z-00000000`, `${kind}:../../etc/passwd`, `${kind}:`])
      await assert.rejects(source.find(id), { code: 'sealing.key-missing' }, id)
  })
}

test('files of keys are for their owner alone, in a folder for their owner alone', {
  skip: process.platform === 'win32',
}, async () => {
  await new FileKeys(keys(), clock).current()
  const [name = ''] = readdirSync(keys())
  assert.equal(statSync(keys()).mode & 0o777, 0o700)
  assert.equal(statSync(join(keys(), name)).mode & 0o777, 0o600)
})

test('each key file is copied to the backup folder, those that were there before too', async () => {
  const backup = join(folder, 'backup')
  await new FileKeys(keys(), clock).current()
  const source = new FileKeys(keys(), clock, backup)
  await source.current()
  await source.rotate()
  assert.deepEqual(readdirSync(backup).sort(), readdirSync(keys()).sort())
  for (const name of readdirSync(backup))
    assert.deepEqual(readFileSync(join(backup, name)), readFileSync(join(keys(), name)))
})

test('a backup of a key that a crash cut short is made again, and one that is whole is not touched', async () => {
  const backup = join(folder, 'backup')
  await new FileKeys(keys(), clock, backup).current()
  const [name = ''] = readdirSync(backup)
  const whole = readFileSync(join(backup, name))
  writeFileSync(join(backup, name), whole.subarray(0, 7))
  await new FileKeys(keys(), clock, backup).current()
  assert.deepEqual(readFileSync(join(backup, name)), whole)
  writeFileSync(join(backup, name), `${'x'.repeat(44)}\n`)
  await new FileKeys(keys(), clock, backup).current()
  assert.equal(readFileSync(join(backup, name), 'utf8'), `${'x'.repeat(44)}\n`)
})

test('a key file that holds something else is refused, and others are not touched', async () => {
  const source = new FileKeys(keys(), clock)
  await source.current()
  writeFileSync(join(keys(), 'master-20200101T000000000Z-00000000.key'), 'secret')
  writeFileSync(join(keys(), 'notes.txt'), 'mine')
  await assert.rejects(source.find('file:20200101T000000000Z-00000000'), { code: 'sealing.key-refused' })
  assert.equal((await source.list()).length, 2)
})

test('a master key of the environment that is not 32 bytes is refused', () => {
  for (const key of ['secret', randomBytes(31).toString('base64'), randomBytes(33).toString('hex')])
    assert.throws(() => new EnvironmentKeys([key]), { code: 'sealing.key-refused' })
})

function ring(source: MasterKeys, log: Logger = silentLogger, rotateEveryMs = 0): KeyRing {
  return new KeyRing({ sources: [source], cipher: 'AES-256-GCM', rotateEveryMs, clock, log })
}

test('the data key of a recording is opened by its id alone, by who has the master key', async () => {
  const one = ring(new FileKeys(keys(), clock))
  await one.begin()
  const seal = one.newSeal('r1')
  one.close()
  const other = ring(new FileKeys(keys(), clock))
  assert.deepEqual(Buffer.from(await other.openKey(seal.key, 'r1')), Buffer.from(seal.dataKey))
  await assert.rejects(other.openKey(seal.key, 'r2'), { code: 'sealing.key-refused' })
  await assert.rejects(ring(new EnvironmentKeys([])).openKey(seal.key, 'r1'), { code: 'sealing.key-missing' })
  assert.notDeepEqual(one.newSeal('r1').dataKey, seal.dataKey)
})

test('a ring that did not begin gives no keys', () => {
  assert.throws(() => ring(new FileKeys(keys(), clock)).newSeal('r'), { code: 'sealing.key-missing' })
})

const dayMs = 86_400_000

test('a master key is followed by a new one at its age, and still opens what it wrapped', async () => {
  const one = ring(new FileKeys(keys(), clock), silentLogger, 30 * dayMs)
  await one.begin()
  const former = one.newSeal('r1')
  clock.advance(29 * dayMs)
  await one.look()
  assert.equal(one.newSeal('r2').key.master, former.key.master)
  clock.advance(dayMs)
  await one.look()
  assert.notEqual(one.newSeal('r3').key.master, former.key.master)
  assert.equal(readdirSync(keys()).length, 2)
  assert.deepEqual(Buffer.from(await one.openKey(former.key, 'r1')), Buffer.from(former.dataKey))
  one.close()
  assert.equal(clock.pendingTimers, 0)
})

test('a key that the command line made is taken within a minute', async () => {
  const one = ring(new FileKeys(keys(), clock))
  await one.begin()
  clock.advance(1)
  const made = await new FileKeys(keys(), clock).rotate()
  clock.advance(60_000)
  await one.look()
  assert.equal(one.newSeal('r').key.master, made.id)
  one.close()
})

test('when the keys cannot be looked up for a while, recordings go on with the one in force, and the log says so', async () => {
  const errors: string[] = []
  const source = new FileKeys(keys(), clock)
  let away = false
  const fragile: MasterKeys = {
    kind: 'file',
    current: () => (away ? Promise.reject(new Error('away')) : source.current()),
    rotate: () => source.rotate(),
    find: (id) => source.find(id),
    list: () => source.list(),
  }
  const one = ring(fragile, { ...silentLogger, error: (sentence) => errors.push(sentence) })
  await one.begin()
  away = true
  clock.advance(60_000)
  await one.look()
  assert.deepEqual(errors, ['The master key could not be looked up'])
  assert.ok(one.newSeal('r').key.master)
  one.close()
  assert.equal(clock.pendingTimers, 0)
})
