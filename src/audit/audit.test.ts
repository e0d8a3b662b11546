import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { type Logger, silentLogger } from '../core/logger.ts'
import { openDatabase } from '../database/open.ts'
import { databaseFile } from '../database/test-support.ts'
import { Audit } from './audit.ts'

async function withRecords(t: TestContext, count: number) {
  const path = databaseFile(t)
  const database = await openDatabase({ path, log: silentLogger })
  t.after(() => database.close())
  const clock = new FakeClock()
  const told: unknown[] = []
  const log: Logger = { ...silentLogger, info: (sentence, fields) => told.push([sentence, fields]) }
  const audit = new Audit({ store: database.audit, clock, log })
  for (let number = 1; number <= count; number++)
    await audit.record({
      who: 'alice',
      via: 'session',
      source: '192.0.2.1',
      action: 'recording.deleted',
      subject: `recording:r${number}`,
      details: { why: 'age', days: number },
    })
  /** As somebody would who has the file and a tool. */
  const tamper = (statement: string): void => {
    const file = new DatabaseSync(path)
    file.exec(statement)
    file.close()
  }
  return { database, audit, clock, told, tamper }
}

test('a record says who did what from where, and is linked to the one before', async (t) => {
  const { audit, clock } = await withRecords(t, 2)
  const [second, first] = await audit.list({ limit: 10 })
  assert.equal(second?.previous, first?.hash)
  assert.equal(first?.previous, '0'.repeat(64))
  const { hash: _, ...rest } = first ?? { hash: '' }
  assert.deepEqual(rest, {
    sequence: 1,
    atMs: clock.wallMs(),
    who: 'alice',
    via: 'session',
    source: '192.0.2.1',
    action: 'recording.deleted',
    subject: 'recording:r1',
    details: { why: 'age', days: 1 },
    previous: '0'.repeat(64),
  })
})

test('a whole record is intact, also when it is longer than what is read at a time', async (t) => {
  const { audit } = await withRecords(t, 501)
  const { head, ...verdict } = await audit.verify()
  assert.deepEqual(verdict, { intact: true, records: 501 })
  assert.equal(head, (await audit.list({ limit: 1 }))[0]?.hash)
})

for (const column of ['at_ms', 'who', 'via', 'source', 'action', 'subject', 'details', 'hash'])
  test(`a changed ${column} is noticed`, async (t) => {
    const { audit, tamper } = await withRecords(t, 3)
    tamper(
      `update audit set ${column} = case '${column}' when 'at_ms' then 5 else '{"why":"x"}' end where sequence = 2`,
    )
    const { intact, broken } = await audit.verify()
    assert.equal(intact, false)
    assert.deepEqual(broken, { sequence: 2, fault: 'changed' })
  })

test('a record that was taken out, and one that was put in again elsewhere, are noticed', async (t) => {
  const { audit, tamper } = await withRecords(t, 4)
  tamper('delete from audit where sequence = 3')
  assert.deepEqual((await audit.verify()).broken, { sequence: 3, fault: 'missing' })
  tamper('update audit set sequence = 3 where sequence = 4')
  assert.deepEqual((await audit.verify()).broken, { sequence: 3, fault: 'unlinked' })
})

test('an end that was cut off is noticed by who noted the head', async (t) => {
  const { audit, tamper } = await withRecords(t, 3)
  const { head } = await audit.verify()
  await audit.record({ who: 'bob', via: 'api-key', action: 'hold.placed' })
  assert.equal((await audit.verify(head)).headFound, true)
  tamper('delete from audit where sequence >= 3')
  const { intact, headFound, broken } = await audit.verify(head)
  assert.deepEqual({ intact, headFound, broken }, { intact: false, headFound: false, broken: undefined })
})

test('records can be found by action, by what they begin with, by who, subject and time', async (t) => {
  const { audit, clock } = await withRecords(t, 2)
  clock.advance(1_000)
  await audit.record({ who: 'bob', via: 'api-key', action: 'hold.placed', subject: 'hold:h' })
  const find = async (query: Omit<Parameters<Audit['list']>[0], 'limit'>): Promise<number[]> =>
    (await audit.list({ limit: 10, ...query })).map(({ sequence }) => sequence)
  assert.deepEqual(await find({ action: 'recording' }), [2, 1])
  assert.deepEqual(await find({ action: 'recordin' }), [])
  assert.deepEqual(await find({ action: 'hold.placed' }), [3])
  assert.deepEqual(await find({ who: 'alice', subject: 'recording:r1' }), [1])
  assert.deepEqual(await find({ fromMs: clock.wallMs() }), [3])
  assert.deepEqual(await find({ untilMs: clock.wallMs(), before: 2 }), [1])
})

test('the log tells the head once an hour when it has moved, and at the end', async (t) => {
  const { audit, clock, told } = await withRecords(t, 2)
  clock.advance(3_600_000)
  clock.advance(3_600_000)
  assert.equal(told.length, 1)
  const { hash: head, sequence } = await audit.record({ who: 'bob', via: 'api-key', action: 'hold.placed' })
  audit.close()
  audit.close()
  assert.deepEqual(told.slice(1), [['The audit record has grown', { sequence, head }]])
  assert.equal(clock.pendingTimers, 0)
})

test('records of many at once stand one behind the other', async (t) => {
  const { audit } = await withRecords(t, 0)
  const entry = { who: 'a', via: 'server', action: 'x.y' } as const
  await Promise.all(Array.from({ length: 20 }, () => audit.record(entry)))
  const { intact, records } = await audit.verify()
  assert.deepEqual({ intact, records }, { intact: true, records: 20 })
})
