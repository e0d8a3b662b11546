import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { openDatabase } from '../database/open.ts'
import { keepFacts, stored } from '../database/test-support.ts'
import { FactBus } from '../events/bus.ts'
import { Jobs } from '../jobs/runner.ts'
import { AfterRecording, type AfterStep } from './after.ts'

test('the steps run in their order, parts beside each other, unwanted ones not at all', async (t) => {
  const { database } = await keepFacts(t)
  const ran: string[] = []
  const step = (kind: string, parts: readonly string[]): AfterStep => ({
    kind,
    parts,
    run: ({ recordingId, part }) => {
      ran.push(`${kind} ${recordingId} ${part}`.trim())
      return Promise.resolve()
    },
  })
  const after = new AfterRecording([
    step('seal', ['']),
    step('convert', []),
    step('archive', ['s3', 'azure']),
    step('remove', ['']),
  ])
  const jobs = new Jobs({ store: database.jobs, clock: new FakeClock(), log: silentLogger, bus: new FactBus() })
  t.after(() => jobs.close())
  after.joinTo(jobs)
  await jobs.start()
  await jobs.add(after.jobsOf(stored('c', 'r')))
  await jobs.idle()
  // The removal comes after each part; it is the one that has to see whether all are done.
  assert.deepEqual(ran.slice(0, 2), ['seal r', 'archive r s3'])
  assert.deepEqual([...new Set(ran)].toSorted(), ['archive r azure', 'archive r s3', 'remove r', 'seal r'])
  assert.equal(ran.at(-1), 'remove r')
  assert.deepEqual(await jobs.counts(), [])
})

test('the first step is kept in the transaction of the recording, or not at all', async (t) => {
  const database = await openDatabase({ path: ':memory:', log: silentLogger })
  t.after(() => database.close())
  const bus = new FactBus()
  const after = new AfterRecording([{ kind: 'seal', parts: [''], run: () => Promise.resolve() }])
  let added = 0
  database.keep(bus, new FakeClock(), { jobsOf: (fact) => after.jobsOf(fact), added: () => added++ })
  // Its rows cannot be written, and so nothing has to be done for it.
  bus.publish({ ...stored('unknown', 'r'), files: [undefined as never] })
  assert.deepEqual(await database.jobs.counts(), [])
  bus.publish({ name: 'call.started', atMs: 1, callId: 'c', kind: 'pbx', from: { uri: 'sip:a' }, to: { uri: 'sip:b' } })
  bus.publish(stored('c', 'r2'))
  assert.deepEqual(await database.jobs.counts(), [{ kind: 'seal', state: 'waiting', jobs: 1 }])
  assert.equal(added, 1)
})
