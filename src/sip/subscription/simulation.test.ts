/**
 * Subscriptions over a network that loses, doubles and overtakes datagrams, by seed: whoever still watches in the end
 * knows the last word, and neither side keeps anything. A failing seed is named; run it alone by setting `only`.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../net/memory-network.ts'
import { calleeIp, callerIp, nothing, turn } from '../dialog/test-support.ts'
import { watch, wordsPair } from './test-support.ts'

const runs = 60
const only: number | undefined = undefined
const watchers = 4

async function simulate(seed: number): Promise<void> {
  const random = seededRandom(seed)
  const network = { seed, loss: random() * 0.25, duplicates: random() * 0.2, delayMs: [1, 1 + random() * 300] as const }
  const net = await wordsPair({ network }, { spacingMs: random() < 0.5 ? 1_000 : 0 })
  const later = (maxMs: number, act: () => void) => net.clock.after(random() * maxMs, act)
  const watches = Array.from({ length: watchers }, () => {
    const target = { uri: `sip:102@${calleeIp}:5060` }
    const expiresS = random() < 0.2 ? 0 : 120
    const watching = watch(net.caller, { target, from: `<sip:101@${callerIp}>`, expiresS })
    const leaves = random() < 0.4
    if (leaves) later(100_000, () => void watching.subscription.close())
    return { ...watching, stays: !leaves && expiresS > 0 }
  })
  for (let change = 0; change < 8; change++) later(100_000, () => net.say('102', `w${change}`))
  if (random() < 0.3) later(60_000, () => net.notifier.end({ resource: '102' }, 'deactivated'))

  await turn(net.clock, 110_000, 50)
  net.say('102', 'last')
  // Long enough for a lost NOTIFY to end in a refresh that is refused, and in a new start.
  await turn(net.clock, 400_000, 500)

  for (const [index, { seen, stays }] of watches.entries()) {
    const refused = seen.at(-1) === 'threw sip.subscription-refused' // the first SUBSCRIBE was lost eleven times
    if (stays && !refused) assert.match(seen.at(-1) ?? '', /:last$/, `watcher ${index} knows ${seen.slice(-3).join()}`)
  }
  for (const { subscription } of watches) void subscription.close()
  await turn(net.clock, 300_000, 1_000)
  assert.ok(watches.every(({ seen }) => ['end', 'threw sip.subscription-refused'].includes(seen.at(-1) ?? '')))
  assert.equal(net.notifier.count, 0)
  assert.deepEqual(net.caller.counts(), nothing)
  assert.deepEqual(net.callee.counts(), nothing)
  assert.equal(net.clock.pendingTimers, 0)
}

test(`subscriptions over a lossy network: ${runs} seeds, every watcher knows the last word, and nothing is left over`, async () => {
  for (let seed = only ?? 1; seed <= (only ?? runs); seed++) {
    await simulate(seed).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error })
    })
  }
})
