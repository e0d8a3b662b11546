import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../net/memory-network.ts'
import { fragmentsIn } from './assembly.ts'
import { fingerprintOf } from './identity.ts'
import { handshakeTypes } from './messages.ts'
import { RecordLayer } from './record.ts'
import { addresses, type End, ownCertificate, type PairOptions, pair, type Wire } from './test-support.ts'

const start = (options: PairOptions = {}) => {
  const both = pair(options)
  both.client.connection.start(addresses.server)
  return both
}

function assertAgreed({ client, server }: { readonly client: End; readonly server: End }): void {
  assert.deepEqual([client.failures, server.failures], [[], []])
  const [[ofClient], [ofServer]] = [client.keys, server.keys]
  assert.ok(ofClient && ofServer && client.keys.length === 1 && server.keys.length === 1)
  assert.deepEqual(ofClient.send, ofServer.receive)
  assert.deepEqual(ofClient.receive, ofServer.send)
  assert.notDeepEqual(ofClient.send.master, ofClient.receive.master)
}

test('both sides agree on keys of SRTP, one for each direction, and say goodbye', () => {
  const both = start()
  both.clock.advance(1_000)
  assertAgreed(both)
  assert.equal(both.client.keys[0]?.send.suite, 'AES_CM_128_HMAC_SHA1_80')
  const before = both.server.sent.length
  both.server.connection.close()
  both.server.connection.close()
  assert.equal(both.server.sent.length, before + 1, 'close_notify')
  both.clock.advance(60_000)
  assert.equal(both.server.sent.length, before + 1, 'nothing more')
})

const typesIn = (datagrams: readonly Buffer[]): number[] =>
  datagrams.flatMap((datagram) =>
    new RecordLayer()
      .open(datagram)
      .filter(({ type }) => type === 22)
      .flatMap(({ body }) => fragmentsIn(body).map(({ type }) => type)),
  )

test('a client says first that it is where it says it is, by a cookie; one that is proven does not (RFC 6347 §4.2.1)', () => {
  const asked = start()
  asked.clock.advance(1_000)
  const [first] = asked.server.sent
  assert.deepEqual(typesIn([first ?? Buffer.alloc(0)]), [handshakeTypes.helloVerifyRequest])
  assert.ok((first?.length ?? 0) < (asked.client.sent[0]?.length ?? 0), 'it is shorter than what it answers')
  const proven = start({ proven: true })
  proven.clock.advance(1_000)
  assertAgreed(proven)
  assert.equal(typesIn(proven.server.sent).includes(handshakeTypes.helloVerifyRequest), false)
})

test('a cookie is good for the address it was sent to and no other', () => {
  let fromElsewhere = false
  const { clock, client, server } = pair({ wire: (_, from) => (fromElsewhere && from === 'server' ? [] : [1]) })
  const receive = server.connection.receive.bind(server.connection)
  server.connection.receive = (datagram) =>
    receive(datagram, fromElsewhere ? { ip: '198.51.100.9', port: 9 } : addresses.client)
  client.connection.start(addresses.server)
  clock.advance(2)
  fromElsewhere = true
  clock.advance(100)
  assert.deepEqual([...new Set(typesIn(server.sent))], [handshakeTypes.helloVerifyRequest])
})

test('whatever the wire loses, doubles and reorders, they agree (200 seeds)', () => {
  for (let seed = 1; seed <= 200; seed++) {
    const dice = seededRandom(seed)
    const wire: Wire = () => {
      const roll = dice()
      if (roll < 0.15) return []
      const delay = () => Math.floor(dice() * 60)
      return roll < 0.4 ? [delay(), delay()] : [delay()]
    }
    const both = start({ wire, proven: seed % 2 === 0 })
    both.clock.advance(26_000)
    assertAgreed(both)
  }
})

test('each datagram of the handshake may be lost once', () => {
  for (let lost = 0; lost < 8; lost++) {
    let count = 0
    const both = start({ wire: () => (count++ === lost ? [] : [5]) })
    both.clock.advance(5_000)
    assertAgreed(both)
  }
})

test('another certificate than the one in the session description is refused, by either side', () => {
  const stranger = [fingerprintOf(ownCertificate().certificate)]
  const ofClient = start({ told: { client: stranger } })
  ofClient.clock.advance(1_000)
  assert.deepEqual(ofClient.client.failures, ['bad_certificate'])
  assert.deepEqual(ofClient.server.failures, ['peer: bad_certificate'])
  const ofServer = start({ told: { server: stranger } })
  ofServer.clock.advance(1_000)
  assert.deepEqual(ofServer.server.failures, ['bad_certificate'])
  assert.deepEqual(ofServer.client.failures, ['peer: bad_certificate'])
  for (const { client, server } of [ofClient, ofServer]) assert.deepEqual([client.keys, server.keys], [[], []])
})

test('of several fingerprints the one of the best hash counts (RFC 8122 §6.2); MD5 is not believed', () => {
  const own = { client: ownCertificate(), server: ownCertificate() }
  const { certificate } = own.server
  const other = ownCertificate().certificate
  const outcome = (told: readonly ReturnType<typeof fingerprintOf>[]): string => {
    const { clock, client } = start({ own, told: { client: told } })
    clock.advance(1_000)
    return client.failures[0] ?? 'agreed'
  }
  assert.equal(outcome([fingerprintOf(other, 'sha-1'), fingerprintOf(certificate, 'sha-256')]), 'agreed')
  assert.equal(outcome([fingerprintOf(other, 'sha-256'), fingerprintOf(certificate, 'sha-256')]), 'agreed')
  assert.equal(outcome([fingerprintOf(certificate, 'sha-1'), fingerprintOf(other, 'sha-512')]), 'bad_certificate')
  assert.equal(outcome([{ hash: 'md5', value: fingerprintOf(certificate).value }]), 'bad_certificate')
})

test('who gets no answer sends again 7 times and gives up after 25 s', () => {
  const { clock, client } = start({ wire: () => [] })
  clock.advance(60_000)
  assert.equal(client.sent.length, 7)
  assert.deepEqual(client.failures, ['no answer'])
})

test('a client that begins anew in mid-handshake is answered anew, and not once keys are agreed', () => {
  const again = pair().client
  again.connection.start(addresses.server)
  const [otherHello = Buffer.alloc(0)] = again.sent
  const { clock, client, server } = start()
  clock.advance(1)
  assert.equal(server.sent.length, 1)
  server.connection.receive(Buffer.from(otherHello), addresses.client)
  assert.equal(server.sent.length, 2)
  clock.advance(5_000)
  assert.deepEqual(client.failures, [], 'its own hello, sent again, began anew once more')
  assert.equal(server.keys.length, 1)
  const sent = server.sent.length
  server.connection.receive(Buffer.from(otherHello), addresses.client)
  assert.equal(server.sent.length, sent)
})

test('strangers who begin one handshake after the other are answered ten times, and lock nobody out for good', () => {
  const both = pair()
  const { clock, client, server } = both
  const place = { ip: '198.51.100.1', port: 1_000 }
  for (let i = 0; i < 20; i++) {
    const stranger = pair().client
    stranger.connection.start(addresses.server)
    server.connection.receive(Buffer.from(stranger.sent[0] ?? []), place)
    stranger.connection.receive(Buffer.from(server.sent.at(-1) ?? []), addresses.server)
    server.connection.receive(Buffer.from(stranger.sent[1] ?? []), place)
  }
  assert.equal(server.sent.filter((datagram) => datagram.length > 500).length, 10)
  client.connection.start(addresses.server)
  clock.advance(500)
  assert.equal(server.keys.length, 0)
  clock.advance(10_000)
  assertAgreed(both)
})

test('a peer that repeats its hello for ever is not answered for ever', () => {
  const { clock, client, server } = start({ proven: true, wire: (_, from) => (from === 'client' ? [1] : []) })
  clock.advance(2)
  const [hello = Buffer.alloc(0)] = client.sent
  for (let i = 0; i < 1_000; i++) {
    server.connection.receive(Buffer.from(hello), addresses.client)
    clock.advance(100)
  }
  assert.ok(server.sent.length <= 30, `${server.sent.length}`)
})

test('strangers with hellos of their own get less than they send, and keep nobody from shaking hands', () => {
  const both = start({ wire: () => [10] })
  let got = 0
  let sent = 0
  for (let ms = 0; ms < 100; ms += 2) {
    const stranger = pair().client
    stranger.connection.start(addresses.server)
    const [hello = Buffer.alloc(0)] = stranger.sent
    const before = both.server.sent.length
    both.server.connection.receive(Buffer.from(hello), { ip: '198.51.100.1', port: 1_000 + ms })
    sent += hello.length
    for (const answer of both.server.sent.slice(before)) got += answer.length
    both.clock.advance(2)
  }
  both.clock.advance(1_000)
  assertAgreed(both)
  assert.ok(got < sent / 2, `${got} of ${sent}`)
})

test('what somebody else says in mid-handshake is not heard', () => {
  const both = start({ wire: () => [10] })
  both.clock.advance(35)
  const alert = Buffer.from('15fefd000000000000000900020228', 'hex')
  for (const { connection } of [both.client, both.server])
    for (const bytes of [alert, ...both.client.sent, ...both.server.sent])
      connection.receive(Buffer.from(bytes), { ip: '198.51.100.1', port: 1 })
  both.clock.advance(1_000)
  assertAgreed(both)
})

test('every datagram cut short or with a byte changed is survived, and harms no agreed association', () => {
  const both = start()
  both.clock.advance(1_000)
  const dice = seededRandom(7)
  const all = [...both.client.sent, ...both.server.sent]
  for (const datagram of all) {
    for (let i = 0; i < 100; i++) {
      const changed = Buffer.from(datagram.subarray(0, 1 + Math.floor(dice() * datagram.length)))
      changed[Math.floor(dice() * changed.length)] = Math.floor(dice() * 256)
      both.server.connection.receive(changed, addresses.client)
      const fresh = pair().server
      fresh.connection.receive(changed, addresses.client)
      fresh.connection.close()
    }
  }
  assertAgreed(both)
})

test('a peer that never says hello is told as one that does not answer, and may still come', () => {
  const both = pair()
  both.clock.advance(29_000)
  assert.deepEqual(both.server.failures, [])
  both.clock.advance(2_000)
  assert.deepEqual(both.server.failures, ['no answer'])
  both.client.connection.start(addresses.server)
  both.clock.advance(1_000)
  assert.equal(both.server.keys.length, 1)
  both.clock.advance(60_000)
  assert.deepEqual(both.server.failures, ['no answer'])
})

test('a client that was told to begin again after the handshake says nothing more', () => {
  const both = start()
  both.clock.advance(1_000)
  assertAgreed(both)
  const before = both.client.sent.length
  both.client.connection.start(addresses.server)
  both.clock.advance(60_000)
  assert.equal(both.client.sent.length, before)
  assertAgreed(both)
})
