import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import { DtlsConnection } from '../../dtls/connection.ts'
import type { DtlsKeys } from '../../dtls/conversation.ts'
import { createDtlsIdentity, fingerprintOf } from '../../dtls/identity.ts'
import { ownCertificate } from '../../dtls/test-support.ts'
import { checkOf } from '../../ice/test-support.ts'
import { datagramKind } from '../../rtp/demux.ts'
import { printRtp } from '../../rtp/packet.ts'
import { SrtpReceiver, SrtpSender } from '../../rtp/srtp.ts'
import type { DtlsTerms, PortDescription } from '../types.ts'
import { FrameClock } from './frame-clock.ts'
import type { Endpoint } from './io/io.ts'
import { Port } from './port.ts'
import { BlockPool } from './recording/block-pool.ts'
import { fakeSockets } from './test-sockets.ts'

const pcmu = { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 } as const
const formats = { receive: [pcmu], send: [pcmu] }
const ours = { user: 'ours', password: 'our-password-of-22-chars' }
const theirs = { user: 'them', password: 'their-password-22-chars' }
const ice = { local: ours, remote: theirs }
const identity = createDtlsIdentity(Date.now())
const server = { certificate: identity.certificate }
const [browser, other] = [ownCertificate(), ownCertificate()]
const at: Endpoint = { ip: '192.0.2.1', port: 50_000 }
const elsewhere: Endpoint = { ip: '198.51.100.7', port: 7_000 }
const plain = { ip: '192.0.2.9', rtpPort: 4_000, rtcpPort: 4_001 }
const terms = (side: DtlsTerms['side'], own = browser): DtlsTerms => ({
  side,
  fingerprints: [fingerprintOf(own.certificate)],
})

const speech = (sequence: number): Uint8Array =>
  printRtp({ ssrc: 1, sequence, timestamp: sequence * 160, marker: false, payloadType: 0 }, new Uint8Array(160).fill(7))

/** A port, and a browser that shakes hands with it from `at`. */
function world() {
  const clock = new FakeClock()
  const sent: { readonly bytes: Buffer; readonly to: Endpoint }[] = []
  const told: unknown[] = []
  const options = {
    cname: 'call',
    inactiveAfterMs: 0,
    recordedLater: false,
    clock,
    wallAt: (nowMs: number) => nowMs,
    blocks: new BlockPool(),
    frames: new FrameClock(clock),
    jitter: { minMs: 20, maxMs: 200 },
  }
  const port = new Port({ ...options, tell: (name, event) => told.push([name, event]) })
  port.identify(identity)
  /** The other party, in the clear. */
  const bob = new Port({ ...options, tell: () => undefined })
  bob.describe({ ...formats, remote: plain })
  bob.bridge(port)
  const speak = (sequence: number): void =>
    bob.rtp(Uint8Array.from(speech(sequence)), { ip: plain.ip, port: plain.rtpPort })
  port.attach(
    fakeSockets({
      sendRtp(bytes, start, length, to) {
        const copy = Buffer.from(bytes.subarray(start, start + length))
        sent.push({ bytes: copy, to })
        if (datagramKind(copy) === 'dtls' && to.port === at.port)
          clock.after(1, () => {
            page.connection.receive(copy, to)
          })
      },
    }),
  )
  const page = newPage('client', browser)
  function newPage(role: 'client' | 'server', own: typeof browser) {
    const keys: DtlsKeys[] = []
    const connection = new DtlsConnection({
      role,
      own,
      peer: [fingerprintOf(server.certificate)],
      proven: true,
      clock,
      send: (datagram) => {
        const copy = Buffer.from(datagram)
        clock.after(1, () => port.rtp(copy, at))
      },
      agreed: (agreed) => keys.push(agreed),
      failed: () => undefined,
    })
    return { connection, keys }
  }
  const run = (ms: number): void => {
    for (let left = ms; left > 0; left -= 50) {
      clock.advance(Math.min(50, left))
      port.tick(clock.now())
    }
  }
  /** What was sent since the last look. */
  const take = (kind: string) => sent.splice(0).filter(({ bytes }) => datagramKind(bytes) === kind)
  return {
    clock,
    speak,
    port,
    page,
    newPage,
    told,
    run,
    take,
    check: (nominate = true) => port.rtp(checkOf(ours, theirs, nominate), at),
  }
}

function sealed(keys: DtlsKeys | undefined, sequence: number): Uint8Array {
  assert.ok(keys)
  const bytes = new SrtpSender(keys.send).rtp(speech(sequence), 0, 172)
  assert.ok(bytes)
  return Uint8Array.from(bytes)
}

const call = (description: Partial<PortDescription> = {}): PortDescription => ({
  ...formats,
  ice,
  srtp: terms('server'),
  ...description,
})

test('a browser checks its way, shakes hands, is heard and hears: there, and nowhere else', () => {
  const { speak, port, page, told, run, take, check } = world()
  port.describe(call({ remote: plain }))
  speak(1)
  assert.deepEqual(take('rtp'), [], 'nothing goes to the address of its description')
  check()
  assert.deepEqual(
    take('stun').map(({ to }) => to.port),
    [at.port],
  )
  page.connection.start(at)
  run(100)
  const [keys] = page.keys
  assert.deepEqual(told, [['secured', { suite: 'AES_CM_128_HMAC_SHA1_80' }]])
  take('dtls')
  port.rtp(sealed(keys, 1), at)
  assert.equal(port.stats().packetsReceived, 1)
  port.rtp(sealed(keys, 2), elsewhere)
  port.rtp(Uint8Array.from(speech(3)), at)
  assert.equal(port.stats().packetsReceived, 1, 'not from where it was never checked, and nothing in the clear')
  speak(2)
  const [packet] = take('rtp')
  assert.deepEqual([packet?.to.ip, packet?.to.port], [at.ip, at.port])
  assert.ok(keys && packet && new SrtpReceiver(keys.receive).rtp(packet.bytes))
})

test('before it is checked nobody is shaken hands with, and strangers get not a byte', () => {
  const { port, page, run, take } = world()
  port.describe(call())
  page.connection.start(at)
  port.rtp(checkOf({ ...ours, password: 'guess' }, theirs), elsewhere)
  run(2_000)
  assert.deepEqual([...take('dtls'), ...take('stun')], [])
  assert.ok(port.stats().packetsRefused > 1)
})

test('a hello that overtakes the answer waits for it (RFC 5763 §5)', () => {
  const { port, page, run, take, check } = world()
  port.describe({ ...formats, send: [], srtp: 'awaited', ice: { local: ours } })
  check()
  page.connection.start(at)
  run(50)
  assert.deepEqual(take('dtls'), [])
  port.describe(call())
  run(50)
  assert.equal(page.keys.length, 1)
})

test('as the client we speak first, once there is a way', () => {
  const { port, page, newPage, run, take, check } = world()
  const waiting = newPage('server', browser)
  page.connection = waiting.connection
  port.describe(call({ srtp: terms('client') }))
  run(100)
  assert.deepEqual(take('dtls'), [])
  check()
  run(100)
  assert.equal(waiting.keys.length, 1)
})

test('without ICE the address of the description is spoken to, and a hello is asked for a cookie', () => {
  const asClient = world()
  const { ip, rtpPort: port } = plain
  asClient.port.describe({ ...formats, remote: plain, srtp: terms('client') })
  assert.deepEqual(
    asClient.take('dtls').map(({ to }) => to),
    [{ ip, port }],
  )
  const asServer = world()
  asServer.port.describe({ ...formats, remote: plain, srtp: terms('server') })
  asServer.page.connection.start(at)
  asServer.run(100)
  assert.equal(asServer.page.keys.length, 1)
  asServer.port.rtp(sealed(asServer.page.keys[0], 1), at)
  assert.equal(asServer.port.stats().packetsReceived, 1, 'from where it is: it is behind NAT')
})

test('another certificate than the described one is refused and told', () => {
  const { port, page, told, run, check } = world()
  port.describe(call({ srtp: terms('server', other) }))
  check()
  page.connection.start(at)
  run(100)
  assert.deepEqual(told, [['handshake-failed', { why: 'bad_certificate' }]])
  assert.deepEqual(page.keys, [])
})

test('a description that says the same again keeps the keys; another certificate shakes hands anew', () => {
  const { port, page, newPage, told, run, take, check } = world()
  port.describe(call())
  check()
  page.connection.start(at)
  run(100)
  const [keys] = page.keys
  take('dtls')
  port.describe(call())
  run(100)
  assert.deepEqual(take('dtls'), [])
  port.rtp(sealed(keys, 1), at)
  assert.equal(port.stats().packetsReceived, 1)
  const next = newPage('client', other)
  port.describe(call({ srtp: terms('server', other) }))
  page.connection = next.connection
  next.connection.start(at)
  run(100)
  const secured = told.filter((each) => Array.isArray(each) && each[0] === 'secured')
  assert.equal(secured.length, 2)
  port.rtp(sealed(next.keys[0], 2), at)
  assert.equal(port.stats().packetsReceived, 2)
})

test('a browser that checks no more is sent nothing after 30 s, until it checks again (RFC 7675)', () => {
  const { speak, port, page, run, take, check } = world()
  port.describe(call())
  check()
  page.connection.start(at)
  run(29_900)
  speak(1)
  assert.equal(take('rtp').length, 1)
  run(200)
  speak(2)
  assert.equal(take('rtp').length, 0)
  check()
  speak(3)
  assert.equal(take('rtp').length, 1)
})

test('packets follow the browser to the way it chooses, and are taken from any that was checked', () => {
  const { speak, clock, port, page, run, take, check } = world()
  port.describe(call())
  check()
  page.connection.start(at)
  run(100)
  const [keys] = page.keys
  const next: Endpoint = { ip: '192.0.2.1', port: 50_002 }
  clock.advance(2_000)
  port.rtp(checkOf(ours, theirs, true), next)
  speak(1)
  assert.equal(take('rtp')[0]?.to.port, next.port)
  port.rtp(sealed(keys, 1), at)
  port.rtp(sealed(keys, 2), next)
  assert.equal(port.stats().packetsReceived, 2)
})

test('a port that is closed says goodbye to whom it shook hands with, and waits for nothing', async () => {
  const { clock, port, page, run, take, check } = world()
  port.describe(call())
  check()
  page.connection.start(at)
  run(100)
  take('dtls')
  await port.close()
  assert.equal(take('dtls').length, 1)
  page.connection.close()
  clock.advance(5)
  assert.equal(clock.pendingTimers, 0)
})

test('keys of a new handshake count packets from the beginning, however many were sent before (RFC 5764 §4.2)', () => {
  const { port, page, speak, newPage, run, take, check } = world()
  port.describe(call())
  check()
  page.connection.start(at)
  run(100)
  // Three times round: each lost some hundred on the way to us.
  for (let sequence = 0; sequence < 200_000; sequence += 500) speak(sequence & 0xffff)
  take('rtp')
  const next = newPage('client', other)
  port.describe(call({ srtp: terms('server', other) }))
  page.connection = next.connection
  check()
  next.connection.start(at)
  run(100)
  take('rtp')
  speak(200_000 & 0xffff)
  const [packet] = take('rtp')
  assert.ok(packet && next.keys[0] && new SrtpReceiver(next.keys[0].receive).rtp(packet.bytes))
})
