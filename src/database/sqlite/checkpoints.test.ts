import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { CompiledQuery } from 'kysely'
import { until } from '../../../test/support/until.ts'
import { FakeClock } from '../../core/fake-clock.ts'
import { silentLogger } from '../../core/logger.ts'
import { databaseFile } from '../test-support.ts'
import { openSqlite } from './open.ts'

const waitMs = 20_000

test('what is committed comes into the file five seconds later, and is not taken for the writing of others', async (t) => {
  const path = databaseFile(t)
  const clock = new FakeClock()
  const { db, foreignVersion, startCheckpoints } = openSqlite(path)
  await db.schema.createTable('notes').addColumn('text', 'text').execute()
  const checkpoints = startCheckpoints(clock, silentLogger)
  const before = foreignVersion()
  for (const text of ['first note', 'second note']) {
    await db.executeQuery(CompiledQuery.raw('insert into notes values (?)', [text]))
    assert.equal(readFileSync(path).includes(text), false)
    clock.advance(5_000)
    await until('the log to be written back', waitMs, () => readFileSync(path).includes(text))
    await until('the thread to have answered', waitMs, () => clock.pendingTimers === 1)
  }
  assert.equal(foreignVersion(), before)

  await checkpoints?.close()
  assert.equal(clock.pendingTimers, 0)
  await db.destroy()
  assert.equal(existsSync(`${path}-wal`), false, 'who closes last removes the log')
})

test('a database in memory needs no checkpoints', async () => {
  const { db, startCheckpoints } = openSqlite(':memory:')
  assert.equal(startCheckpoints(new FakeClock(), silentLogger), undefined)
  await db.destroy()
})
