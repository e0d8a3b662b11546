/**
 * For tests: certificates made in the process (an authority and what it signs; X.509 in DER, RFC 5280, P-256 keys), and a
 * DNS server on loopback.
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'
import { der, derName, derOid, derSequence, derTime, ecdsaWithSha256 } from '../core/der.ts'
import { hostNetwork } from './host-network.ts'

export interface TestCertificate {
  readonly cert: string
  readonly key: string
}

const yes = der(0x01, Buffer.of(0xff))

/** IPv4 only. */
const altNameOf = (name: string) =>
  isIP(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name))
const extension = (id: string, critical: boolean, value: Buffer) =>
  derSequence(derOid(id), ...(critical ? [yes] : []), der(0x04, value))

export class TestAuthority {
  /** To be believed. */
  readonly cert: string
  readonly #name = `Test authority ${randomBytes(4).toString('hex')}`
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })

  constructor() {
    const isAuthority = extension('551d13', true, derSequence(yes))
    this.cert = this.#certify(this.#name, this.#keys.publicKey, [isAuthority])
  }

  /** A certificate and its key, good for a day for these host names and IPv4 addresses. */
  issue(...names: readonly string[]): TestCertificate {
    return this.issueFor(1, ...names)
  }

  /** As `issue`, good for so many days. */
  issueFor(days: number, ...names: readonly string[]): TestCertificate {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const altNames = extension('551d11', false, derSequence(...names.map(altNameOf)))
    return {
      cert: this.#certify(names[0] ?? '', publicKey, [altNames], days),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    }
  }

  #certify(subject: string, key: KeyObject, extensions: readonly Buffer[], days = 1): string {
    const now = Date.now()
    const body = derSequence(
      der(0xa0, der(0x02, Buffer.of(2))), // version 3
      der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])), // serial
      ecdsaWithSha256,
      derName(this.#name),
      derSequence(derTime(now - 3_600_000), derTime(now + days * 86_400_000)),
      derName(subject),
      key.export({ type: 'spki', format: 'der' }),
      der(0xa3, derSequence(...extensions)),
    )
    const signature = sign('sha256', body, this.#keys.privateKey)
    const bytes = derSequence(body, ecdsaWithSha256, der(0x03, Buffer.of(0), signature))
    const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
    return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
  }
}

/** What the DNS server of a test knows: `{ 'example.com MX': [bytes] }`, made by the functions below. */
export type Zone = Readonly<Record<string, readonly Buffer[]>>

const typeNames: Readonly<Record<number, string>> = { 1: 'A', 28: 'AAAA', 33: 'SRV', 35: 'NAPTR' }
const domain = (name: string): Buffer =>
  Buffer.concat([
    ...name
      .split('.')
      .filter((label) => label !== '')
      .map((label) => Buffer.concat([Buffer.of(label.length), Buffer.from(label)])),
    Buffer.of(0),
  ])
const uint16 = (...values: readonly number[]): Buffer =>
  Buffer.concat(values.map((value) => Buffer.of(value >> 8, value & 255)))
const text = (value: string): Buffer => Buffer.concat([Buffer.of(value.length), Buffer.from(value)])

export const aRecord = (ip: string): Buffer => Buffer.from(ip.split('.').map(Number))
export const srvRecord = (priority: number, weight: number, port: number, target: string): Buffer =>
  Buffer.concat([uint16(priority, weight, port), domain(target)])
export const naptrRecord = (order: number, preference: number, service: string, replacement: string): Buffer =>
  Buffer.concat([uint16(order, preference), text('s'), text(service), text(''), domain(replacement)])

/** A DNS server on loopback that answers from a zone, with a TTL of a minute; NXDOMAIN for the rest (RFC 1035). */
export async function startDnsServer(zone: Zone) {
  const asked: string[] = []
  const socket = await hostNetwork.udp({ ip: '127.0.0.1', port: 0 }, (query, from) => {
    let end = 12
    const labels: string[] = []
    for (let size = query[end] ?? 0; size > 0; size = query[end] ?? 0) {
      labels.push(query.toString('latin1', end + 1, end + 1 + size))
      end += size + 1
    }
    const question = `${labels.join('.').toLowerCase()} ${typeNames[query.readUInt16BE(end + 1)]}`
    asked.push(question)
    const records = zone[question] ?? []
    const answers = records.map((data) =>
      Buffer.concat([uint16(0xc00c), query.subarray(end + 1, end + 5), uint16(0, 60, data.length), data]),
    )
    const flags = records.length > 0 ? 0x8180 : 0x8183
    const head = Buffer.concat([query.subarray(0, 2), uint16(flags, 1, records.length, 0, 0)])
    socket.send(Buffer.concat([head, query.subarray(12, end + 5), ...answers]), from)
  })
  return { asked, at: socket.local, address: `127.0.0.1:${socket.local.port}`, close: () => socket.close() }
}
