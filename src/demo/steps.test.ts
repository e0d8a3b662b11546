import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { StepError, Steps } from './steps.ts'

function setUp() {
  const lines: string[] = []
  const clock = new FakeClock()
  return { lines, clock, steps: new Steps((line) => lines.push(line), { clock }) }
}

test('each step is a line with its time, and what it notes stands below', async () => {
  const { lines, clock, steps } = setUp()

  const result = await steps.take('Two phones register', async (note) => {
    note('101 and 102')
    clock.advance(1_500)
    return 7
  })

  assert.equal(result, 7)
  assert.deepEqual(
    lines.map((line) => line.replace(/\s+/g, ' ')),
    [' 1 Two phones register 1.5 s', ' 101 and 102'],
  )
})

test('a failure says which step it was, and keeps what happened below', async () => {
  const { lines, steps } = setUp()
  const cause = new Error('486 Busy Here')

  await assert.rejects(
    steps.take('101 calls 102', () => Promise.reject(cause)),
    (error) =>
      error instanceof StepError && /Step 1, "101 calls 102": 486/.test(error.message) && error.cause === cause,
  )
  assert.match(lines[0] ?? '', /failed$/)
})

test('what does not come in time fails with its name', async () => {
  const { clock, steps } = setUp()

  const waiting = steps.within('ringing', 5_000, new Promise(() => {}))
  clock.advance(5_000)

  await assert.rejects(waiting, /no ringing within 5 s/)
})

test('what comes in time leaves no timer behind', async () => {
  const { clock, steps } = setUp()

  assert.equal(await steps.within('answer', 5_000, Promise.resolve('yes')), 'yes')
  await Promise.resolve()
  assert.equal(clock.pendingTimers, 0)
})

test('no step is begun after an interruption', async () => {
  const steps = new Steps(() => {}, { signal: AbortSignal.abort(new Error('it was interrupted')) })

  await assert.rejects(
    steps.take('Two phones register', () => assert.fail('it was begun')),
    /Step 1, "Two phones register": it was interrupted/,
  )
})
