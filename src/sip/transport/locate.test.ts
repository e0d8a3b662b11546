/** RFC 3263 against a real DNS server on the loopback interface. */
import assert from 'node:assert/strict'
import { Resolver as DnsResolver } from 'node:dns/promises'
import { after, before, test } from 'node:test'
import { systemClock } from '../../core/clock.ts'
import { FakeClock } from '../../core/fake-clock.ts'
import { dnsClient } from '../../net/dns-client.ts'
import { hostNetwork } from '../../net/host-network.ts'
import { CachingResolver, hostResolver, type Resolver } from '../../net/resolver.ts'
import { aRecord, naptrRecord, srvRecord, startDnsServer } from '../../net/test-support.ts'
import { parseUri } from '../message/uri.ts'
import { bySrvOrder, locate } from './locate.ts'

let server: Awaited<ReturnType<typeof startDnsServer>>
let dns: Resolver
/** The hosts file says nothing. */
const network = { lookup: () => Promise.reject(new Error('not in the hosts file')) }

before(async () => {
  server = await startDnsServer({
    'naptr.example NAPTR': [
      naptrRecord(20, 10, 'SIP+D2U', '_sip._udp.naptr.example'),
      naptrRecord(10, 20, 'SIP+D2T', '_sip._tcp.naptr.example'),
      naptrRecord(10, 10, 'SIPS+D2T', '_sips._tcp.naptr.example'),
      naptrRecord(1, 1, 'SIP+D2S', '_sip._sctp.naptr.example'),
    ],
    '_sip._udp.naptr.example SRV': [srvRecord(1, 1, 5070, 'a.naptr.example')],
    '_sip._tcp.naptr.example SRV': [srvRecord(1, 1, 5071, 'a.naptr.example')],
    '_sips._tcp.naptr.example SRV': [srvRecord(1, 1, 5072, 'b.naptr.example')],
    'a.naptr.example A': [aRecord('192.0.2.1')],
    'b.naptr.example A': [aRecord('192.0.2.2')],
    '_sip._udp.srv.example SRV': [
      srvRecord(20, 1, 5062, 'gone.srv.example'),
      srvRecord(20, 0, 5062, 'b.srv.example'),
      srvRecord(10, 1, 5061, 'a.srv.example'),
    ],
    'a.srv.example A': [aRecord('192.0.2.3'), aRecord('192.0.2.4')],
    'b.srv.example A': [aRecord('192.0.2.5')],
    'plain.example A': [aRecord('192.0.2.6')],
    '_sip._udp.shut.example SRV': [srvRecord(0, 0, 0, '.')],
    'shut.example A': [aRecord('192.0.2.7')],
  })
  const asking = new DnsResolver({ timeout: 500, tries: 1 })
  asking.setServers([server.address])
  const ask = dnsClient({ network: hostNetwork, clock: systemClock, servers: () => [server.at] })
  dns = hostResolver({ network, ask, dns: asking })
})
after(() => server.close())

async function found(text: string, speaks: (transport: string) => boolean = () => true): Promise<string[]> {
  const uri = parseUri(text) ?? assert.fail('no URI')
  const hops = await locate(uri, { dns, speaks, random: () => 0.5 })
  return hops.map(({ transport, ip, port }) => `${transport} ${ip} ${port}`)
}

test('NAPTR says which transport is preferred, SRV where (RFC 3263 §4.1)', async () => {
  const [tls, tcp, udp] = ['tls 192.0.2.2 5072', 'tcp 192.0.2.1 5071', 'udp 192.0.2.1 5070']
  assert.deepEqual(await found('sip:naptr.example'), [tls, tcp, udp])
  assert.deepEqual(await found('sip:naptr.example', (transport) => transport !== 'udp'), [tls, tcp])
  assert.deepEqual(await found('sips:naptr.example'), [tls])
})

test('without NAPTR the SRV records of the transports we speak are asked for; the lower priority is first', async () => {
  assert.deepEqual(await found('sip:1@srv.example'), ['udp 192.0.2.3 5061', 'udp 192.0.2.4 5061', 'udp 192.0.2.5 5062'])
})

test('a transport in the URI leaves the choice of host, a port leaves none (RFC 3263 §4.1, §4.2)', async () => {
  assert.deepEqual(await found('sip:naptr.example;transport=tcp'), ['tcp 192.0.2.1 5071'])
  assert.deepEqual(await found('sip:a.srv.example:5099'), ['udp 192.0.2.3 5099', 'udp 192.0.2.4 5099'])
})

test('a name with addresses alone is reached at the usual port', async () => {
  assert.deepEqual(await found('sip:plain.example'), ['udp 192.0.2.6 5060'])
  assert.deepEqual(await found('sips:plain.example'), ['tls 192.0.2.6 5061'])
})

test('a service that is shut is not looked for elsewhere (RFC 2782), and an unknown name is told', async () => {
  assert.deepEqual(await found('sip:shut.example;transport=udp'), [])
  await assert.rejects(found('sip:nobody.example'), /not in the hosts file/)
})

test('DNS that fails at NAPTR, or for one transport, still leads to the servers it knows', async () => {
  const failing: Resolver = {
    ...dns,
    naptr: () => Promise.reject(new Error('SERVFAIL')),
    srv: (name) => (name.startsWith('_sips.') ? Promise.reject(new Error('SERVFAIL')) : dns.srv(name)),
  }
  const uri = parseUri('sip:1@srv.example') ?? assert.fail()
  const hops = await locate(uri, { dns: failing, speaks: () => true, random: () => 0 })
  assert.deepEqual(
    hops.map(({ ip, port }) => `${ip} ${port}`),
    ['192.0.2.3 5061', '192.0.2.4 5061', '192.0.2.5 5062'],
  )
})

test('the name a certificate must hold is that of the URI, whatever DNS made of it (RFC 5922 §7.1)', async () => {
  const hops = await locate(parseUri('sips:naptr.example') ?? assert.fail(), {
    dns,
    speaks: () => true,
    random: () => 0,
  })
  assert.deepEqual(
    hops.map(({ serverName }) => serverName),
    ['naptr.example'],
  )
})

test('where the host names no DNS servers, node:dns is asked instead', async () => {
  const asking = new DnsResolver({ timeout: 500, tries: 1 })
  asking.setServers([server.address])
  const plain = hostResolver({ network, dns: asking })
  assert.equal((await plain.srv('_sip._udp.srv.example')).length, 3)
  assert.equal((await plain.naptr('naptr.example')).length, 4)
  assert.deepEqual(await plain.srv('_sip._udp.nobody.example'), [])
})

test('answers are kept for their time to live', async () => {
  const clock = new FakeClock()
  const caching = new CachingResolver(clock, dns)
  const questions = async (): Promise<number> => {
    const before = server.asked.length
    await Promise.all([
      caching.addresses('plain.example'),
      caching.addresses('plain.example'),
      caching.srv('srv.example'),
    ])
    return server.asked.length - before
  }
  assert.equal(await questions(), 3) // A, AAAA, SRV
  clock.advance(59_000)
  assert.equal(await questions(), 0)
  clock.advance(2_000)
  assert.equal(await questions(), 3)
})

test('among equal priorities a server is first as often as its weight says (RFC 2782)', () => {
  const records = [
    { priority: 1, weight: 1, port: 1, name: 'light' },
    { priority: 1, weight: 3, port: 1, name: 'heavy' },
    { priority: 0, weight: 0, port: 1, name: 'first' },
  ]
  const draws = Array.from({ length: 100 }, (_, n) =>
    bySrvOrder(records, () => (n + 0.5) / 100).map(({ name }) => name),
  )
  assert.ok(draws.every(([first]) => first === 'first'))
  assert.equal(draws.filter(([, second]) => second === 'heavy').length, 75)
})
