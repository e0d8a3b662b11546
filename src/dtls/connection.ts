/**
 * One DTLS association: datagrams in and out until the keys of SRTP are agreed (RFC 6347, RFC 5764).
 *
 *   port  ── receive(datagram) ─▶  here  ── message ─▶  ServerSide or ClientSide
 *         ◀─ send, agreed, failed ─      ◀─ flight ──
 *
 * Puts messages together, sends our last flight again until it is answered, and lets a client that begins anew do so.
 * Opens no socket and reads no clock: both are handed in. Carries nothing but the handshake.
 * Missing: a hello in pieces from who is not proven to be at its address.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock, Timer } from '../core/clock.ts'
import type { Fingerprint } from '../core/dtls.ts'
import { type AlertName, endingAlert, printAlert } from './alerts.ts'
import { Assembly, type Fragment, fragmentsIn } from './assembly.ts'
import { ClientSide } from './client-side.ts'
import type { DtlsKeys, OwnCertificate, Side, Step } from './conversation.ts'
import { type Part, printFlight } from './flight.ts'
import { handshakeTypes, printHelloVerify, printMessage, randomBytesOfHello, readClientHello } from './messages.ts'
import { contentTypes, type DtlsRecord, RecordLayer } from './record.ts'
import { ServerSide } from './server-side.ts'

/** Where a datagram came from; the answer goes there. */
export interface DtlsPeer {
  readonly ip: string
  readonly port: number
}

export interface DtlsOptions {
  readonly role: 'client' | 'server'
  readonly own: OwnCertificate
  /** The peer's certificate, as its session description tells it: it is that one or none. */
  readonly peer: readonly Fingerprint[]
  /** Peers that are known to be at their address (ICE): no cookie is asked for. */
  readonly proven: boolean
  readonly clock: Clock
  readonly send: (datagram: Buffer, to: DtlsPeer) => void
  /** Told once. */
  readonly agreed: (keys: DtlsKeys) => void
  /** No keys come of it. A server may yet be asked anew, and agree. */
  readonly failed: (why: DtlsFailure) => void
}

/** An alert of ours, what the peer gave up with, or that it fell silent. */
export type DtlsFailure = AlertName | `peer: ${string}` | 'no answer'

/**
 * RFC 6347 §4.2.4.1 has 1 s, which is long for who waits to be heard; media paths answer within 300 ms.
 * The seventh wait ends after 25 s: nobody waits longer for a call.
 */
const firstWaitMs = 400
const longestWaitMs = 6_400
const maxSends = 7
/** Until the first word of the peer, or a way to it. ICE gives up after that long too (RFC 8445 §14.3 with its longest times). */
const firstWordMs = 30_000
/** A flight of the peer that comes again has several messages: one answer is enough. */
const repeatGapMs = 100
/** A flight is sent at most so often because the peer repeats itself: no stranger makes us send for ever. */
const maxRepeats = 20
/** How often a client may begin anew: so often at once, and once more each second, so that nobody uses it up for good. */
const maxHandshakes = 10
const anotherAfterMs = 1_000

export class DtlsConnection {
  readonly #options: DtlsOptions
  readonly #cookieSecret = randomBytes(32)
  #records = new RecordLayer()
  #assembly = new Assembly()
  #side: Side | undefined
  #to: DtlsPeer | undefined
  /** By which a server knows its client's hello. */
  #clientRandom: Buffer | undefined
  #flight: readonly Part[] = []
  #sentAtMs = 0
  #repeats = 0
  #handshakes = 0
  #firstAtMs: number | undefined
  #timer: Timer | undefined
  #state: 'shaking' | 'agreed' | 'failed' | 'closed' = 'shaking'

  constructor(options: DtlsOptions) {
    this.#options = options
    this.#timer = options.clock.after(firstWordMs, () => this.#fallSilent())
  }

  /** As the client: say hello, once. A server waits. */
  start(to: DtlsPeer): void {
    const { role, own, peer } = this.#options
    if (role === 'server' || this.#side || this.#state === 'agreed' || this.#state === 'closed') return
    this.#state = 'shaking'
    const side = new ClientSide({ own, peer })
    this.#side = side
    this.#to = to
    this.#handshakes = 1
    this.#say(side.start(), true)
  }

  /** Bytes are read before this returns, and not kept. */
  receive(datagram: Uint8Array, from: DtlsPeer): void {
    for (const record of this.#records.open(datagram)) this.#record(record, from)
  }

  /** Say goodbye. Twice is fine. */
  close(): void {
    if (this.#state === 'agreed') this.#sendAlert('close_notify')
    this.#end('closed')
  }

  #record({ type, epoch, body }: DtlsRecord, from: DtlsPeer): void {
    if (this.#state === 'closed') return
    if (type === contentTypes.alert && this.#isPeer(from)) return this.#alert(epoch, body)
    if (type !== contentTypes.handshake) return
    for (const fragment of fragmentsIn(body)) {
      // Finished is what proves that the keys agree; all before it is in the clear.
      if ((fragment.type === handshakeTypes.finished) === (epoch === 1)) this.#fragment(fragment, from)
    }
  }

  #alert(epoch: 0 | 1, body: Buffer): void {
    const name = endingAlert(body)
    // What was agreed stands.
    if (name === undefined || this.#state !== 'shaking' || (epoch === 0 && !this.#side)) return
    this.#end('failed')
    this.#options.failed(`peer: ${name}`)
  }

  #fragment(fragment: Fragment, from: DtlsPeer): void {
    if (this.#isForeignHello(fragment) && !this.#meetClient(fragment, from)) return
    if (this.#state === 'failed' || !this.#isPeer(from)) return
    if (this.#assembly.isRepeated(fragment)) return this.#repeat()
    if (!this.#side || this.#state !== 'shaking') return
    this.#assembly.add(fragment)
    for (let message = this.#assembly.take(); message; message = this.#assembly.take()) {
      this.#to = from
      this.#act(this.#side.message(message))
      if (this.#state !== 'shaking') return
    }
  }

  /** Most of a handshake is in the clear: nobody else may put in a word. With ICE whoever was proven is the peer. */
  #isPeer({ ip, port }: DtlsPeer): boolean {
    return this.#options.proven || (this.#to?.port === port && this.#to.ip === ip)
  }

  /** A client's hello that is not the one we know. */
  #isForeignHello({ type, from, body }: Fragment): boolean {
    if (this.#options.role === 'client' || type !== handshakeTypes.clientHello || from !== 0) return false
    return !this.#clientRandom?.equals(randomOf(body))
  }

  /** Begin a new handshake, unless one has succeeded. */
  #meetClient(hello: Fragment, from: DtlsPeer): boolean {
    const random = randomOf(hello.body)
    if (this.#state === 'agreed' || random.length < randomBytesOfHello) return false
    const { own, peer, proven } = this.#options
    if (!proven && !this.#isProven(hello, from)) return false
    const nowMs = this.#options.clock.now()
    this.#firstAtMs ??= nowMs
    const more = Math.floor((nowMs - this.#firstAtMs) / anotherAfterMs)
    if (this.#handshakes >= maxHandshakes + more) return false
    this.#handshakes++
    this.#timer?.cancel()
    this.#clientRandom = Buffer.from(random)
    this.#to = from
    // One that has our cookie is its second message, and is answered by ours (RFC 6347 §4.2.2).
    this.#side = new ServerSide({ own, peer, firstSequence: hello.sequence })
    this.#assembly = new Assembly(hello.sequence)
    this.#records = new RecordLayer(this.#records)
    this.#flight = []
    this.#state = 'shaking'
    return true
  }

  /** Who brings no cookie is sent one, and nothing is kept of it: a stranger changes nothing here (RFC 6347 §4.2.1). */
  #isProven({ body, length, sequence }: Fragment, from: DtlsPeer): boolean {
    const hello = body.length === length ? readClientHello(body) : undefined
    if (!hello) return false
    const cookie = this.#cookieFor(from, hello.random)
    if (hello.cookie.length === cookie.length && timingSafeEqual(hello.cookie, cookie)) return true
    const verify = { type: handshakeTypes.helloVerifyRequest, sequence, body: printHelloVerify(cookie) }
    this.#options.send(this.#records.seal(contentTypes.handshake, 0, printMessage(verify)), from)
    return false
  }

  #cookieFor({ ip, port }: DtlsPeer, random: Buffer): Buffer {
    return createHmac('sha256', this.#cookieSecret).update(`${ip} ${port} `).update(random).digest().subarray(0, 20)
  }

  #act(step: Step): void {
    if (!step) return
    if ('alert' in step) {
      this.#sendAlert(step.alert)
      this.#end('failed')
      return this.#options.failed(step.alert)
    }
    const { flight, keys, agreed } = step
    if (keys) this.#records.setKeys(keys.suite, keys.write, keys.read)
    // Who has the last word waits for nothing: it is for the other to ask again.
    if (flight) this.#say(flight, !agreed)
    if (agreed) {
      if (!flight) this.#flight = []
      this.#side = undefined // its secrets are of no more use
      this.#end('agreed')
      this.#options.agreed(agreed)
    } else if (keys) for (const record of this.#records.openEarly()) this.#record(record, this.#to ?? nowhere)
  }

  #say(flight: readonly Part[], waits: boolean): void {
    this.#flight = flight
    this.#repeats = 0
    this.#timer?.cancel()
    this.#sendFlight()
    if (waits) this.#wait(firstWaitMs, maxSends - 1)
  }

  #sendFlight(): void {
    const to = this.#to
    if (!to) return
    this.#sentAtMs = this.#options.clock.now()
    for (const datagram of printFlight(this.#flight, this.#records)) this.#options.send(datagram, to)
  }

  #wait(waitMs: number, left: number): void {
    this.#timer = this.#options.clock.after(waitMs, () => {
      if (left === 0) return this.#fallSilent()
      this.#sendFlight()
      this.#wait(Math.min(2 * waitMs, longestWaitMs), left - 1)
    })
  }

  #fallSilent(): void {
    this.#end('failed')
    this.#options.failed('no answer')
  }

  /** The peer says what it said before: our answer did not reach it. */
  #repeat(): void {
    if (this.#options.clock.now() - this.#sentAtMs < repeatGapMs || this.#repeats++ >= maxRepeats) return
    this.#sendFlight()
  }

  #sendAlert(name: AlertName): void {
    const epoch = this.#records.canOpen ? 1 : 0
    if (this.#to) this.#options.send(this.#records.seal(contentTypes.alert, epoch, printAlert(name)), this.#to)
  }

  #end(state: 'agreed' | 'failed' | 'closed'): void {
    this.#state = state
    this.#timer?.cancel()
  }
}

/** Of a hello, or of its first piece: behind the version. */
const randomOf = (hello: Buffer): Buffer => hello.subarray(2, 2 + randomBytesOfHello)

const nowhere: DtlsPeer = { ip: '0.0.0.0', port: 0 }
