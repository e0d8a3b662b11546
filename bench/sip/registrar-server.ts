/**
 * A process of its own: the SIP stack with gatekeeper and registrar, and as many extensions as it is told. No database.
 *
 *   registrations.ts  ── 'memory' ─▶  here  ◀─ REGISTER ──  phones.ts
 */
import { systemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { parseNetworks } from '../../src/core/networks.ts'
import { FactBus } from '../../src/events/bus.ts'
import type { Directory, Extension } from '../../src/pbx/directory.ts'
import { Gatekeeper } from '../../src/pbx/gatekeeper.ts'
import { Registrar } from '../../src/pbx/registrar.ts'
import { Shield } from '../../src/security/shield.ts'
import { DigestVerifier, digestHashes } from '../../src/sip/auth/digest.ts'
import { createSipStack } from '../../src/sip/stack.ts'
import { memoryOf } from './memory.ts'
import { benchIp, numberOf, passwordOf } from './wire.ts'

const realm = 'patchbay'
const extensions = new Map(
  Array.from({ length: Number(process.argv[2]) }, (_, index): [string, Extension] => {
    const number = numberOf(index)
    const hashes = digestHashes(number, realm, passwordOf(number))
    return [number, { number, displayName: '', hashes, ringSeconds: 30, record: false, maxContacts: 5, createdAtMs: 0 }]
  }),
)
const notHere = (): never => {
  throw new Error('not part of this bench')
}
const directory: Directory = {
  find: (number) => extensions.get(number),
  list: notHere,
  add: notHere,
  change: notHere,
  remove: notHere,
  onRemoved: () => {},
  onPasswordChanged: () => {},
}
const bus = new FactBus()
const shield = new Shield({
  clock: systemClock,
  bus,
  trusted: parseNetworks(['127.0.0.0/8']),
  denied: parseNetworks([]),
  messagesPerSecond: 50,
  messagesPerSecondInAll: 2_000,
  banAfter: 20,
  banMs: 3_600_000,
  knownMs: 4_200_000,
})
const gatekeeper = new Gatekeeper({
  strangers: shield,
  digest: new DigestVerifier({ realm, clock: systemClock }),
  directory,
  trunks: { trunkOf: () => undefined },
  recordingClients: { admits: () => false, hashesOf: () => undefined },
  bus,
  wallMs: () => systemClock.wallMs(),
})
const registrar = new Registrar({ clock: systemClock, bus, minExpiresMs: 60_000, maxExpiresMs: 3_600_000 })
const stack = await createSipStack({
  clock: systemClock,
  log: silentLogger,
  listen: [{ transport: 'udp', ip: benchIp, port: 0 }],
  userAgent: 'Bench',
  guard: gatekeeper.admit,
  screen: shield,
})
stack.on('request', (incoming) => {
  const identity = gatekeeper.identityOf(incoming.request)
  if (identity?.kind === 'extension') registrar.register(incoming, identity.extension)
  else incoming.respond(403)
})
process.on('message', () => process.send?.(memoryOf(stack)))
process.send?.({ port: stack.listening[0]?.port })
