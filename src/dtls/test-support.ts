/** For tests: two ends of an association under a fake clock, joined by a wire that loses, doubles and reorders. */

import type { Fingerprint } from '../core/dtls.ts'
import { FakeClock } from '../core/fake-clock.ts'
import { DtlsConnection, type DtlsFailure, type DtlsOptions } from './connection.ts'
import type { DtlsKeys, OwnCertificate } from './conversation.ts'
import { createDtlsIdentity, fingerprintOf, privateKeyOf } from './identity.ts'

export function ownCertificate(): OwnCertificate {
  const identity = createDtlsIdentity(Date.now())
  return { certificate: identity.certificate, key: privateKeyOf(identity) }
}

export type Role = 'client' | 'server'

/** What becomes of a datagram: at which delays, ms, it arrives; never when there are none. */
export type Wire = (datagram: Buffer, from: Role) => readonly number[]

export class End {
  readonly connection: DtlsConnection
  readonly keys: DtlsKeys[] = []
  readonly failures: DtlsFailure[] = []
  readonly sent: Buffer[] = []

  constructor(options: Omit<DtlsOptions, 'agreed' | 'failed'>) {
    this.connection = new DtlsConnection({
      ...options,
      send: (datagram, to) => {
        this.sent.push(Buffer.from(datagram))
        options.send(datagram, to)
      },
      agreed: (keys) => this.keys.push(keys),
      failed: (why) => this.failures.push(why),
    })
  }
}

export interface PairOptions {
  readonly wire?: Wire
  readonly proven?: boolean
  /** What each side believes of the other; its true fingerprint when left out. */
  readonly told?: Partial<Record<Role, readonly Fingerprint[]>>
  readonly own?: Record<Role, OwnCertificate>
}

const usual = { client: ownCertificate(), server: ownCertificate() }
export const addresses = { client: { ip: '192.0.2.1', port: 1000 }, server: { ip: '192.0.2.2', port: 2000 } } as const

/** Neither has said anything yet. */
export function pair({ wire = () => [1], proven = false, told = {}, own = usual }: PairOptions = {}) {
  const clock = new FakeClock()
  const end = (role: Role, other: () => End): End => {
    const theirs = role === 'client' ? 'server' : 'client'
    return new End({
      role,
      own: own[role],
      peer: told[role] ?? [fingerprintOf(own[theirs].certificate)],
      proven,
      clock,
      send: (datagram, to) => {
        if (to.ip !== addresses[theirs].ip) return
        const copy = Buffer.from(datagram)
        for (const delayMs of wire(copy, role)) {
          clock.after(delayMs, () => other().connection.receive(Buffer.from(copy), addresses[role]))
        }
      },
    })
  }
  const client: End = end('client', () => server)
  const server: End = end('server', () => client)
  return { clock, client, server }
}
