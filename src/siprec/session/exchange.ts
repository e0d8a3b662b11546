/**
 * Offers and answers of one session (RFC 3264): which description of the client holds, whether the last offer was ours,
 * and what we say next.
 *
 * Offers come from the client; ours are for one that sends an INVITE without a description (RFC 3261 §14.2), and say
 * what holds already. How an m-line is answered: offer.ts.
 */
import type { Payload } from '../../sip/stack.types.ts'
import { multipartAnswer } from '../multipart-answer.ts'
import { type Offer, type OurEnds, printAnswer, printOurOffer, readOffer } from '../offer.ts'
import type { Checkpoint } from '../survival/checkpoint.ts'

export interface ExchangeOptions {
  /** Ours; the version is that of the description we sent last. */
  readonly ours: Checkpoint['ours']
  readonly ends: OurEnds
  /** Codecs that this peer may send; all when left out. */
  readonly codecs: readonly string[] | undefined
  /** Answer with two parts (multipart-answer.ts). */
  readonly multipart: boolean
}

export class Exchange {
  readonly #options: ExchangeOptions
  #version: number
  #offer: Offer | undefined
  /** The last answer carried an offer of ours, so the ACK carries the client's answer. */
  #offeredByUs = false

  constructor(options: ExchangeOptions) {
    this.#options = options
    this.#version = options.ours.version
  }

  /** The client's description that holds now. */
  get offer(): Offer | undefined {
    return this.#offer
  }

  get ours(): Checkpoint['ours'] {
    return { ...this.#options.ours, version: this.#version }
  }

  /** @throws {SiprecError} `siprec.bad-sdp` */
  read(sdp: string): Offer {
    return readOffer(sdp, this.#options.codecs)
  }

  /** It holds from now on. */
  settle(offer: Offer): void {
    this.#offer = offer
  }

  /** Our answer to an offer. */
  answer(offer: Offer): Payload {
    return this.#payload(printAnswer(offer, this.#next(), this.#options.ends))
  }

  /** An offer of ours in the first answer, for a client that left it to us. The ACK answers it. */
  offerFirst(offer: Offer): Payload {
    this.#offeredByUs = true
    return this.#payload(printOurOffer(offer, this.#next(), this.#options.ends))
  }

  /** An answer to an offer; an offer of ours to an INVITE without one; nothing to an UPDATE without one. */
  replyTo(method: string, offer: Offer | undefined): Payload {
    if (offer) return this.answer(offer)
    if (method !== 'INVITE' || !this.#offer) return {}
    this.#offeredByUs = true
    const body = printOurOffer(this.#offer, this.#next(), this.#options.ends)
    return { contentType: 'application/sdp', body }
  }

  /** Whether an ACK that comes now answers an offer of ours. Once. */
  takesAnswer(): boolean {
    const isOurs = this.#offeredByUs
    this.#offeredByUs = false
    return isOurs
  }

  #payload(sdp: string): Payload {
    return this.#options.multipart ? multipartAnswer(sdp) : { contentType: 'application/sdp', body: sdp }
  }

  #next(): Checkpoint['ours'] {
    this.#version += 1
    return this.ours
  }
}
