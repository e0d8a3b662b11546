/**
 * What a browser costs before its first packet: a certificate, a handshake of DTLS, an answered check of ICE. CPU of this
 * thread, both sides of the handshake divided by two.
 *
 *   npm run bench -- webrtc
 */
import { createDtlsIdentity } from '../src/dtls/identity.ts'
import { addresses, pair } from '../src/dtls/test-support.ts'
import { IceLite } from '../src/ice/lite.ts'
import { checkOf } from '../src/ice/test-support.ts'

/** CPU of one `act`, µs, after some that warm up. */
function measure(times: number, act: () => void): number {
  for (let i = 0; i < times / 5; i++) act()
  const before = process.threadCpuUsage()
  for (let i = 0; i < times; i++) act()
  const { user, system } = process.threadCpuUsage(before)
  return (user + system) / times
}

function shakeHands(): void {
  const { clock, client, server } = pair({ proven: true })
  client.connection.start(addresses.server)
  clock.advance(1_000)
  if (server.keys.length === 0 || client.keys.length === 0) throw new Error('no keys')
}

const [ours, theirs] = ['ours', 'them'].map((user) => ({ user, password: `password-of-${user}-22-chars` }))
if (!ours || !theirs) throw new Error('cannot happen')
const ice = new IceLite(ours)
ice.describe(ours, theirs)
const check = checkOf(ours, theirs, true)
let nowMs = 0

const rows: readonly (readonly [what: string, us: number])[] = [
  ['a certificate of a port', measure(500, () => createDtlsIdentity(0))],
  ['a handshake, each side', measure(500, shakeHands) / 2],
  ['a check answered', measure(20_000, () => ice.receive(check, '192.0.2.1', 5_000, nowMs++))],
]
console.log('CPU, µs')
for (const [what, us] of rows) console.log(`${what.padEnd(26)} ${us.toFixed(0).padStart(6)}`)
