import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { openDatabase } from '../database/open.ts'
import { FactBus } from '../events/bus.ts'
import type { FactOf } from '../events/catalogue.ts'
import { HopelessError } from './failures.ts'
import { type JobHandler, type JobKind, Jobs } from './runner.ts'
import type { Job } from './types.ts'

async function open(t: TestContext) {
  const database = await openDatabase({ path: ':memory:', log: silentLogger })
  t.after(() => database.close())
  const clock = new FakeClock()
  const bus = new FactBus()
  const failed: FactOf<'job.failed'>[] = []
  bus.on('job.failed', (fact) => failed.push(fact))
  /** A process: another one over the same table is what a restart is. */
  const process = async (kinds: Readonly<Record<string, JobKind>>) => {
    const jobs = new Jobs({ store: database.jobs, clock, log: silentLogger, bus, random: () => 1 })
    for (const [kind, how] of Object.entries(kinds)) jobs.handle(kind, how)
    t.after(() => jobs.close())
    await jobs.start()
    return jobs
  }
  const states = async () =>
    (await database.jobs.list({ limit: 100 })).items.map(({ key, state, attempts }) => `${key} ${state} ${attempts}`)
  return { database, store: database.jobs, clock, failed, process, states }
}

/** Ends only when it is told to. */
const stuck: JobHandler = (_job, { signal }) =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))

/** Turn the hands and let what became due run to its end. */
async function pass(jobs: Jobs, clock: FakeClock, byMs: number): Promise<void> {
  clock.advance(byMs)
  await jobs.idle()
}

test('a job that fails is tried again, later each time, until it is done', async (t) => {
  const { clock, process, states } = await open(t)
  const at: number[] = []
  const handler: JobHandler = () => {
    at.push(clock.now())
    return at.length < 4 ? Promise.reject(new Error('not yet')) : Promise.resolve()
  }
  const jobs = await process({ copy: { handler } })
  await jobs.add([{ kind: 'copy', key: 'a' }])
  await jobs.idle()
  for (let second = 0; second < 60; second++) await pass(jobs, clock, 1_000)
  assert.deepEqual(at, [0, 5_000, 15_000, 35_000])
  assert.deepEqual(await states(), [])
  assert.deepEqual(jobs.ends, [{ kind: 'copy', done: 1, retried: 3, failed: 0 }])
})

test('a job whose attempts are used up is told, kept, and can be retried', async (t) => {
  const { clock, failed, process, states, store } = await open(t)
  let broken = true
  const handler: JobHandler = () => (broken ? Promise.reject(new Error('403 Forbidden')) : Promise.resolve())
  const jobs = await process({ copy: { handler, attempts: 2 } })
  await jobs.add([{ kind: 'copy', key: 'a' }])
  await jobs.idle()
  await pass(jobs, clock, 5_000)
  assert.deepEqual(await states(), ['a failed 2'])
  assert.deepEqual(
    failed.map(({ kind, key, attempts, text }) => [kind, key, attempts, text]),
    [['copy', 'a', 2, '403 Forbidden']],
  )
  assert.match(await jobs.summary(), /0 wait, 0 run, 1 have failed/)
  broken = false
  await jobs.retry((await store.list({ limit: 1 })).items[0]?.id ?? '')
  await jobs.idle()
  assert.deepEqual(await states(), [])
})

test('what cannot succeed is given up at once, and its cause is told', async (t) => {
  const { failed, process, states } = await open(t)
  const jobs = await process({
    copy: {
      attempts: Infinity,
      handler: () => Promise.reject(new HopelessError('', { cause: new Error('the file is gone') })),
    },
  })
  await jobs.add([{ kind: 'copy', key: 'a' }])
  await jobs.idle()
  assert.deepEqual(await states(), ['a failed 1'])
  assert.deepEqual(
    failed.map(({ text }) => text),
    ['the file is gone'],
  )
})

test('a process that dies between attempts, or in the middle of one, leaves its jobs to the next', async (t) => {
  const { clock, process, states, store } = await open(t)
  await store.add(
    [
      { kind: 'copy', key: 'a', payload: { part: 0 } },
      { kind: 'copy', key: 'b' },
    ],
    clock.wallMs(),
  )
  const [a] = await store.claim('copy', clock.wallMs(), 1)
  await store.remember(a?.id ?? '', { part: 7 })
  assert.deepEqual(await states(), ['a running 1', 'b waiting 0'])
  const seen: Job[] = []
  const jobs = await process({
    copy: {
      handler: (job) => {
        seen.push(job)
        return Promise.resolve()
      },
    },
  })
  await jobs.idle()
  assert.deepEqual(
    seen.map(({ key, attempts, payload }) => [key, attempts, payload]),
    [
      ['a', 2, { part: 7 }],
      ['b', 1, {}],
    ],
  )
  assert.deepEqual(await states(), [])
})

test('a job that kills the process each time it is begun is given up', async (t) => {
  const { clock, failed, process, states, store } = await open(t)
  await store.add([{ kind: 'copy', key: 'a' }], clock.wallMs())
  for (let death = 0; death < 2; death++) {
    await store.claim('copy', clock.wallMs(), 1)
    await store.takeUp()
  }
  const jobs = await process({ copy: { handler: () => assert.fail('it is not begun again'), attempts: 2 } })
  await jobs.idle()
  assert.deepEqual(await states(), ['a failed 3'])
  assert.deepEqual(
    failed.map(({ text }) => text),
    ['The process died each time this job was begun'],
  )
})

test('a stop aborts what runs, and the attempt does not count', async (t) => {
  const { process, states } = await open(t)
  const begun = Promise.withResolvers<void>()
  const jobs = await process({
    copy: {
      handler: (_job, { signal }) => {
        begun.resolve()
        return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))))
      },
    },
  })
  await jobs.add([{ kind: 'copy', key: 'a' }])
  await begun.promise
  await jobs.close()
  assert.deepEqual(await states(), ['a waiting 0'])
})

test('what takes too long is aborted and tried again', async (t) => {
  const { clock, process, store } = await open(t)
  const jobs = await process({ copy: { handler: stuck, limitMs: 60_000 } })
  await store.add([{ kind: 'copy', key: 'a' }], clock.wallMs())
  jobs.wake()
  await new Promise((resolve) => setImmediate(resolve))
  await pass(jobs, clock, 60_000)
  const [job] = (await store.list({ limit: 1 })).items
  assert.deepEqual([job?.state, job?.lastError], ['waiting', 'The job took too long'])
})

test('urgent jobs go first, then who has waited longest, and one kind does not hold up another', async (t) => {
  const { clock, process, store } = await open(t)
  const order: string[] = []
  const noted: JobHandler = ({ key }) => {
    order.push(key)
    return Promise.resolve()
  }
  const add = (key: string, more = {}) => store.add([{ kind: 'copy', key, ...more }], clock.wallMs())
  await add('idle', { priority: 'idle' })
  await add('first')
  clock.advance(1)
  await add('second')
  await add('third')
  await add('urgent', { priority: 'urgent' })
  await add('tomorrow', { notBeforeMs: clock.wallMs() + 86_400_000, priority: 'urgent' })
  await store.add([{ kind: 'stuck', key: 's' }], clock.wallMs())
  const jobs = await process({ stuck: { handler: stuck }, copy: { handler: noted } })
  for (let turn = 0; turn < 200 && order.length < 5; turn++) await new Promise((resolve) => setImmediate(resolve))
  assert.deepEqual(order, ['urgent', 'first', 'second', 'third', 'idle'])
  await jobs.close()
})

test('a job is there once however often it is added; added while it runs it runs once more', async (t) => {
  const { process, store, clock, states } = await open(t)
  let runs = 0
  const jobs = await process({
    copy: {
      handler: async () => {
        runs++
        if (runs === 1) await store.add([{ kind: 'copy', key: 'a' }], clock.wallMs())
      },
    },
  })
  await store.add(
    [
      { kind: 'copy', key: 'a' },
      { kind: 'copy', key: 'a' },
    ],
    clock.wallMs(),
  )
  assert.deepEqual(await states(), ['a waiting 0'])
  jobs.wake()
  await jobs.idle()
  assert.equal(runs, 2)
  assert.deepEqual(await states(), [])
})

test('what follows from a job is there when the job is gone', async (t) => {
  const { process, states } = await open(t)
  const jobs = await process({
    copy: { handler: ({ key }) => Promise.resolve([{ kind: 'remove', key, subject: 'r' }]) },
  })
  await jobs.add([{ kind: 'copy', key: 'a' }])
  await jobs.idle()
  assert.deepEqual(await states(), ['a waiting 0'])
})

test('whose subject is cancelled is aborted, and nothing follows from it', async (t) => {
  const { process, states, failed } = await open(t)
  const begun = Promise.withResolvers<void>()
  const jobs = await process({
    copy: {
      handler: async (_job, { signal }) => {
        begun.resolve()
        await new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
        return [{ kind: 'remove', key: 'a', subject: 'r' }]
      },
    },
  })
  await jobs.add([
    { kind: 'copy', key: 'a', subject: 'r' },
    { kind: 'other', key: 'a', subject: 'r' },
    { kind: 'other', key: 'b', subject: 'another' },
  ])
  await begun.promise
  assert.equal(await jobs.cancelSubject('r'), 2)
  assert.deepEqual(await states(), ['b waiting 0'])
  assert.deepEqual(failed, [])
})

test('100,000 jobs that wait cost rows and no memory, and the next one is found at once', async (t) => {
  const { process, store, clock } = await open(t)
  const rows = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => ({
      kind: 'copy',
      key: `k${from + index}`,
      // Most wait for a store that is down.
      notBeforeMs: clock.wallMs() + (index % 100 === 0 ? 0 : 3_600_000),
    }))
  for (let from = 0; from < 100_000; from += 10_000) await store.add(rows(from, 10_000), clock.wallMs())
  let most = 0
  let running = 0
  let done = 0
  const enough = Promise.withResolvers<void>()
  globalThis.gc?.()
  const before = globalThis.process.memoryUsage().heapUsed
  const jobs = await process({
    copy: {
      atATime: 4,
      handler: async () => {
        most = Math.max(most, ++running)
        await new Promise((resolve) => setImmediate(resolve))
        running--
        if (++done === 1_000) enough.resolve()
      },
    },
  })
  await enough.promise
  await jobs.idle()
  assert.deepEqual([done, most], [1_000, 4])
  assert.ok(globalThis.process.memoryUsage().heapUsed - before < 64 * 2 ** 20)
  assert.deepEqual(await store.counts(), [{ kind: 'copy', state: 'waiting', jobs: 99_000 }])
})
