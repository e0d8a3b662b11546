/** Sessions that we ask for (RFC 7866 §6.1.1): an INVITE without a description, whose answer offers. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, test } from 'node:test'
import { calleeIp, callerIp, type Pair, pair } from '../sip/dialog/test-support.ts'
import type { IncomingInvite } from '../sip/stack.types.ts'
import { SiprecServer } from './server.ts'
import { World } from './test-support.ts'

const basic = readFileSync(
  join(import.meta.dirname, '..', '..', 'test', 'data', 'siprec', 'basic-two-streams.sip'),
  'latin1',
)
const body = basic.slice(basic.indexOf('--foobar'))
const contentType = 'multipart/mixed;boundary=foobar'
const contact = `sip:src@${calleeIp}:5060`

let line: Pair
let world: World
let server: SiprecServer
let failed: string[]
beforeEach(async () => {
  line = await pair({ callee: { supported: ['siprec'] } })
  world = new World()
  failed = []
  const services = { ...world.services, stack: line.caller, clock: line.clock, advertisedIp: () => callerIp }
  server = new SiprecServer(services, { streamSilentMs: 0, askWhenSilentMs: 0, srtp: 'accepted' })
})

const order = () =>
  server.order(contact, {
    terms: { name: 'sbc', dialect: 'rfc', tags: ['ordered'] },
    failed: (code) => failed.push(code),
    over: () => {},
  })

test('the client offers in its answer, gets our answer in the ACK, and is recorded with who its metadata names', async () => {
  let asked: IncomingInvite | undefined
  let ack = ''
  line.callee.on('invite', (invite) => {
    asked = invite
    invite.answer({ contentType, body }).on('ack', ({ body: answer }) => {
      ack = Buffer.from(answer).toString()
    })
  })
  const ordered = order()
  await line.run(200)
  const { callId, status } = await ordered

  assert.equal(status, 200)
  assert.equal(asked?.request.body.length, 0)
  assert.equal(asked?.request.headers.get('Require'), 'siprec')
  assert.match(asked?.request.headers.get('Contact') ?? '', />;\+sip\.srs$/)
  assert.equal(ack.match(/^m=audio [1-9]/gm)?.length, 2)
  assert.equal(ack.match(/^a=recvonly/gm)?.length, 2)
  assert.deepEqual(
    [...ack.matchAll(/^a=label:(\d+)/gm)].map(([, label]) => label),
    ['96', '97'],
  )
  const [call] = world.live.list()
  assert.equal(call?.id, callId)
  assert.deepEqual(
    call?.snapshot().legs.map(({ label, party, state }) => [label, party.uri, state]),
    [
      ['96', 'sip:bob@biloxi.example.com', 'answered'],
      ['97', 'sip:paul@biloxi.example.com', 'answered'],
    ],
  )
  assert.equal(world.media.ports[0]?.descriptions.at(-1)?.remote?.ip, '192.0.2.9')
  assert.equal(world.recordings.started[0]?.options.origin?.peer, 'sbc')

  // Its life in the dialog is that of any other session: the client changes it, and ends it.
  const dialog = asked?.dialog
  // By itself it fits into a datagram.
  const description = /v=0[^]*?(?=--foobar)/.exec(body)?.[0] ?? ''
  const changing = dialog?.request('INVITE', { contentType: 'application/sdp', body: description })
  await line.run(200)
  assert.equal((await changing)?.status, 200)
  const bye = dialog?.bye()
  await line.run(200)
  await bye
  assert.equal(world.live.size, 0)
  assert.deepEqual(
    world.told('call.ended').map(({ reason }) => reason),
    ['hangup'],
  )
})

test('a client that refuses is told with its status, and nothing is left open', async () => {
  line.callee.on('invite', (invite) => invite.reject(603))
  const ordered = order()
  await line.run(200)
  assert.equal((await ordered).status, 603)
  assert.deepEqual(failed, ['siprec.order-refused'])
  assert.equal(world.live.size, 0)
  assert.equal(world.recordings.started.length, 0)
  assert.ok(world.media.ports.every(({ closed }) => closed))
})

test('an answer that offers nothing to record ends the session by BYE', async () => {
  const ends: string[] = []
  line.callee.on('invite', (invite) => {
    invite.answer({ contentType: 'text/plain', body: 'later' }).on('ended', ({ by }) => ends.push(by))
  })
  const ordered = order()
  await line.run(500)
  assert.equal((await ordered).status, 488)
  assert.deepEqual(ends, ['remote'])
  assert.ok(world.media.ports.every(({ closed }) => closed))
})
