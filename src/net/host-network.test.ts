import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { hostNetwork } from './host-network.ts'

const loopback = { ip: '127.0.0.1', port: 0 }

test('a datagram is sent before close returns, and what cannot be sent is told', async () => {
  const heard: string[] = []
  const done = Promise.withResolvers<void>()
  const there = await hostNetwork.udp(loopback, (bytes, from) => {
    heard.push(`${bytes.toString()} from ${from.ip}`)
    done.resolve()
  })
  const here = await hostNetwork.udp(loopback, () => {})
  here.send(Buffer.from('last words'), there.local)
  await here.close()
  await done.promise
  assert.deepEqual(heard, ['last words from 127.0.0.1'])
  const failures: string[] = []
  await new Promise<void>((failed) => {
    there.send(Buffer.from('x'), { ip: '127.0.0.1', port: 0 }, (error) => {
      failures.push(error.message)
      failed()
    })
    assert.deepEqual(failures, [], 'never within the call')
  })
  await there.close()
  await there.close()
})

test('an address in use, UDP or TCP, rejects', async () => {
  const udp = await hostNetwork.udp(loopback, () => {})
  await assert.rejects(
    hostNetwork.udp(udp.local, () => {}),
    { code: 'EADDRINUSE' },
  )
  const tcp = await hostNetwork.listen(loopback, () => {})
  await assert.rejects(
    hostNetwork.listen(tcp.local, () => {}),
    { code: 'EADDRINUSE' },
  )
  await udp.close()
  await tcp.close()
})

test('a connection that is refused closes once with its reason', async () => {
  const listener = await hostNetwork.listen(loopback, () => {})
  const { port } = listener.local
  await listener.close()
  const events = new EventTarget()
  const connection = hostNetwork.connect({ ip: '127.0.0.1', port })
  let reason: Error | undefined
  connection.start({
    data: () => {},
    closed: (error) => {
      reason = error
      events.dispatchEvent(new Event('closed'))
    },
  })
  await once(events, 'closed')
  assert.match(String(reason), /ECONNREFUSED/)
})

test('a host name gives numeric addresses', async () => {
  const ips = await hostNetwork.lookup('localhost')
  assert.ok(ips.includes('127.0.0.1') || ips.includes('::1'))
})
