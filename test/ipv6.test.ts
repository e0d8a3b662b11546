/** A whole call over IPv6: registration, both transports, media, the recording, addresses as they are shown. */
import assert from 'node:assert/strict'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { connect, startTestServer } from './support/in-process.ts'
import { until } from './support/until.ts'

const hasIpv6 = Object.values(networkInterfaces()).some((list) => list?.some(({ address }) => address === '::1'))

test('phones at IPv6 addresses talk, by UDP and by TCP', { skip: !hasIpv6 && 'this host has no ::1' }, async () => {
  const server = await startTestServer({ 'sip.host': '::1' })
  const alice = await server.phone('101', { ip: '::1' })
  const bob = await server.phone('102', { ip: '::1', transport: 'tcp' })
  const answered = bob.nextCall()
  const outcome = await alice.call('102').outcome
  assert.ok(outcome.answered)
  const atBob = await answered
  await until('both to hear', 10_000, () => outcome.call.heard().length > 0 && atBob.heard().length > 0, 20)
  await outcome.call.hangUp()

  const call = await until('the call to be stored', 10_000, async () => {
    const [newest] = (await server.api.calls()).items
    return newest?.endedAtMs !== undefined && newest
  })
  assert.equal(call.endReason, 'hangup')
  const [device] = (await server.api.registrations('101')).items
  assert.match(device?.contact ?? '', /^sip:101@\[::1\]:\d+$/)
  assert.match(device?.source ?? '', /^\[::1\]:\d+$/)
  await server.close()
})

test('one server on both families: a phone at an IPv4 address talks to one at an IPv6 address', {
  skip: !hasIpv6 && 'this host has no ::1',
}, async () => {
  const server = await startTestServer({ 'sip.host': '::' })
  const alice = await server.phone('101', { ip: '127.0.0.1', server: { ip: '127.0.0.1', port: server.sip.port } })
  const bob = await server.phone('102', { ip: '::1', server: { ip: '::1', port: server.sip.port } })
  const [atAlice, atBob] = await connect(alice, bob, '102')
  await until('both to hear', 10_000, () => atAlice.heard().length > 0 && atBob.heard().length > 0, 20)
  await atAlice.hangUp()

  const [device] = (await server.api.registrations('101')).items
  assert.match(device?.source ?? '', /^127\.0\.0\.1:\d+$/)
  await server.close()
})
