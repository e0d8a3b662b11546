import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import type { DialogSnapshot, SipStack } from '../../sip/stack.types.ts'
import { SiprecServer } from '../server.ts'
import type { SessionSettings } from '../session/types.ts'
import { FakeDialog, FakeInvite, flow, readRequest, World } from '../test-support.ts'
import { type Checkpoint, readCheckpoint } from './checkpoint.ts'
import { SessionKeeper } from './keeper.ts'
import { Seal } from './seal.ts'
import { MemorySessions } from './store.ts'

const data = join(import.meta.dirname, '..', '..', '..', 'test', 'data', 'siprec')
const basic = readFileSync(join(data, 'basic-two-streams.sip'))
const settings: SessionSettings = { streamSilentMs: 0, askWhenSilentMs: 0, srtp: 'accepted' }
const settle = () => new Promise((resolve) => setImmediate(resolve))

const snapshot: DialogSnapshot = {
  side: 'called',
  id: { callId: 'c', localTag: 'l', remoteTag: 'r' },
  flow: { transport: flow.transport, reliable: flow.reliable, local: flow.local, remote: flow.remote },
  local: '<sip:a@x>;tag=l',
  remote: '<sip:b@x>;tag=r',
  remoteTarget: 'sip:b@192.0.2.9',
  routeSet: [],
  localSeq: 0,
  remoteSeq: 1,
  stay: false,
  session: { takesUpdate: true },
}

/** One process: what it keeps outlives it, what it has does not. */
class Process {
  readonly world = new World()
  readonly keeper: SessionKeeper
  readonly server: SiprecServer
  readonly dialog = new FakeDialog()

  constructor(store: MemorySessions) {
    const { world } = this
    this.keeper = new SessionKeeper({
      store,
      seal: new Seal(Buffer.alloc(32)),
      clock: world.clock,
      log: world.services.log,
    })
    const stack = {
      contact: () => '<sip:recorder@192.0.2.1>',
      snapshot: () => snapshot,
      takeUp: () => this.dialog,
    } as unknown as SipStack
    this.server = new SiprecServer({ ...world.services, stack, keeper: this.keeper }, settings)
  }

  async found(): Promise<Checkpoint> {
    const [kept] = await this.keeper.found()
    assert.ok(kept)
    return kept
  }
}

let store: MemorySessions
let first: Process
let second: Process
beforeEach(() => {
  store = new MemorySessions()
  first = new Process(store)
  second = new Process(store)
})

/** A session begins in the first process, which dies. */
async function began(message = basic): Promise<FakeInvite> {
  const invite = new FakeInvite(readRequest(message))
  first.server.handle(invite)
  assert.equal((await invite.final).status, 200)
  await first.keeper.flush()
  return invite
}

test('the next process has the session with its legs, people, ports and times, and goes on with its recording', async () => {
  await began()
  const before = first.world.live.list()[0]?.snapshot()
  const kept = await second.found()
  second.world.recordings.left.set(kept.id, { callId: kept.id, name: 'left', tracks: [] })
  assert.equal(await second.server.takeUp(kept), true)

  const after = second.world.live.list()[0]?.snapshot()
  assert.ok(before && after)
  assert.deepEqual(
    [after.id, after.from, after.to, after.startedAtMs, after.legs.map(({ id, label, party }) => [id, label, party])],
    [
      before.id,
      before.from,
      before.to,
      before.startedAtMs,
      before.legs.map(({ id, label, party }) => [id, label, party]),
    ],
  )
  assert.deepEqual(
    second.world.media.ports.map(({ options }) => options.rtpPort),
    first.world.media.ports.map(({ address }) => address.rtpPort),
  )
  assert.deepEqual(
    second.world.recordings.started.map(({ options, tracks }) => [options.name, tracks.length]),
    [['left', 2]],
  )
  assert.deepEqual(
    second.world.facts.map(({ name }) => name).filter((name) => /^(call|siprec)/.test(name)),
    ['siprec.session-resumed'],
  )
})

test('what the client asks while its session is being taken up waits, and is answered from what was', async () => {
  await began()
  const going = second.server.takeUp(await second.found())
  const answered = second.dialog.receive(readRequest(reInvite()))
  await going
  const { status, answer } = await answered
  assert.equal(status, 200)
  // Our description of the session is numbered on (RFC 3264 §8).
  assert.match(String(answer.body), /^o=- \d+ 2 /m)
  assert.equal(second.world.live.list()[0]?.snapshot().legs.length, 2)
})

const reInvite = (): Buffer =>
  Buffer.from(
    basic
      .toString('latin1')
      .replace('CSeq: 101', 'CSeq: 102')
      .replace(/^To: (.*)$/m, 'To: $1;tag=l'),
    'latin1',
  )

test('the client is asked for a snapshot; when it knows nothing of the session it hung up meanwhile', async () => {
  const allowing = basic.toString('latin1').replace('Max-Forwards', 'Allow: INVITE, UPDATE\r\nMax-Forwards')
  await began(Buffer.from(allowing, 'latin1'))
  await second.server.takeUp(await second.found())
  second.world.clock.advance(10_000)
  await settle()
  assert.deepEqual(second.dialog.sent, ['UPDATE'])
  second.dialog.state = 'terminated'
  second.dialog.emit('ended', { by: 'gone' })
  await settle()
  assert.deepEqual(
    second.world.told('call.ended').map(({ reason }) => reason),
    ['hangup'],
  )
  await second.keeper.flush()
  assert.deepEqual(await store.all(), [])
})

test('a session none of whose ports can be had is ended by BYE, and its recording finished', async () => {
  await began()
  second.world.media.limit = 0
  assert.equal(await second.server.takeUp(await second.found()), false)
  await settle()
  assert.deepEqual(second.dialog.sent, ['BYE'])
  assert.equal(second.world.recordings.started[0]?.stopped, true)
  assert.equal(second.world.live.size, 0)
})

test('BYE while its session is being taken up ends it once, and leaves nothing open', async () => {
  await began()
  const going = second.server.takeUp(await second.found())
  second.dialog.receiveBye()
  await going
  await settle()
  assert.equal(second.world.told('call.ended').length, 1)
  assert.equal(second.world.live.size, 0)
  assert.ok(second.world.media.ports.every(({ closed }) => closed))
})

test('a session that is held by zeros for its address is still held after a restart', async () => {
  const invite = await began()
  const zeros = reInvite()
    .toString('latin1')
    .replace('c=IN IP4 192.0.2.9', 'c=IN IP4 0.0.0.0')
    .replace('Content-Length: 2133', 'Content-Length: 2131')
  await invite.dialog.receive(readRequest(Buffer.from(zeros, 'latin1')))
  await first.keeper.flush()
  const kept = await second.found()
  second.world.recordings.left.set(kept.id, { callId: kept.id, name: 'left', tracks: [] })
  await second.server.takeUp(kept)
  assert.deepEqual(
    second.world.recordings.started.map(({ orders }) => orders.filter((order) => / recording /.test(order))),
    [['pause recording signalling']],
  )
})

test('handed over: no BYE, no end told, files closed; the next process goes on', async () => {
  const invite = await began()
  await first.server.handOver(first.keeper)
  assert.deepEqual(invite.dialog.sent, [])
  assert.equal(first.world.told('call.ended').length + first.world.told('leg.ended').length, 0)
  assert.deepEqual(
    first.world.recordings.started.map(({ hasLeft, stopped }) => [hasLeft, stopped]),
    [[true, false]],
  )
  assert.ok(first.world.media.ports.every(({ closed }) => closed))
  assert.equal(first.world.live.size, 0)
  assert.equal(await second.server.takeUp(await second.found()), true)
})

test('a session that ended in order leaves nothing to be taken up', async () => {
  const invite = await began()
  invite.dialog.receiveBye()
  await settle()
  await first.keeper.flush()
  assert.deepEqual(await second.keeper.found(), [])
})

test('what another version wrote is no checkpoint', () => {
  assert.equal(readCheckpoint('{"version":2}'), undefined)
  assert.equal(readCheckpoint('no JSON'), undefined)
})
