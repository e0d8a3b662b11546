/**
 * The handshake as its server: who answers a ClientHello (RFC 5246 §7.3, RFC 6347 §4.2, RFC 5764 §4).
 *
 *   ClientHello                    ─▶
 *                                  ◀─  HelloVerifyRequest by connection.ts, unless the address is proven
 *   ClientHello with its cookie    ─▶
 *                                  ◀─  ServerHello, Certificate, ServerKeyExchange, CertificateRequest, ServerHelloDone
 *   Certificate, ClientKeyExchange, CertificateVerify, ChangeCipherSpec, Finished  ─▶
 *                                  ◀─  ChangeCipherSpec, Finished
 */
import { type KeyObject, randomBytes } from 'node:crypto'
import type { Fingerprint } from '../core/dtls.ts'
import { cipherSuites, groups, isSignedBy, ownScheme, signOwn, srtpProfiles } from './algorithms.ts'
import {
  Conversation,
  type DtlsKeys,
  type OwnCertificate,
  peerKey,
  type Side,
  type Step,
  srtpKeysFor,
} from './conversation.ts'
import { createKeyShare, type KeyShare } from './key-share.ts'
import {
  type ClientHello,
  type HandshakeMessage,
  handshakeTypes,
  printCertificate,
  printCertificateRequest,
  printKeyShare,
  printServerHello,
  printSigned,
  randomBytesOfHello,
  readCertificate,
  readClientHello,
  readClientKeyExchange,
  readSigned,
  type ServerHello,
} from './messages.ts'
import { type Randoms, Secrets } from './secrets.ts'

export interface ServerSideOptions {
  readonly own: OwnCertificate
  /** Of the client's session description. */
  readonly peer: readonly Fingerprint[]
  /** The number of our first message: that of the client's. */
  readonly firstSequence: number
}

interface Agreed {
  readonly hello: ServerHello
  readonly suite: (typeof cipherSuites)[number]
  readonly randoms: Randoms
  readonly share: KeyShare
}

export class ServerSide implements Side {
  readonly #options: ServerSideOptions
  readonly #talk: Conversation
  #expected: number = handshakeTypes.clientHello
  #agreed: Agreed | undefined
  #peerKey: KeyObject | undefined
  #secrets: Secrets | undefined

  constructor(options: ServerSideOptions) {
    this.#options = options
    this.#talk = new Conversation(options.firstSequence)
  }

  message(message: HandshakeMessage): Step {
    if (message.type !== this.#expected) return { alert: 'unexpected_message' }
    switch (message.type) {
      case handshakeTypes.clientHello:
        return this.#clientHello(message)
      case handshakeTypes.certificate:
        return this.#certificate(message)
      case handshakeTypes.clientKeyExchange:
        return this.#keyExchange(message)
      case handshakeTypes.certificateVerify:
        return this.#verify(message)
      default:
        return this.#finished(message)
    }
  }

  #clientHello(message: HandshakeMessage): Step {
    const client = readClientHello(message.body)
    if (!client) return { alert: 'decode_error' }
    if (!client.hasDtls12) return { alert: 'protocol_version' }
    this.#talk.hear(message)
    return this.#serverHello(client)
  }

  #serverHello(client: ClientHello): Step {
    const suite = cipherSuites.find(({ code, signedBy }) => signedBy === 'ec' && client.suites.includes(code))
    // Who lists no groups, or no schemes, takes what everybody has.
    const group = groups.find(({ code, name }) =>
      client.groups.length === 0 ? name === 'P-256' : client.groups.includes(code),
    )
    const profile = srtpProfiles.find(({ code }) => client.srtpProfiles.includes(code))
    const takesScheme = client.schemes.length === 0 || client.schemes.includes(ownScheme)
    if (!suite || !group || !profile || !takesScheme) return { alert: 'handshake_failure' }
    const random = randomBytes(randomBytesOfHello)
    const share = createKeyShare(group.name)
    const hello = { random, suite: suite.code, srtp: profile.suite, extendedMaster: client.extendedMaster }
    this.#agreed = { hello, suite, randoms: { client: client.random, server: random }, share }
    this.#expected = handshakeTypes.certificate
    const { own } = this.#options
    const params = printKeyShare(group.code, share.point)
    const signature = signOwn(Buffer.concat([client.random, random, params]), own.key)
    const { serverHello, certificate, serverKeyExchange, certificateRequest, serverHelloDone } = handshakeTypes
    return {
      flight: [
        this.#talk.say(serverHello, printServerHello(hello, client)),
        this.#talk.say(certificate, printCertificate(own.certificate)),
        this.#talk.say(serverKeyExchange, Buffer.concat([params, printSigned({ scheme: ownScheme, signature })])),
        this.#talk.say(certificateRequest, printCertificateRequest()),
        this.#talk.say(serverHelloDone, Buffer.alloc(0)),
      ],
    }
  }

  #certificate(message: HandshakeMessage): Step {
    const certificate = readCertificate(message.body)
    this.#peerKey = certificate && peerKey(certificate, this.#options.peer)
    if (!this.#peerKey) return { alert: 'bad_certificate' }
    this.#talk.hear(message)
    this.#expected = handshakeTypes.clientKeyExchange
    return undefined
  }

  #keyExchange(message: HandshakeMessage): Step {
    const point = readClientKeyExchange(message.body)
    const { hello, suite, randoms, share } = this.#mustHaveAgreed()
    const preMaster = point && share.agree(point)
    if (!preMaster) return { alert: 'illegal_parameter' }
    this.#talk.hear(message)
    const session = hello.extendedMaster ? this.#talk.hash(suite.hash) : undefined
    this.#secrets = new Secrets(suite, preMaster, randoms, session)
    this.#expected = handshakeTypes.certificateVerify
    return undefined
  }

  /** Whoever shows the certificate has its key; until then nothing encrypted is read. */
  #verify(message: HandshakeMessage): Step {
    const signed = readSigned(message.body)
    const { suite } = this.#mustHaveAgreed()
    const isPeer =
      signed && this.#peerKey && isSignedBy(this.#peerKey, signed.scheme, this.#talk.text(), signed.signature)
    if (!isPeer || !this.#secrets) return { alert: 'decrypt_error' }
    this.#talk.hear(message)
    this.#expected = handshakeTypes.finished
    const { client, server } = this.#secrets.recordKeys()
    return { keys: { suite, write: server, read: client } }
  }

  #finished(message: HandshakeMessage): Step {
    const { suite, hello } = this.#mustHaveAgreed()
    const expected = this.#secrets?.finished('client', this.#talk.hash(suite.hash))
    if (!this.#secrets || !hello.srtp || !expected?.equals(message.body)) return { alert: 'decrypt_error' }
    this.#talk.hear(message)
    this.#expected = Number.NaN
    const ours = this.#secrets.finished('server', this.#talk.hash(suite.hash))
    const agreed: DtlsKeys = srtpKeysFor('server', this.#secrets, hello.srtp)
    return { flight: ['change-cipher-spec', this.#talk.say(handshakeTypes.finished, ours, 1)], agreed }
  }

  #mustHaveAgreed(): Agreed {
    if (!this.#agreed) throw new Error('a handshake begins with its hello')
    return this.#agreed
  }
}
