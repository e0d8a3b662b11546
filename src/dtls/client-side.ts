/**
 * The handshake as its client: who sends the ClientHello. The figure stands in server-side.ts.
 */
import { type KeyObject, randomBytes } from 'node:crypto'
import type { Fingerprint } from '../core/dtls.ts'
import { cipherSuites, groups, isSignedBy, ownScheme, signOwn } from './algorithms.ts'
import { Conversation, type OwnCertificate, peerKey, type Side, type Step, srtpKeysFor } from './conversation.ts'
import type { Part } from './flight.ts'
import { createKeyShare } from './key-share.ts'
import {
  type HandshakeMessage,
  handshakeTypes,
  printCertificate,
  printClientHello,
  printClientKeyExchange,
  printKeyShare,
  printSigned,
  randomBytesOfHello,
  readCertificate,
  readHelloVerify,
  readServerHello,
  readServerKeyExchange,
  type ServerHello,
  type ServerKeyExchange,
} from './messages.ts'
import { Secrets } from './secrets.ts'

export interface ClientSideOptions {
  readonly own: OwnCertificate
  /** Of the server's session description. */
  readonly peer: readonly Fingerprint[]
}

type CipherSuite = (typeof cipherSuites)[number]

/** What may come next. */
const after: Readonly<Record<number, readonly number[]>> = {
  [handshakeTypes.clientHello]: [handshakeTypes.helloVerifyRequest, handshakeTypes.serverHello],
  [handshakeTypes.helloVerifyRequest]: [handshakeTypes.helloVerifyRequest, handshakeTypes.serverHello],
  [handshakeTypes.serverHello]: [handshakeTypes.certificate],
  [handshakeTypes.certificate]: [handshakeTypes.serverKeyExchange],
  [handshakeTypes.serverKeyExchange]: [handshakeTypes.certificateRequest, handshakeTypes.serverHelloDone],
  [handshakeTypes.certificateRequest]: [handshakeTypes.serverHelloDone],
  [handshakeTypes.serverHelloDone]: [handshakeTypes.newSessionTicket, handshakeTypes.finished],
  [handshakeTypes.newSessionTicket]: [handshakeTypes.finished],
}

export class ClientSide implements Side {
  readonly #options: ClientSideOptions
  readonly #talk = new Conversation()
  readonly #random = randomBytes(randomBytesOfHello)
  /** The message before. */
  #last: number = handshakeTypes.clientHello
  #cookies = 0
  #hello: ServerHello | undefined
  #suite: CipherSuite | undefined
  #peerKey: KeyObject | undefined
  #exchange: ServerKeyExchange | undefined
  #wantsCertificate = false
  #secrets: Secrets | undefined

  constructor(options: ClientSideOptions) {
    this.#options = options
  }

  start(): readonly Part[] {
    return [this.#sayHello(Buffer.alloc(0))]
  }

  #sayHello(cookie: Uint8Array): Part {
    return this.#talk.say(handshakeTypes.clientHello, printClientHello(this.#random, cookie))
  }

  message(message: HandshakeMessage): Step {
    const { type } = message
    if (!after[this.#last]?.includes(type)) return { alert: 'unexpected_message' }
    this.#last = type
    if (type === handshakeTypes.helloVerifyRequest) return this.#cookie(message)
    if (type === handshakeTypes.finished) return this.#finished(message)
    this.#talk.hear(message)
    switch (type) {
      case handshakeTypes.serverHello:
        return this.#serverHello(message)
      case handshakeTypes.certificate:
        return this.#certificate(message)
      case handshakeTypes.serverKeyExchange:
        return this.#keyExchange(message)
      case handshakeTypes.certificateRequest:
        this.#wantsCertificate = true
        return undefined
      case handshakeTypes.serverHelloDone:
        return this.#answer()
      default:
        return undefined // a ticket, which we have no use for
    }
  }

  #cookie(message: HandshakeMessage): Step {
    const cookie = readHelloVerify(message.body)
    if (!cookie) return { alert: 'decode_error' }
    if (++this.#cookies > 2) return { alert: 'unexpected_message' }
    this.#talk.forget()
    return { flight: [this.#sayHello(cookie)] }
  }

  #serverHello(message: HandshakeMessage): Step {
    const hello = readServerHello(message.body)
    if (!hello) return { alert: 'protocol_version' }
    this.#hello = hello
    this.#suite = cipherSuites.find(({ code }) => code === hello.suite)
    // Without SRTP there is nothing that we would talk about.
    return this.#suite && hello.srtp ? undefined : { alert: 'handshake_failure' }
  }

  #certificate(message: HandshakeMessage): Step {
    const certificate = readCertificate(message.body)
    this.#peerKey = certificate && peerKey(certificate, this.#options.peer)
    return this.#peerKey?.asymmetricKeyType === this.#suite?.signedBy ? undefined : { alert: 'bad_certificate' }
  }

  #keyExchange(message: HandshakeMessage): Step {
    const exchange = readServerKeyExchange(message.body)
    if (!exchange || !this.#hello || !this.#peerKey) return { alert: 'decode_error' }
    const { group, point, signed } = exchange
    const covered = Buffer.concat([this.#random, this.#hello.random, printKeyShare(group, point)])
    this.#exchange = exchange
    return isSignedBy(this.#peerKey, signed.scheme, covered, signed.signature) ? undefined : { alert: 'decrypt_error' }
  }

  /** The server has said all: our certificate, our half of the key, and the proof that the certificate is ours. */
  #answer(): Step {
    const [suite, hello, exchange] = [this.#suite, this.#hello, this.#exchange]
    const group = groups.find(({ code }) => code === exchange?.group)
    if (!suite || !hello || !exchange || !group) return { alert: 'illegal_parameter' }
    const share = createKeyShare(group.name)
    const preMaster = share.agree(exchange.point)
    if (!preMaster) return { alert: 'illegal_parameter' }
    const { own } = this.#options
    const flight: Part[] = []
    const say = (type: number, body: Buffer, epoch: 0 | 1 = 0) => flight.push(this.#talk.say(type, body, epoch))
    if (this.#wantsCertificate) say(handshakeTypes.certificate, printCertificate(own.certificate))
    say(handshakeTypes.clientKeyExchange, printClientKeyExchange(share.point))
    const session = hello.extendedMaster ? this.#talk.hash(suite.hash) : undefined
    this.#secrets = new Secrets(suite, preMaster, { client: this.#random, server: hello.random }, session)
    if (this.#wantsCertificate) {
      const signature = signOwn(this.#talk.text(), own.key)
      say(handshakeTypes.certificateVerify, printSigned({ scheme: ownScheme, signature }))
    }
    flight.push('change-cipher-spec')
    say(handshakeTypes.finished, this.#secrets.finished('client', this.#talk.hash(suite.hash)), 1)
    const { client, server } = this.#secrets.recordKeys()
    return { flight, keys: { suite, write: client, read: server } }
  }

  #finished(message: HandshakeMessage): Step {
    const [suite, secrets, srtp] = [this.#suite, this.#secrets, this.#hello?.srtp]
    const expected = suite && secrets?.finished('server', this.#talk.hash(suite.hash))
    if (!secrets || !srtp || !expected?.equals(message.body)) return { alert: 'decrypt_error' }
    return { agreed: srtpKeysFor('client', secrets, srtp) }
  }
}
