import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { silentLogger } from '../core/logger.ts'
import type { Extension } from '../pbx/directory.ts'
import { openDatabase } from './open.ts'
import { databaseFile, keepFacts, started } from './test-support.ts'

const log = silentLogger
const extension = (number: string): Extension => ({
  number,
  displayName: `Phone ${number}`,
  hashes: { realm: 'example.com', md5: 'm', sha256: 's' },
  ringSeconds: 20,
  record: true,
  maxContacts: 3,
  createdAtMs: 5,
})

test('a missing file is made with its folder, for its owner only, in WAL mode', async (t) => {
  const path = databaseFile(t)
  const database = await openDatabase({ path, log })
  await database.ping()
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(statSync(`${path}-wal`).mode & 0o777, 0o600)
  await database.close()
  await database.close()
  await assert.rejects(database.ping())
})

test('what was kept is there after a restart', async (t) => {
  const sound = { echo: true, denoise: true, gainDbov: -20 }
  const path = databaseFile(t)
  const first = await keepFacts(t, path)
  first.bus.publish(started('c'))
  await first.database.directory.add({ ...extension('101'), srtp: 'mandatory', sound })
  await first.database.close()

  const next = await openDatabase({ path, log })
  t.after(() => next.close())
  assert.equal((await next.history.call('c'))?.id, 'c')
  assert.deepEqual(next.directory.find('101'), { ...extension('101'), srtp: 'mandatory', sound })
})

test('a database of a newer version is refused and left alone', async (t) => {
  const path = databaseFile(t)
  await (await openDatabase({ path, log })).close()
  const file = new DatabaseSync(path)
  file.exec("insert into kysely_migration values ('0999-later', '2030-01-01')")
  file.close()

  await assert.rejects(openDatabase({ path, log }), {
    code: 'database.newer-schema',
    message: 'The database was written by a newer version of Patchbay: it knows 0999-later',
  })
})

test('a file that is no database, or cannot be made, is said as such', async (t) => {
  const path = databaseFile(t)
  await (await openDatabase({ path, log })).close()
  writeFileSync(path, 'this is a text, and long enough to be taken for a header of something')
  await assert.rejects(openDatabase({ path, log }), { code: 'database.cannot-open' })
  await assert.rejects(openDatabase({ path: '/dev/null/x.db', log }), { code: 'database.cannot-open' })
})

test('extensions are found at once, listed as people count, changed and removed', async (t) => {
  const { database } = await keepFacts(t)
  const { directory } = database
  for (const number of ['10', '9', 'door']) await directory.add(extension(number))

  assert.deepEqual(
    directory.list().map(({ number }) => number),
    ['9', '10', 'door'],
  )
  const changed = await directory.change('9', { displayName: 'Nine', record: false })
  assert.deepEqual(changed, { ...extension('9'), displayName: 'Nine', record: false })
  assert.deepEqual(directory.find('9'), changed)
  await directory.remove('9')
  assert.equal(directory.find('9'), undefined)
  await assert.rejects(directory.add(extension('10')), { code: 'directory.exists' })
  await assert.rejects(directory.change('9', {}), { code: 'directory.not-found' })
  await assert.rejects(directory.remove('9'), { code: 'directory.not-found' })
})

test('of two who add the same number at once, one gets it', async (t) => {
  const { database } = await keepFacts(t)
  const results = await Promise.allSettled([1, 2].map(() => database.directory.add(extension('101'))))
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected'],
  )
})

test('an extension that another process added is there within a second', async (t) => {
  const path = databaseFile(t)
  const { database, clock } = await keepFacts(t, path)
  const other = await openDatabase({ path, log })
  await other.directory.add(extension('101'))
  await other.close()
  assert.equal(database.directory.find('101'), undefined)

  clock.advance(1_000)
  await database.ping() // behind the reading in the queue of the one connection
  await database.ping()

  assert.equal(database.directory.find('101')?.number, '101')
})

test('an extension that another process removed is told of, also when it was added anew meanwhile', async (t) => {
  const path = databaseFile(t)
  const { database, clock } = await keepFacts(t, path)
  for (const number of ['101', '102', '103']) await database.directory.add(extension(number))
  const gone: string[] = []
  database.directory.onRemoved((number) => gone.push(number))
  const other = await openDatabase({ path, log })
  await other.directory.remove('101')
  await other.directory.remove('102')
  await other.directory.add({ ...extension('102'), createdAtMs: 2 })
  await other.close()

  clock.advance(1_000)
  await database.ping() // behind the reading in the queue of the one connection
  await database.ping()
  await database.directory.remove('103')

  assert.deepEqual(gone, ['101', '102', '103'])
})

test('an extension whose password another process or this one changed is told of, and no other change', async (t) => {
  const path = databaseFile(t)
  const { database, clock } = await keepFacts(t, path)
  for (const number of ['101', '102']) await database.directory.add(extension(number))
  const told: string[] = []
  database.directory.onPasswordChanged((number) => told.push(number))
  const { hashes } = extension('101')
  const other = await openDatabase({ path, log })
  await other.directory.change('101', { hashes: { ...hashes, sha256: 'new' } })
  await other.directory.change('102', { displayName: 'New' })
  await other.close()
  clock.advance(1_000)
  await database.ping() // behind the reading in the queue of the one connection
  await database.ping()
  await database.directory.change('102', { hashes: { ...hashes, md5: 'new' } })
  assert.deepEqual(told, ['101', '102'])
})

test('users, keys and sessions are kept as told', async (t) => {
  const { database } = await keepFacts(t)
  const { users, apiKeys, sessions } = database
  const user = { id: 'u', name: 'alice', passwordHash: 'h', role: 'viewer', createdAtMs: 1 } as const
  await users.add(user)
  await assert.rejects(users.add({ ...user, id: 'v' }), { code: 'auth.user-exists' })
  assert.deepEqual([await users.list(), await users.byName('alice'), await users.byId('x')], [[user], user, undefined])

  const key = { id: 'k', name: 'CRM', hash: 'abc', role: 'admin', createdAtMs: 2 } as const
  await apiKeys.add(key)
  await apiKeys.touch('k', 7)
  assert.deepEqual(await apiKeys.byHash('abc'), { ...key, lastUsedAtMs: 7 })
  assert.deepEqual([await apiKeys.remove('k'), await apiKeys.remove('k'), await apiKeys.list()], [true, false, []])

  await sessions.add({ hash: 's', userId: 'u', expiresAtMs: 10 })
  await sessions.extend('s', 20)
  await sessions.removeExpired(19)
  assert.deepEqual(await sessions.byHash('s'), { hash: 's', userId: 'u', expiresAtMs: 20 })
  await sessions.removeExpired(20)
  assert.equal(await sessions.byHash('s'), undefined)
})
