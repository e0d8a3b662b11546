/** Another server when one fails (RFC 3263 §4.3), and a connection for what no datagram holds (RFC 3261 §18.1.1). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Network } from '../../net/network.ts'
import type { Resolver } from '../../net/resolver.ts'
import type { CountedSipStack } from '../stack.ts'
import type { InviteOptions } from '../stack.types.ts'
import { assertNothingLeft, calleeIp, callerIp, inviteTo, pair, sdp } from './test-support.ts'

const firstIp = '192.0.2.10'

/** DNS that knows two servers for one domain: `firstIp`, then the callee. */
const dns: Resolver = {
  naptr: () => Promise.resolve([]),
  srv: (name) =>
    Promise.resolve(
      name === '_sip._udp.example.com' || name === '_sip._tcp.example.com'
        ? [
            { priority: 1, weight: 0, port: 5060, name: firstIp },
            { priority: 2, weight: 0, port: 5060, name: calleeIp },
          ]
        : [],
    ),
  addresses: (host) => Promise.resolve({ ips: [host], ttlMs: 60_000 }),
}

const toDomain = (params = ''): Partial<InviteOptions> => ({ target: { uri: `sip:102@example.com${params}` } })

/** A caller who asks that DNS, and a callee that answers. */
async function domain() {
  const net = await pair()
  await net.caller.close()
  const caller = await net.stack(callerIp, { resolver: dns })
  const answered: string[] = []
  net.callee.on('invite', (invite) => {
    answered.push(`${invite.flow.transport} ${invite.request.headers.get('CSeq')}`)
    invite.answer(sdp('v=0 answer\r\n'))
  })
  const invite = async (params = '', ms = 200, more: Partial<InviteOptions> = {}) => {
    const outgoing = caller.invite(inviteTo('102', { ...toDomain(params), ...more }))
    await net.run(ms)
    const outcome = await outgoing.outcome
    if (outcome.answered) void outcome.dialog.bye()
    await net.run(100)
    return outcome.response
  }
  return { ...net, caller, answered, invite }
}

/** The first server, which refuses each call so. */
async function refusing(net: Awaited<ReturnType<typeof domain>>, status: number, headers = {}, ring = false) {
  const seen: string[] = []
  const server: CountedSipStack = await net.stack(firstIp)
  server.on('invite', (invite) => {
    seen.push(invite.request.headers.get('Call-ID') ?? '')
    if (ring) invite.ring(180)
    invite.reject(status, { headers })
  })
  return { seen, server }
}

test('after a 503 the next server gets the same request; the one that refused is tried last for a while', async () => {
  const net = await domain()
  const { seen, server } = await refusing(net, 503)
  assert.equal((await net.invite()).status, 200)
  assert.equal((await net.invite()).status, 200)
  assert.deepEqual([seen.length, net.answered], [1, ['udp 1 INVITE', 'udp 1 INVITE']])
  await net.run(30_000)
  assert.equal((await net.invite()).status, 200)
  assert.equal(seen.length, 2)
  await server.close()
  await assertNothingLeft(net)
})

test('a server rests as long as its Retry-After says', async () => {
  const net = await domain()
  const { seen } = await refusing(net, 503, { 'Retry-After': '120 (maintenance)' })
  await net.invite()
  await net.run(100_000)
  await net.invite()
  assert.equal(seen.length, 1)
  await net.run(30_000)
  await net.invite()
  assert.equal(seen.length, 2)
})

test('a server that is silent is given up after 32 s, one that refuses the connection at once', async () => {
  const silent = await domain()
  assert.equal((await silent.invite('', 33_000)).status, 200)
  const refused = await domain()
  const response = await refused.invite(';transport=tcp')
  assert.equal(response.status, 200)
  assert.deepEqual(refused.answered, ['tcp 1 INVITE'])
})

test('the Contact names the transport of the server that is tried', async () => {
  const net = await domain()
  const contacts: (string | undefined)[] = []
  net.callee.on('request', (incoming) => incoming.respond(200))
  net.callee.on('invite', (invite) => contacts.push(invite.request.headers.get('Contact')))
  await net.invite(';transport=tcp')
  assert.match(contacts[0] ?? '', /;transport=tcp>$/)
})

test('a refusal other than 503, or one after ringing, is the answer', async () => {
  const busy = await domain()
  await refusing(busy, 486)
  assert.equal((await busy.invite()).status, 486)
  const rang = await domain()
  await refusing(rang, 503, {}, true)
  assert.equal((await rang.invite()).status, 503)
  assert.deepEqual([...busy.answered, ...rang.answered], [])
})

test('a call that was cancelled goes to no other server', async () => {
  const net = await domain()
  const outgoing = net.caller.invite(inviteTo('102', toDomain()))
  await net.run(1_000)
  outgoing.cancel()
  await net.run(40_000)
  const outcome = await outgoing.outcome
  assert.equal(outcome.response.status, 487)
  assert.deepEqual(net.answered, [])
})

test('when all servers fail the last failure is the answer, and a request that is no INVITE fares the same', async () => {
  const net = await domain()
  const { server } = await refusing(net, 503)
  server.on('request', (incoming) => incoming.respond(503))
  await net.callee.close()
  const options = net.caller.request('OPTIONS', {
    ...toDomain(';transport=tcp'),
    from: '<sip:a@x>',
    to: '<sip:b@x>',
  } as InviteOptions)
  await net.run(200)
  assert.equal((await options).status, 503)
})

const large = sdp(`v=0 ${'x'.repeat(1_300)}\r\n`)

test('a request over 1300 bytes goes by TCP, and the dialog stays there', async () => {
  const net = await domain()
  const server = await net.stack(firstIp)
  const seen: string[] = []
  server.on('invite', (invite) => {
    seen.push(`${invite.flow.transport} ${invite.request.headers.get('Via')?.slice(0, 11)}`)
    invite.answer(sdp('v=0 answer\r\n')).on('ended', () => seen.push('BYE'))
  })
  assert.equal((await net.invite('', 200, large)).status, 200)
  assert.equal((await net.invite()).status, 200)
  assert.deepEqual(seen, ['tcp SIP/2.0/TCP', 'BYE', 'udp SIP/2.0/UDP', 'BYE'])
})

test('a peer that refuses TCP gets the large request by UDP, and the next one at once', async () => {
  const net = await domain()
  const listen = [{ transport: 'udp', ip: firstIp, port: 5060 }] as const
  const server = await net.stack(firstIp, { listen })
  const seen: string[] = []
  server.on('invite', (invite) => {
    seen.push(invite.flow.transport)
    invite.answer(sdp('v=0 answer\r\n'))
  })
  assert.equal((await net.invite('', 200, large)).status, 200)
  assert.equal((await net.invite('', 200, large)).status, 200)
  assert.deepEqual(seen, ['udp', 'udp'])
  assert.equal(server.counters.requestsIn, 6) // INVITE, ACK, BYE
})

test('a firewall that swallows TCP costs a large request two seconds', async () => {
  const net = await pair()
  await net.caller.close()
  const swallowing: Network = {
    udp: (at, received) => net.network.udp(at, received),
    listen: (at, accepted) => net.network.listen(at, accepted),
    listenWebSocket: (at, accepted) => net.network.listen(at, accepted),
    connect: (to) => ({
      local: { ip: callerIp, port: 0 },
      remote: to,
      waitingBytes: 0,
      start: () => {},
      write: () => {},
      destroy: () => {},
    }),
    connectWebSocket: (to) => net.network.connectWebSocket(to),
    lookup: (host) => net.network.lookup(host),
    addressTowards: (ip) => ip,
  }
  const caller = await net.stack(callerIp, { network: swallowing })
  const seen: string[] = []
  net.callee.on('invite', (invite) => {
    seen.push(`${invite.flow.transport} at ${net.clock.now()}`)
    invite.reject(486)
  })
  const outgoing = caller.invite(inviteTo('102', large))
  await net.run(3_000)
  assert.equal((await outgoing.outcome).response.status, 486)
  assert.match(seen.join(), /^udp at 200\d$/)
})

test('a large request to a flow that its peer opened stays on it', async () => {
  const net = await pair()
  const seen: string[] = []
  net.callee.on('request', (incoming) => {
    incoming.respond(200)
    void net.callee.request('PUBLISH', {
      target: { uri: `sip:101@${callerIp}`, flow: incoming.flow },
      from: '<sip:b@x>',
      to: '<sip:a@x>',
      ...large,
    })
  })
  net.caller.on('request', (incoming) => {
    seen.push(incoming.flow.transport)
    incoming.respond(200)
  })
  void net.caller.request('OPTIONS', { target: { uri: `sip:${calleeIp}` }, from: '<sip:a@x>', to: '<sip:b@x>' })
  await net.run(500)
  assert.deepEqual(seen, ['udp'])
})

test('inside a dialog the server that has it is asked first, then the others of its name (RFC 3263 §4.3)', async () => {
  const net = await pair()
  await net.caller.close()
  const caller = await net.stack(callerIp, { resolver: dns })
  const other = await net.stack(firstIp)
  net.callee.on('invite', (invite) => {
    const dialog = invite.answer({ headers: { 'Record-Route': '<sip:example.com;lr>' } })
    dialog.on('request', (incoming) => incoming.respond(200))
  })
  const outgoing = caller.invite(inviteTo('103'))
  await net.run(200)
  const outcome = await outgoing.outcome
  assert.ok(outcome.answered)
  const info = outcome.dialog.request('INFO')
  await net.run(200)
  assert.equal((await info).status, 200)
  assert.equal(other.counters.requestsIn, 0)

  await net.callee.close()
  const second = outcome.dialog.request('INFO')
  await net.run(33_000)
  assert.equal((await second).status, 481, 'of the other server, which knows no such dialog')
  assert.equal(other.counters.requestsIn, 1)
  assert.equal(outcome.dialog.state, 'terminated')
})
