/**
 * Receives the INVITEs of recording clients: whose each is, whether it may begin a session, and on which terms.
 *
 *   front-desk.ts ── INVITE, OPTIONS ─▶  here  ── terms ─▶ server.ts
 *                                         └── how it went ─▶ peer-book.ts
 *
 * Who departs from RFC 7866 further than its peer may is refused with 403 and told what is missing, in a Warning that an
 * administrator finds in a trace: silence would look like a fault of the network.
 */
import type { Logger } from '../../core/logger.ts'
import { parseNetworks } from '../../core/networks.ts'
import type { SipRequest } from '../../sip/message/types.ts'
import { parseUri } from '../../sip/message/uri.ts'
import type { Flow, IncomingInvite } from '../../sip/stack.types.ts'
import { isSiprec } from '../body.ts'
import { siprecFailures } from '../failures.ts'
import type { SiprecServer } from '../server.ts'
import { deviationTexts, dialects, refusedIn } from './dialects.ts'
import { PeerError, type PeerTerms, type SiprecPeer } from './peer.ts'
import type { PeerBook, Whose } from './peer-book.ts'

/** Who sent a request, as the gatekeeper knows it. */
export interface Sender {
  readonly flow: Flow
  /** Behind a proxy that we trust the device itself. */
  readonly device: { readonly ip: string }
}

export interface ReceptionOptions {
  readonly book: PeerBook
  readonly server: Pick<SiprecServer, 'handle' | 'order'>
  readonly senderOf: (request: SipRequest, flow: Flow) => Sender
  readonly log: Logger
}

const whoseIs = (book: PeerBook, { flow, device }: Sender, username?: string): Whose =>
  book.find({ ip: device.ip, certificate: flow.certificate, username })

/**
 * What the gatekeeper asks: who may send an INVITE that asks for a recording, and ask by OPTIONS whether we live, as it
 * comes. That one is off, or does not conform, is told here, in words.
 */
export const recordingClients = (book: PeerBook) => ({
  admits(request: SipRequest, sender: Sender): boolean {
    const whose = whoseIs(book, sender)
    if (whose === undefined) return false
    if (request.method === 'OPTIONS') return true
    return request.method === 'INVITE' && (isSiprec(request) || recordsEverything(book.termsOf(whose)))
  },
  hashesOf: (username: string) => book.hashesOf(username),
})

const recordsEverything = ({ dialect }: PeerTerms): boolean =>
  (dialects[dialect] as readonly string[]).includes('plain-call')

export class SiprecReception {
  readonly #options: ReceptionOptions

  constructor(options: ReceptionOptions) {
    this.#options = options
  }

  /** @param username That it proved by its digest, when the name is a recording client's. */
  invite(invite: IncomingInvite, username?: string): void {
    const { book, server, senderOf } = this.#options
    const sender = senderOf(invite.request, invite.flow)
    const whose = whoseIs(book, sender, username)
    const source = sender.device.ip
    if (typeof whose === 'object' && !whose.enabled) return this.#refuse(invite, whose, source, 'siprec.peer-off')
    const terms = book.termsOf(whose)
    const missing = refusedIn(terms.dialect, invite.request)
    if (missing.length > 0) {
      const why = missing.map((deviation) => deviationTexts[deviation]).join(', ')
      return this.#refuse(invite, whose, source, 'siprec.not-conforming', why)
    }
    const over = book.began(whose, source)
    server.handle(invite, {
      terms,
      failed: (code, text) => book.failed(whose, source, code, text),
      over,
    })
  }

  /**
   * Ask a peer to send a session.
   * @param contact Where it takes orders, instead of the peer's own; at the peer, for who may order may not call anywhere.
   * @throws {PeerError} `siprec-peer.not-found`, `.off`, `.no-contact`, `.foreign-contact`
   */
  order(id: string, contact?: string): ReturnType<SiprecServer['order']> {
    const { book, server } = this.#options
    const peer = book.get(id)
    const at = contact ?? peer.contact
    if (!peer.enabled) throw new PeerError('siprec-peer.off')
    if (at === undefined) throw new PeerError('siprec-peer.no-contact')
    if (!isAt(peer, at)) throw new PeerError('siprec-peer.foreign-contact')
    const over = book.began(peer, at)
    return server.order(at, { terms: peer, failed: (code, text) => book.failed(peer, at, code, text), over })
  }

  /** OPTIONS: is the recorder alive? */
  pinged(request: SipRequest, flow: Flow, username?: string): void {
    const { book, senderOf } = this.#options
    const sender = senderOf(request, flow)
    book.pinged(whoseIs(book, sender, username), sender.device.ip)
  }

  #refuse(
    invite: IncomingInvite,
    whose: Whose,
    source: string,
    code: 'siprec.peer-off' | 'siprec.not-conforming',
    why?: string,
  ): void {
    const { book, log } = this.#options
    const { sip, text } = siprecFailures[code]
    const said = why === undefined ? text : `${text}: ${why}`
    log.warn('A recording client was refused', { code, source, ...(why !== undefined && { why }) })
    book.failed(whose, source, code, said)
    // RFC 3261 §20.43: 399 is for people.
    invite.reject(sip, { headers: { Warning: `399 patchbay "${said.replaceAll('"', "'")}"` } })
  }
}

/** Whether a request to this URI goes to the peer. */
function isAt({ contact, sources }: SiprecPeer, at: string): boolean {
  if (at === contact) return true
  const uri = parseUri(at)
  // `maddr` would send it elsewhere (RFC 3261 §19.1.1).
  if (uri?.host === undefined || uri.params.has('maddr')) return false
  return uri.host === (contact && parseUri(contact)?.host) || parseNetworks(sources).has(uri.host)
}
