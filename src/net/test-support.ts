/** Certificates for tests, made in the process: an authority, and what it signs. X.509 in DER (RFC 5280), P-256 keys. */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'
import { isIP } from 'node:net'

export interface TestCertificate {
  readonly cert: string
  readonly key: string
}

const der = (tag: number, ...parts: readonly Buffer[]): Buffer => {
  const body = Buffer.concat(parts)
  const { length } = body
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), body])
}
const sequence = (...parts: readonly Buffer[]) => der(0x30, ...parts)
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'))
const ecdsaWithSha256 = sequence(oid('2a8648ce3d040302'))
const yes = der(0x01, Buffer.of(0xff))

const nameOf = (name: string) => sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))))
const timeOf = (ms: number) =>
  der(0x18, Buffer.from(`${new Date(ms).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)}Z`))
/** IPv4 only. */
const altNameOf = (name: string) =>
  isIP(name) ? der(0x87, Buffer.from(name.split('.').map(Number))) : der(0x82, Buffer.from(name))
const extension = (id: string, critical: boolean, value: Buffer) =>
  sequence(oid(id), ...(critical ? [yes] : []), der(0x04, value))

export class TestAuthority {
  /** To be believed. */
  readonly cert: string
  readonly #name = `Test authority ${randomBytes(4).toString('hex')}`
  readonly #keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })

  constructor() {
    const isAuthority = extension('551d13', true, sequence(yes))
    this.cert = this.#certify(this.#name, this.#keys.publicKey, [isAuthority])
  }

  /** A certificate and its key, good for these host names and IPv4 addresses. */
  issue(...names: readonly string[]): TestCertificate {
    const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const altNames = extension('551d11', false, sequence(...names.map(altNameOf)))
    return {
      cert: this.#certify(names[0] ?? '', publicKey, [altNames]),
      key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    }
  }

  #certify(subject: string, key: KeyObject, extensions: readonly Buffer[]): string {
    const now = Date.now()
    const body = sequence(
      der(0xa0, der(0x02, Buffer.of(2))), // version 3
      der(0x02, Buffer.concat([Buffer.of(1), randomBytes(8)])), // serial
      ecdsaWithSha256,
      nameOf(this.#name),
      sequence(timeOf(now - 3_600_000), timeOf(now + 86_400_000)),
      nameOf(subject),
      key.export({ type: 'spki', format: 'der' }),
      der(0xa3, sequence(...extensions)),
    )
    const signature = sign('sha256', body, this.#keys.privateKey)
    const bytes = sequence(body, ecdsaWithSha256, der(0x03, Buffer.of(0), signature))
    const lines = bytes.toString('base64').match(/.{1,64}/g) ?? []
    return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`
  }
}
