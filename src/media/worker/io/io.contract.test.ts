/** What both kinds of packet input and output keep to; see io.ts. */
import assert from 'node:assert/strict'
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { networkInterfaces } from 'node:os'
import { test } from 'node:test'
import { systemClock } from '../../../core/clock.ts'
import { loadNative } from '../../native-addon.ts'
import { type Endpoint, type MediaIo, maxDatagramBytes, type PacketHandler, type PortSockets } from './io.ts'
import { dgramIo } from './io-dgram.ts'
import { NativeIo } from './io-native.ts'

interface Kind {
  readonly name: string
  readonly create: () => MediaIo
  /** Why it cannot be tested here. */
  readonly skip?: string
}

const loaded = loadNative()

const kinds: readonly Kind[] = [
  { name: 'dgram', create: () => dgramIo },
  'native' in loaded
    ? { name: 'native', create: () => new NativeIo(loaded.native, { clock: systemClock, pollMs: 5 }) }
    : {
        name: 'native',
        create: () => assert.fail('never created'),
        skip: `the addon cannot be used: ${loaded.missing}`,
      },
]

const hasIPv6 = Object.values(networkInterfaces()).some((found) => found?.some(({ address }) => address === '::1'))

interface Heard {
  readonly what: 'rtp' | 'rtcp'
  readonly text: string
  readonly from: Endpoint
}

/** A pair on a free even port, what it hears, and a way to wait for it. */
async function openPair(io: MediaIo, ip: string, muxed = false) {
  const heard: Heard[] = []
  /** When RTP came, as far as that was told. */
  const came: (number | undefined)[] = []
  let wake: (() => void) | undefined
  const hear = (what: Heard['what'], bytes: Uint8Array, from: Endpoint): void => {
    heard.push({ what, text: Buffer.from(bytes).toString('latin1'), from })
    wake?.()
  }
  const handler: PacketHandler = {
    rtp(bytes, from, atMs) {
      came.push(atMs)
      hear('rtp', bytes, from)
    },
    rtcp: (bytes, from) => hear('rtcp', bytes, from),
  }
  let sockets: PortSockets | undefined
  let rtpPort = 0
  while (!sockets) {
    rtpPort = (await freePort(ip)) & ~1
    sockets = await io.open(ip, rtpPort, handler, muxed)
  }
  const until = async (count: number): Promise<readonly Heard[]> => {
    while (heard.length < count) await new Promise<void>((resolve) => (wake = resolve))
    return heard
  }
  return { sockets, rtpPort, heard, came, until, handler }
}

async function freePort(ip: string): Promise<number> {
  const socket = await boundSocket(ip)
  const { port } = socket.address()
  await new Promise<void>((resolve) => socket.close(resolve))
  return port
}

async function boundSocket(ip: string): Promise<Socket> {
  const socket = createSocket(ip.includes(':') ? 'udp6' : 'udp4')
  socket.bind(0, ip)
  await once(socket, 'listening')
  return socket
}

const lo = '127.0.0.1'
const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'latin1')

for (const { name, create, skip } of kinds) {
  const contract = (what: string, run: (io: MediaIo) => Promise<void>): void => {
    test(`${name}: ${what}`, { skip: skip ?? false, timeout: 10_000 }, () => run(create()))
  }

  contract('a datagram comes to the handler of its socket, from where it was sent', async (io) => {
    const { sockets, rtpPort, until } = await openPair(io, lo)
    const peer = await boundSocket(lo)
    const from = { ip: lo, port: peer.address().port }
    peer.send('speech', rtpPort, lo)
    peer.send('report', rtpPort + 1, lo)
    const heard = await until(2)
    assert.deepEqual(
      heard.toSorted((a, b) => b.what.localeCompare(a.what)),
      [
        { what: 'rtp', text: 'speech', from },
        { what: 'rtcp', text: 'report', from },
      ],
    )
    peer.close()
    await sockets.close()
  })

  contract('packets of one source keep their order, and their source is one object', async (io) => {
    const { sockets, rtpPort, until } = await openPair(io, lo)
    const peer = await boundSocket(lo)
    // More than are taken at a time, of many lengths.
    const texts = Array.from({ length: 300 }, (_, i) => `${i}`.padEnd(20 + (i % 170), '.'))
    for (const text of texts) peer.send(text, rtpPort, lo)
    const heard = await until(texts.length)
    assert.deepEqual(
      heard.map(({ text }) => text),
      texts,
    )
    assert.ok(heard.every(({ from }) => from === heard[0]?.from))
    peer.close()
    await sockets.close()
  })

  contract('sources that take turns are told apart', async (io) => {
    const { sockets, rtpPort, until } = await openPair(io, lo)
    const [a, b] = [await boundSocket(lo), await boundSocket(lo)]
    for (let count = 1; count <= 6; count++) {
      const peer = count % 2 === 1 ? a : b
      peer.send('turn', rtpPort, lo)
      await until(count)
    }
    const ports = (await until(6)).map(({ from }) => from.port)
    const [pa, pb] = [a.address().port, b.address().port]
    assert.deepEqual(ports, [pa, pb, pa, pb, pa, pb])
    a.close()
    b.close()
    await sockets.close()
  })

  contract('what is sent leaves as it was when it was sent, from its own port', async (io) => {
    const { sockets, rtpPort } = await openPair(io, lo)
    const peer = await boundSocket(lo)
    const to = { ip: lo, port: peer.address().port }
    const got: string[] = []
    const done = new Promise<void>((resolve) =>
      peer.on('message', (bytes, { port }: RemoteInfo) => {
        if (got.push(`${bytes.toString('latin1')} from ${port - rtpPort}`) === 4) resolve()
      }),
    )
    const bytes = bytesOf('--one--')
    sockets.sendRtp(bytes, 2, 3, to)
    bytes.set(bytesOf('two'), 2) // ours again
    sockets.sendRtp(bytes, 2, 3, to)
    sockets.sendRtcp(bytesOf('three'), { ...to })
    sockets.sendRtp(bytes, 0, 7, { ...to })
    io.flush()
    await done
    assert.deepEqual(got.toSorted(), ['--two-- from 0', 'one from 0', 'three from 1', 'two from 0'])
    peer.close()
    await sockets.close()
  })

  contract('what the handler is lent can be changed and sent on, each to its own place', async (io) => {
    const peer = await boundSocket(lo)
    const other = await boundSocket(lo)
    let sockets: PortSockets | undefined
    let rtpPort = 0
    const targets: Endpoint[] = [peer, other].map((socket) => ({ ip: lo, port: socket.address().port }))
    let count = 0
    const handler = {
      rtp(bytes: Uint8Array) {
        bytes[0] = 'x'.charCodeAt(0)
        sockets?.sendRtp(bytes, 0, bytes.length, targets[count++ % 2] as Endpoint)
      },
      rtcp() {},
    }
    while (!sockets) {
      rtpPort = (await freePort(lo)) & ~1
      sockets = await io.open(lo, rtpPort, handler)
    }
    const got: string[][] = [[], []]
    const done = new Promise<void>((resolve) => {
      for (const [i, socket] of [peer, other].entries())
        socket.on('message', (bytes) => {
          got[i]?.push(bytes.toString('latin1'))
          if (got.flat().length === 200) resolve()
        })
    })
    for (let i = 0; i < 200; i++) peer.send(`-${i}`, rtpPort, lo)
    await done
    const wanted = Array.from({ length: 200 }, (_, i) => `x${i}`)
    assert.deepEqual(got, [wanted.filter((_, i) => i % 2 === 0), wanted.filter((_, i) => i % 2 === 1)])
    peer.close()
    other.close()
    await sockets.close()
  })

  contract('a port in use is refused, and so is a pair of which the second is', async (io) => {
    const taken = await openPair(io, lo)
    assert.equal(await io.open(lo, taken.rtpPort, taken.handler), undefined)
    const rtcpOnly = await boundSocket(lo)
    const port = rtcpOnly.address().port
    assert.equal(await io.open(lo, port - 1, taken.handler), undefined)
    // The first of the pair was given back.
    const first = createSocket('udp4')
    first.bind({ address: lo, port: port - 1, exclusive: true })
    await once(first, 'listening')
    first.close()
    rtcpOnly.close()
    await taken.sockets.close()
  })

  contract('a closed pair is silent, frees its ports at once, and may be closed again', async (io) => {
    const { sockets, rtpPort, heard } = await openPair(io, lo)
    const peer = await boundSocket(lo)
    peer.send('unheard', rtpPort, lo)
    const closed = sockets.close()
    sockets.sendRtp(bytesOf('unsent'), 0, 6, { ip: lo, port: peer.address().port })
    await closed
    await sockets.close()
    const again = await io.open(lo, rtpPort, { rtp: () => {}, rtcp: () => {} })
    assert.ok(again)
    assert.deepEqual(heard, [])
    await again.close()
    peer.close()
  })

  contract('a peer that is gone, a port 0 and an address of the other family are no reason to die', async (io) => {
    const { sockets, rtpPort, until } = await openPair(io, lo)
    const nobody = { ip: lo, port: await freePort(lo) }
    for (let i = 0; i < 3; i++) {
      for (const to of [
        nobody,
        { ip: lo, port: 0 },
        { ip: lo, port: 65_536 },
        { ip: '::1', port: 4000 },
        { ip: '0.0.0.0', port: 1 },
      ]) {
        sockets.sendRtp(bytesOf('hello'), 0, 5, to)
      }
      io.flush()
    }
    sockets.sendRtp(new Uint8Array(70_000), 0, 70_000, nobody)
    io.flush()
    const peer = await boundSocket(lo)
    peer.send('still here', rtpPort, lo)
    assert.equal((await until(1))[0]?.text, 'still here')
    peer.close()
    await sockets.close()
  })

  contract('a packet that waited for a busy thread came when it came, where the kernel tells', async (io) => {
    const { sockets, rtpPort, until, came } = await openPair(io, lo)
    const peer = await boundSocket(lo)
    peer.connect(rtpPort, lo) // so that what is sent has left when send returns
    await once(peer, 'connect')
    // The first one may come before the kernel has begun to stamp packets.
    for (let count = 1; count <= 2; count++) {
      const sentMs = systemClock.now()
      peer.send('speech')
      while (systemClock.now() - sentMs < 80);
      await until(count)
      const [, cameMs] = came
      if (cameMs !== undefined) assert.ok(cameMs - sentMs < 40, `${cameMs - sentMs} ms after it was sent`)
    }
    peer.close()
    await sockets.close()
  })

  contract('datagrams too long for any network are dropped, the longest that is not is heard whole', async (io) => {
    const { sockets, rtpPort, until } = await openPair(io, lo)
    const peer = await boundSocket(lo)
    peer.send('x'.repeat(maxDatagramBytes + 1), rtpPort, lo)
    peer.send('y'.repeat(maxDatagramBytes), rtpPort, lo)
    peer.send(new Uint8Array(0), rtpPort, lo)
    peer.send('end', rtpPort, lo)
    const texts = (await until(3)).map(({ text }) => text)
    assert.deepEqual(texts, ['y'.repeat(maxDatagramBytes), '', 'end'])
    peer.close()
    await sockets.close()
  })

  contract('packets that may wait come all the same, in order, and at once when they are asked for', async (io) => {
    const { sockets, rtpPort, until, heard, came } = await openPair(io, lo)
    const peer = await boundSocket(lo)
    peer.connect(rtpPort, lo) // so that what is sent has left when send returns
    await once(peer, 'connect')
    sockets.ease(true)
    const texts = Array.from({ length: 100 }, (_, i) => `${i}`)
    for (const text of texts.slice(0, 70)) peer.send(text)
    await until(70)
    for (const text of texts.slice(70)) peer.send(text)
    io.drain()
    sockets.drain()
    await until(100) // dgram takes packets when it does
    assert.deepEqual(
      heard.map(({ text }) => text),
      texts,
    )
    assert.ok(came.every((atMs, i) => atMs === undefined || i === 0 || atMs >= (came[i - 1] ?? 0)))
    sockets.ease(false)
    peer.send('again')
    assert.equal((await until(101))[100]?.text, 'again')
    peer.close()
    await sockets.close()
  })

  contract('a pair whose RTCP comes by the port of RTP leaves the other to others, until it is wanted', async (io) => {
    const { sockets, rtpPort, until } = await openPair(io, lo, true)
    const other = createSocket('udp4')
    other.bind({ address: lo, port: rtpPort + 1, exclusive: true })
    await once(other, 'listening')
    const peer = await boundSocket(lo)
    const to = { ip: lo, port: peer.address().port }
    const answered = once(peer, 'message')
    sockets.sendRtcp(bytesOf('report'), to)
    io.flush()
    const [bytes, from] = (await answered) as [Buffer, RemoteInfo]
    assert.deepEqual([String(bytes), from.port], ['report', rtpPort])
    await new Promise<void>((resolve) => other.close(resolve))
    await sockets.separate()
    await sockets.separate()
    peer.send('report', rtpPort + 1, lo)
    assert.equal((await until(1))[0]?.what, 'rtcp')
    peer.close()
    await sockets.close()
  })

  for (const [bound, ip] of hasIPv6
    ? ([
        ['::1', '::1'],
        ['::', '::1'],
        ['::', lo],
      ] as const)
    : []) {
    contract(`bound to ${bound} it hears and answers ${ip}, named in its own form`, async (io) => {
      const { sockets, rtpPort, until } = await openPair(io, bound)
      const peer = await boundSocket(ip)
      peer.send('hello', rtpPort, ip)
      const [heard] = await until(1)
      const from = { ip, port: peer.address().port }
      assert.deepEqual(heard, { what: 'rtp', text: 'hello', from })
      const answered = once(peer, 'message')
      sockets.sendRtp(bytesOf('hi'), 0, 2, from)
      io.flush()
      assert.equal(String(((await answered) as [Buffer])[0]), 'hi')
      peer.close()
      await sockets.close()
    })
  }
}
