import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import { silentLogger } from '../../core/logger.ts'
import type { Checkpoint } from './checkpoint.ts'
import { type Keepable, SessionKeeper } from './keeper.ts'
import { keyFrom, Seal } from './seal.ts'
import { MemorySessions, type SessionChange } from './store.ts'

const checkpoint = (id: string, version = 1): Checkpoint => ({
  version: 1,
  id,
  startedAtMs: 1,
  answeredAtMs: 2,
  terms: { dialect: 'rfc', tags: [] },
  messages: [{ atMs: 1, text: 'INVITE' }],
  description: 'v=0',
  ours: { address: '192.0.2.1', sessionId: '1', version },
  streams: [{ index: 0, legId: 'leg', rtpPort: 10_000 }],
  dialog: {
    side: 'called',
    id: { callId: 'c', localTag: 'l', remoteTag: 'r' },
    flow: {
      transport: 'udp',
      reliable: false,
      local: { ip: '192.0.2.1', port: 5060 },
      remote: { ip: '192.0.2.9', port: 5060 },
    },
    local: '<sip:a@x>;tag=l',
    remote: '<sip:b@x>;tag=r',
    remoteTarget: 'sip:b@192.0.2.9',
    routeSet: [],
    localSeq: 1,
    remoteSeq: 1,
    stay: false,
    session: { takesUpdate: true },
  },
})

class Store extends MemorySessions {
  readonly writes: (readonly string[])[] = []
  broken = false
  override write(changes: readonly SessionChange[]): Promise<void> {
    if (this.broken) return Promise.reject(new Error('away'))
    this.writes.push(changes.map(({ id }) => id))
    return super.write(changes)
  }
}

let clock: FakeClock
let store: Store
let keeper: SessionKeeper
const seal = new Seal(Buffer.alloc(32, 7))
beforeEach(() => {
  clock = new FakeClock()
  store = new Store()
  keeper = new SessionKeeper({ store, seal, clock, log: silentLogger })
})

const session = (id: string, version = 1): Keepable => ({ id, checkpoint: () => checkpoint(id, version) })
const turn = async (ms: number) => {
  clock.advance(ms)
  await keeper.flush()
}
const next = () => new SessionKeeper({ store, seal, clock, log: silentLogger }).found()

test('many changes of a turn are one write, and what was said last is what is kept', async () => {
  keeper.changed(session('a', 1))
  keeper.changed(session('b'))
  keeper.changed(session('a', 2))
  assert.deepEqual(store.writes, [])
  await turn(100)
  assert.deepEqual(store.writes, [['a', 'b']])
  assert.deepEqual(
    (await next()).map(({ id, ours }) => [id, ours.version]),
    [
      ['a', 2],
      ['b', 1],
    ],
  )
})

test('a session that is over is forgotten; one that was never kept costs no write', async () => {
  keeper.changed(session('a'))
  await turn(100)
  keeper.ended('a')
  keeper.ended('never')
  keeper.changed({ id: 'not-keepable', checkpoint: () => undefined })
  await turn(100)
  assert.deepEqual(store.writes, [['a'], ['a']])
  assert.deepEqual(await next(), [])
})

test('a store that fails is written to later, with what is current then', async () => {
  store.broken = true
  keeper.changed(session('a', 1))
  await turn(100)
  store.broken = false
  keeper.changed(session('b'))
  await turn(2_000)
  assert.deepEqual(
    (await next()).map(({ id }) => id),
    ['a', 'b'],
  )
})

test('what another key sealed, or what was changed or put in the place of another, is passed over and forgotten', async () => {
  keeper.changed(session('a'))
  keeper.changed(session('b'))
  await turn(100)
  const [a] = await store.all()
  assert.ok(a)
  const changed = Uint8Array.from(a.sealed)
  changed[40] = (changed[40] ?? 0) ^ 1
  const foreign = new Seal(Buffer.alloc(32, 8)).seal('c', JSON.stringify(checkpoint('c')))
  await store.write([
    { id: 'a', sealed: changed },
    { id: 'b', sealed: a.sealed },
    { id: 'c', sealed: foreign },
    { id: 'd', sealed: new Uint8Array(3) },
    { id: 'e', sealed: seal.seal('e', '{"version":2}') },
  ])
  const later = new SessionKeeper({ store, seal, clock, log: silentLogger })
  assert.deepEqual(await later.found(), [])
  await later.flush()
  assert.deepEqual(await store.all(), [])
})

test('nothing of a session can be read in its store', async () => {
  keeper.changed(session('a'))
  await turn(100)
  const [kept] = await store.all()
  assert.doesNotMatch(Buffer.from(kept?.sealed ?? []).toString('latin1'), /sip:|192\.0\.2/)
})

test('the key is made once, for its owner alone, and one of another length is refused', (context) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-seal-'))
  context.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'key')
  const key = keyFrom(path)
  assert.deepEqual(keyFrom(path), key)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.throws(() => new Seal(key.subarray(1)), RangeError)
})
