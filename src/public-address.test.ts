import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from './core/fake-clock.ts'
import { silentLogger } from './core/logger.ts'
import { MemoryNetwork } from './net/memory-network.ts'
import { answerBinding } from './net/stun-message.ts'
import { findNetworkAddresses, findPublicAddress } from './public-address.ts'
import { StartError } from './start-error.ts'

const nat = { behindNat: true, externalIp: 'auto', stunServer: 'stun.example.com' }

async function world() {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ clock })
  network.name('stun.example.com', '192.0.2.9')
  /** What the server tells; nothing while undefined. */
  const server = { tells: '198.51.100.1' as string | undefined }
  const socket = await network.udp({ ip: '192.0.2.9', port: 3478 }, (request, from) => {
    if (server.tells === undefined) return
    const head = Buffer.from([1, 1, 0, 12])
    const attribute = Buffer.from([0, 1, 0, 8, 0, 1, 0, 80, ...server.tells.split('.').map(Number)])
    socket.send(Buffer.concat([head, request.subarray(4), attribute]), from)
  })
  const run = async (ms: number) => {
    for (let left = ms; left > 0; left -= 500) {
      for (let turns = 0; turns < 10; turns++) await Promise.resolve()
      clock.advance(500)
    }
    for (let turns = 0; turns < 10; turns++) await Promise.resolve()
  }
  const find = (settings = nat) => findPublicAddress({ nat: settings }, { network, clock, log: silentLogger })
  return { clock, network, server, run, find }
}

test('auto asks the STUN server at the start and every five minutes, and follows a change', async () => {
  const { clock, server, run, find } = await world()
  const finding = find()
  await run(1_000)
  const address = await finding
  assert.equal(address?.current(), '198.51.100.1')
  server.tells = '198.51.100.2'
  await run(290_000)
  assert.equal(address.current(), '198.51.100.1')
  await run(20_000)
  assert.equal(address.current(), '198.51.100.2')
  server.tells = undefined
  await run(320_000)
  assert.equal(address.current(), '198.51.100.2', 'a silent server changes nothing')
  address.close()
  assert.equal(clock.pendingTimers, 0)
})

test('a start without an answer ends with one line', async () => {
  const { server, run, find } = await world()
  server.tells = undefined
  const refused = assert.rejects(
    find(),
    new StartError('EXTERNAL_IP is auto, but the STUN server stun.example.com did not answer'),
  )
  await run(10_000)
  await refused
})

test('an address that is given is taken, and none is wanted without NAT', async () => {
  const { find } = await world()
  assert.equal((await find({ ...nat, externalIp: '198.51.100.9' }))?.current(), '198.51.100.9')
  assert.equal(await find({ ...nat, behindNat: false }), undefined)
})

test('a network is told the address it sees us at, by a STUN server there, or the one that is given', async () => {
  const { clock, run, network, server } = await world()
  const addresses = ['10.9.0.0/16=stun:stun.example.com', '10.8.0.0/16=10.8.0.5', '10.7.0.0/16=local']
  const finding = findNetworkAddresses({ nat: { addresses } }, { network, clock, log: silentLogger })
  await run(1_000)
  const found = await finding
  assert.deepEqual(
    found.networks.map(({ ip }) => ip()),
    ['198.51.100.1', '10.8.0.5', undefined],
  )
  server.tells = '198.51.100.2'
  await run(310_000)
  assert.equal(found.networks[0]?.ip(), '198.51.100.2')
  assert.ok(found.networks[0]?.networks.has('10.9.3.4'))
  found.close()
  assert.equal(clock.pendingTimers, 0)
})

test('a network whose STUN server is silent ends the start with one line that names it, and leaves no timer', async () => {
  const { clock, run, network } = await world()
  const addresses = ['10.9.0.0/16=stun:stun.example.com', '10.8.0.0/16=stun:192.0.2.99']
  const refused = assert.rejects(
    findNetworkAddresses({ nat: { addresses } }, { network, clock, log: silentLogger }),
    new StartError('NAT_ADDRESSES names one for 10.8.0.0/16, but the STUN server 192.0.2.99 did not answer'),
  )
  await run(20_000)
  await refused
  assert.equal(clock.pendingTimers, 0)
})

test('a STUN server at an IPv6 address, or with no other, is asked there', async () => {
  for (const stunServer of ['[2001:db8::9]:3478', 'six.example.com']) {
    const clock = new FakeClock()
    const network = new MemoryNetwork({ clock })
    network.name('six.example.com', '2001:db8::9')
    const server = await network.udp({ ip: '2001:db8::9', port: 3478 }, (request, from) => {
      const answer = answerBinding(request, { ip: '2001:db8::77', port: from.port })
      if (answer) server.send(answer, from)
    })
    const found = findPublicAddress({ nat: { ...nat, stunServer } }, { network, clock, log: silentLogger })
    for (let turns = 0; turns < 50; turns++) {
      await Promise.resolve()
      clock.advance(10)
    }
    const address = await found
    assert.equal(address?.current(), '2001:db8::77')
    address?.close()
  }
})
