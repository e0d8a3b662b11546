/** Calls taken by an INVITE with Replaces (RFC 3891), through the real server: who may, what is heard, what is kept. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { systemClock } from '../src/core/clock.ts'
import { silentLogger } from '../src/core/logger.ts'
import { findRun } from '../src/demo/compare.ts'
import type { CallOutcome, PlacedCall } from '../src/demo/phone.ts'
import { loadSpeech } from '../src/demo/speech.ts'
import { type DialogEntry, readDialogInfo } from '../src/sip/packages/dialog-info.ts'
import { createSipStack } from '../src/sip/stack.ts'
import { connect, startTestServer, type TestServer, untilSpoken } from './support/in-process.ts'
import { until } from './support/until.ts'

let server: TestServer
let speech: Int16Array

before(async () => {
  server = await startTestServer()
  speech = (await loadSpeech('caller')).subarray(0, 16_000)
})
after(() => server.close())

async function answered({ outcome }: PlacedCall): Promise<Extract<CallOutcome, { answered: true }>['call']> {
  const result = await outcome
  assert.ok(result.answered, JSON.stringify(result))
  return result.call
}

async function refused({ outcome }: PlacedCall): Promise<number> {
  const result = await outcome
  assert.ok(!result.answered)
  return result.status
}

/** What a lamp that `watcher` has for `number` shows when it rings there. */
async function lampThatRings(watcher: string, number: string, ring: () => unknown): Promise<DialogEntry> {
  const stack = await createSipStack({
    clock: systemClock,
    log: silentLogger,
    listen: [{ transport: 'udp', ip: '127.0.0.1', port: 0 }],
  })
  const uriOf = (user: string) => `sip:${user}@${server.sip.ip}:${server.sip.port}`
  const lamp = stack.subscribe({
    target: { uri: uriOf(number) },
    from: `<${uriOf(watcher)}>`,
    to: `<${uriOf(number)}>`,
    credentials: { username: watcher, password: await server.passwordOf(watcher) },
    event: 'dialog',
    accept: ['application/dialog-info+xml'],
  })
  try {
    let documents = 0
    for await (const { body } of lamp) {
      if (documents++ === 0) ring()
      const entry = readDialogInfo(body)?.dialogs.find(({ state }) => state === 'early')
      if (entry) return entry
    }
  } finally {
    await lamp.close()
    await stack.close()
  }
  throw new Error('the subscription ended')
}

test('a lamp key picks up the call that rings beside it: the caller hears who did, the other phone stops', async () => {
  const alice = await server.phone('101', { speech })
  const bob = await server.phone('102', { habit: 'ring' })
  const carol = await server.phone('103', { speech })
  const missed = new Promise((resolve) => bob.on('missed', resolve))
  let placed: PlacedCall | undefined
  const { callId, localTag, remoteTag, remote } = await lampThatRings('103', '102', () => (placed = alice.call('102')))
  assert.match(remote?.uri ?? '', /^sip:101@/)
  const atCarol = await answered(carol.call('102', `${callId};to-tag=${remoteTag};from-tag=${localTag}`))
  assert.ok(placed)
  const atAlice = await answered(placed)
  await missed
  await untilSpoken(atAlice, atCarol)
  assert.notEqual(findRun(atCarol.sent().subarray(800, 12_000), atAlice.heard()), undefined)
  assert.notEqual(findRun(atAlice.sent().subarray(800, 12_000), atCarol.heard()), undefined)
  await atCarol.hangUp()
  await atAlice.ended
  const [call] = await until('the call to be stored', 10_000, async () => {
    const { items } = await server.api.calls({ search: atAlice.sipCallId })
    return items[0]?.endedAtMs !== undefined && items
  })
  assert.ok(call?.legs.some(({ role, party }) => role === 'callee' && party.extension === '103'))
})

test('somebody goes on at another of their devices; who is at neither end may not take the call', async () => {
  const alice = await server.phone('101', { speech })
  const desk = await server.phone('104')
  const [atAlice, atDesk] = await connect(alice, desk, '104')
  const stranger = await server.phone('105')
  assert.equal(await refused(stranger.call('104', atDesk.replaces)), 403)
  const mobile = await server.phone('104', { speech })
  const atMobile = await answered(mobile.call('104', atDesk.replaces))
  assert.equal((await atDesk.ended).by, 'remote')
  await untilSpoken(atMobile)
  assert.notEqual(findRun(atMobile.sent().subarray(800, 12_000), atAlice.heard()), undefined)
  await atAlice.hangUp()
  await atMobile.ended
})

test('what no call is known by gets 481, and a Replaces that cannot be read 400', async () => {
  const alice = await server.phone('101')
  assert.equal(await refused(alice.call('102', 'unheard-of;to-tag=a;from-tag=b')), 481)
  assert.equal(await refused(alice.call('102', 'no-tags')), 400)
})
