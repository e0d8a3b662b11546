/** The two calls of a Cisco phone's Built-in Bridge, as CUCM sends them (test/data/siprec/vendors). */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import { SiprecServer } from '../server.ts'
import { FakeInvite, FakeRecording, readRequest, World } from '../test-support.ts'
import { BridgedCalls } from './bridged.ts'

const folder = join(import.meta.dirname, '..', '..', '..', 'test', 'data', 'siprec', 'vendors')
const agent = 'sip:2000@192.0.2.20'
const customer = 'sip:1000@192.0.2.20'
const settle = () => new Promise((resolve) => setImmediate(resolve))

let world: World
let server: SiprecServer
beforeEach(() => {
  world = new World()
  server = new SiprecServer(world.services, { streamSilentMs: 0, askWhenSilentMs: 0, srtp: 'accepted' })
})

/** The call of one end. It has no offer: the ACK answers ours. */
async function call(end: 'near' | 'far', { peer = 'cucm', reference = '27298698' } = {}): Promise<FakeInvite> {
  const text = readFileSync(join(folder, `cisco-bib-${end}end.sip`), 'latin1').replace('27298698', reference)
  const invite = new FakeInvite(readRequest(Buffer.from(text, 'latin1')))
  server.handle(invite, {
    terms: { name: peer, dialect: 'network', tags: [] },
    failed: (code) => assert.fail(code),
    over: () => {},
  })
  assert.equal((await invite.final).status, 200)
  return invite
}

/** The address heard on each channel. */
function channels({ who }: FakeRecording): (string | undefined)[] {
  const { participants = [], channelOrder = [] } = who ?? {}
  return channelOrder.map((legId) => participants.find((person) => person.legId === legId)?.uri)
}

async function hangUp(invite: FakeInvite): Promise<void> {
  invite.dialog.receiveBye()
  await settle()
}

for (const order of [['near', 'far'] as const, ['far', 'near'] as const]) {
  test(`the ${order[0]} end first: one recording, the phone on the first channel, the far end on the second`, async () => {
    for (const end of order) await call(end)
    const [recording, ...more] = world.recordings.started
    assert.ok(recording)
    assert.equal(more.length, 0)
    assert.deepEqual(channels(recording), [agent, customer])
    assert.equal(recording.who?.participants.length, 2)
    assert.equal(recording.tracks.length, 2)
    assert.equal(world.live.size, 2)
  })

  test(`the ${order[0]} end hangs up first: the other is recorded on, and the recording ends with it`, async () => {
    const calls = new Map([
      ['near', await call('near')],
      ['far', await call('far')],
    ] as const)
    const [first, second] = order.map((end) => calls.get(end))
    const [recording] = world.recordings.started
    assert.ok(first && second && recording)
    await hangUp(first)
    assert.equal(recording.stopped, false)
    assert.equal(recording.legIds.length, 1)
    assert.deepEqual(channels(recording), [agent, customer])
    await hangUp(second)
    assert.equal(recording.stopped, true)
  })
}

test('the second call never comes: the first is a recording that ends with it', async () => {
  const near = await call('near')
  const [recording] = world.recordings.started
  assert.ok(recording)
  assert.deepEqual(channels(recording), [agent])
  await hangUp(near)
  assert.equal(recording.stopped, true)
})

test('another call, another phone system, a second call too late, and the same end again are each a recording of their own', async () => {
  await call('near')
  await call('far', { reference: '99' })
  await call('far', { peer: 'other cucm' })
  await call('near')
  world.clock.advance(31_000)
  await call('far')
  assert.deepEqual(
    world.recordings.started.map(({ tracks }) => tracks.length),
    [1, 1, 1, 1, 1],
  )
})

test('after a hold the phone sends two new calls with the same number: they are the next recording', async () => {
  for (const invite of [await call('near'), await call('far')]) await hangUp(invite)
  await call('near')
  await call('far')
  assert.deepEqual(
    world.recordings.started.map(({ tracks, stopped }) => [tracks.length, stopped]),
    [
      [2, true],
      [2, false],
    ],
  )
})

test('what one call pauses by its description is its own voice; the other is recorded on', async () => {
  const near = await call('near')
  await call('far')
  const [recording] = world.recordings.started
  assert.ok(recording)
  const [own] = recording.tracks
  const { answer } = await near.final
  const of = (direction: string) =>
    String(answer.body).replace('recvonly', direction).replace('c=IN IP4 192.0.2.1', 'c=IN IP4 192.0.2.50')
  const change = (direction: string) => {
    const head = [
      'INVITE sip:recorder@192.0.2.10 SIP/2.0',
      'Via: SIP/2.0/TCP 192.0.2.50;branch=z9hG4bK2',
      'From: <sip:2000@192.0.2.20>;tag=src1',
      'To: <sip:recorder@192.0.2.10>;tag=ours',
      'Call-ID: bib-nearend@192.0.2.20',
      'CSeq: 2 INVITE',
      'Content-Type: application/sdp',
      `Content-Length: ${of(direction).length}`,
    ]
    return near.dialog.receive(readRequest(Buffer.from(`${head.join('\r\n')}\r\n\r\n${of(direction)}`)))
  }
  recording.orders.length = 0
  assert.equal((await change('inactive')).status, 200)
  assert.equal(recording.orders.at(-1), `mute ${own?.legId} signalling`)
  await change('sendonly')
  assert.equal(recording.orders.at(-1), `unmute ${own?.legId} signalling`)
  assert.ok(recording.orders.every((order) => order.includes(own?.legId ?? '')))
})

test('calls that are left to the next process leave their recording unfinished, with the last of them', async () => {
  const recording = new FakeRecording({ callId: 'c', name: 'n', tracks: [] })
  const bridged = new BridgedCalls(world.clock)
  const [near, far] = ['near', 'far'].map((end) =>
    bridged.recordingOf(readRequest(readFileSync(join(folder, `cisco-bib-${end}end.sip`))), 'cucm', () => recording),
  )
  await near?.leave()
  assert.equal(recording.hasLeft, false)
  await far?.leave()
  assert.deepEqual([recording.hasLeft, recording.stopped], [true, false])
})
