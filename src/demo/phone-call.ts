/**
 * One call of a simulated phone, from the moment it is answered: talks, listens, presses keys, holds, hangs up.
 *
 * Answers what the other side asks inside the dialog: hold, resume, a new address. Remembers what it said and heard
 * after the call has ended.
 */
import type { G711Law } from '../codec/g711.ts'
import type { Clock } from '../core/clock.ts'
import type { Dialog, DialogEnd, InDialogRequest } from '../sip/stack.types.ts'
import { Listener } from './listener.ts'
import { type Agreed, type LocalMedia, printAnswer, printOffer, readAgreed, sdpType } from './phone-sdp.ts'
import type { RtpEndpoint } from './rtp-endpoint.ts'
import { Talker } from './talker.ts'

export interface PhoneCallParts {
  readonly clock: Clock
  readonly dialog: Dialog
  readonly endpoint: RtpEndpoint
  readonly local: LocalMedia
  readonly agreed: Agreed
  readonly speech: Int16Array
}

export class PhoneCall {
  readonly #dialog: Dialog
  readonly #endpoint: RtpEndpoint
  readonly #talker: Talker
  readonly #listener: Listener
  #local: LocalMedia
  readonly law: G711Law
  /** Resolves when the call is over, however it ended. */
  readonly ended: Promise<DialogEnd>

  constructor({ clock, dialog, endpoint, local, agreed, speech }: PhoneCallParts) {
    this.#dialog = dialog
    this.#endpoint = endpoint
    this.#local = local
    this.law = agreed.law
    const events = agreed.eventPayloadType === undefined ? {} : { eventPayloadType: agreed.eventPayloadType }
    const send = (packet: Uint8Array) => endpoint.send(packet)
    const { law, payloadType, receive } = agreed
    this.#talker = new Talker({ clock, law, payloadType, ...events, speech, send })
    this.#listener = new Listener({ clock, audio: receive, ...events })
    endpoint.onPacket = (packet) => this.#listener.receive(packet)
    endpoint.sendTo(agreed.remote)
    dialog.on('request', (request) => this.#onRequest(request))
    this.ended = new Promise((resolve) =>
      dialog.on('ended', (end) => {
        this.#closeMedia()
        resolve(end)
      }),
    )
    this.#talker.start()
  }

  /** The Call-ID of this phone's side. */
  get sipCallId(): string {
    return this.#dialog.id.callId
  }

  /** The value of Replaces by which another device asks for the place of this one (RFC 3891 §6.1). */
  get replaces(): string {
    const { callId, localTag, remoteTag } = this.#dialog.id
    return `${callId};to-tag=${remoteTag};from-tag=${localTag}`
  }

  /** The samples this phone sent, as a receiver decodes them. */
  sent(): Int16Array {
    return this.#talker.sent()
  }

  /** The samples this phone received. */
  heard(): Int16Array {
    return this.#listener.heard()
  }

  get digitsHeard(): string {
    return this.#listener.digits
  }

  get packetsSent(): number {
    return this.#talker.packetsSent
  }

  /** The whole speech has been said; silence follows. */
  get spoken(): boolean {
    return this.#talker.spoken
  }

  /** Press keys, 0-9 * # A-D; resolves when the last one has been released. */
  press(keys: string): Promise<void> {
    return this.#talker.press(keys)
  }

  /** Put the other side on hold: a re-INVITE that offers to send only, and silence. */
  hold(): Promise<void> {
    this.#talker.pause()
    return this.#offer('sendonly')
  }

  async resume(): Promise<void> {
    await this.#offer('sendrecv')
    this.#talker.resume()
  }

  /**
   * Have the other side connected to `number`, or to who is at the other end of `second` (RFC 3515, 3891).
   * Resolves with the statuses that were reported, the final one last.
   */
  async transfer(number: string, second?: PhoneCall): Promise<readonly number[]> {
    const reported: number[] = []
    const done = new Promise<void>((resolve) =>
      this.#dialog.on('request', ({ request }) => {
        if (request.method !== 'NOTIFY') return
        reported.push(Number(Buffer.from(request.body).toString('latin1').split(' ')[1]))
        if (request.headers.get('Subscription-State')?.startsWith('terminated')) resolve()
      }),
    )
    const { host, port } = this.#dialog.remoteTarget
    const headers = second ? `?Replaces=${encodeURIComponent(second.replaces)}` : ''
    const to = `<sip:${number}@${host}:${port ?? 5060}${headers}>`
    const { status } = await this.#dialog.request('REFER', { headers: { 'Refer-To': to } })
    if (status >= 300) return [status]
    await done
    return reported
  }

  /**
   * Send nothing more. What a phone sends after the other one has hung up is nobody's: fall silent first where a
   * recording is to be compared with what was sent.
   */
  fallSilent(): void {
    this.#talker.stop()
  }

  /** BYE; resolves when it is answered. */
  async hangUp(): Promise<void> {
    this.#talker.stop()
    await this.#dialog.bye()
    this.#closeMedia()
  }

  /** The network is gone: no more packets either way. */
  cutMedia(): void {
    this.#closeMedia()
  }

  #closeMedia(): void {
    this.#talker.stop()
    this.#endpoint.close()
  }

  async #offer(direction: LocalMedia['direction']): Promise<void> {
    this.#local = { ...this.#local, direction, version: this.#local.version + 1 }
    const response = await this.#dialog.request('INVITE', { body: printOffer(this.#local), contentType: sdpType })
    if (response.status >= 300) throw new Error(`the re-INVITE was answered ${response.status} ${response.reason}`)
    const agreed = readAgreed(response.body, this.#local.laws)
    if (agreed) this.#endpoint.sendTo(agreed.remote)
  }

  #onRequest(incoming: InDialogRequest): void {
    const { request } = incoming
    if (request.method !== 'INVITE' && request.method !== 'UPDATE') return incoming.respond(200)
    this.#local = { ...this.#local, version: this.#local.version + 1 }
    // Without a body it is us who offer (RFC 3261 §14.2); what the ACK answers can only be what we agreed before.
    if (request.body.length === 0) return incoming.respond(200, { body: printOffer(this.#local), contentType: sdpType })
    const answer = printAnswer(request.body, this.#local)
    if (!answer) return incoming.respond(488)
    this.#endpoint.sendTo(answer.agreed.remote)
    if (answer.agreed.maySend) this.#talker.resume()
    else this.#talker.pause()
    incoming.respond(200, { body: answer.sdp, contentType: sdpType })
  }
}
