/**
 * Addresses that reach one device alone (GRUU, RFC 5627): made for the answer to a REGISTER, read from a Request-URI.
 *
 * The public one names extension and device. The temporary one names nobody to who sees it: it holds both encrypted,
 * so none has to be kept. It is void when the device registers with another Call-ID (§3.1.2) and when this process ends.
 */
import { createCipheriv, createDecipheriv, hash, randomBytes } from 'node:crypto'
import type { SipUri } from '../sip/message/types.ts'
import { printUri } from '../sip/message/uri.ts'

/** A device of an extension, as a GRUU names it. */
export interface NamedDevice {
  readonly extension: string
  /** `urn:uuid:…`, in lower case. */
  readonly instance: string
  /** Of a temporary GRUU: the registration it belongs to, as `registrationId` says. */
  readonly registration?: string
}

/** A registration is told from others of its device by the Call-ID; a short stand-in for it. */
export const registrationId = (callId: string): string => hash('sha256', callId, 'base64url').slice(0, 11)

type Place = Pick<SipUri, 'host' | 'port'>

/** Users that begin so are temporary GRUUs, as far as they carry `gr`. */
const prefix = 'tgruu.'
const ivBytes = 12
const tagBytes = 16
const noHeaders: ReadonlyMap<string, string> = new Map()

export class Gruus {
  readonly #key = randomBytes(16)

  /** `sip:101@example.com;gr=urn:uuid:…` @param at Where the device registers. */
  publicFor({ extension, instance }: NamedDevice, at: Place): string {
    const params = new Map([['gr', instance]])
    return printUri({ scheme: 'sip', user: extension, ...at, params, headers: noHeaders })
  }

  /** `sip:tgruu.…@example.com;gr`: another one each time. */
  temporaryFor({ extension, instance, registration = '' }: NamedDevice, at: Place): string {
    const iv = randomBytes(ivBytes)
    const cipher = createCipheriv('aes-128-gcm', this.#key, iv)
    const secret = Buffer.concat([cipher.update(JSON.stringify([extension, instance, registration])), cipher.final()])
    const user = prefix + Buffer.concat([iv, cipher.getAuthTag(), secret]).toString('base64url')
    return printUri({ scheme: 'sip', user, ...at, params: new Map([['gr', null]]), headers: noHeaders })
  }

  /** The device that a URI names; undefined when it is no GRUU, or not one of ours. */
  read({ user, params }: SipUri): NamedDevice | undefined {
    const gr = params.get('gr')
    if (gr === undefined || user === undefined) return undefined
    if (gr !== null) return { extension: user, instance: gr.toLowerCase() }
    return user.startsWith(prefix) ? this.#open(Buffer.from(user.slice(prefix.length), 'base64url')) : undefined
  }

  #open(sealed: Buffer): NamedDevice | undefined {
    if (sealed.length <= ivBytes + tagBytes) return undefined
    try {
      const decipher = createDecipheriv('aes-128-gcm', this.#key, sealed.subarray(0, ivBytes))
      decipher.setAuthTag(sealed.subarray(ivBytes, ivBytes + tagBytes))
      const text = Buffer.concat([decipher.update(sealed.subarray(ivBytes + tagBytes)), decipher.final()]).toString()
      const [extension, instance, registration] = JSON.parse(text) as [string, string, string]
      return { extension, instance, registration }
    } catch {
      return undefined // not made here
    }
  }
}
