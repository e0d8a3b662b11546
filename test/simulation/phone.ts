/**
 * A phone whose user does as chance has it: calls, cancels, answers, refuses, holds, renegotiates, transfers, hangs up.
 * It keeps what it saw of each call for the checks at the end.
 */
import { ReferProgress, readReferral } from '../../src/sip/dialog/refer.ts'
import { cseqOf, optionTags } from '../../src/sip/message/fields.ts'
import type { SipMessage, SipResponse } from '../../src/sip/message/types.ts'
import { printUri } from '../../src/sip/message/uri.ts'
import type { CountedSipStack } from '../../src/sip/stack.ts'
import type { Dialog, IncomingInvite, InDialogRequest, InviteOptions, Payload } from '../../src/sip/stack.types.ts'
import type { Side } from './side.ts'
import type { World } from './world.ts'

const textOf = ({ body }: SipMessage): string => /^o=(\S+ \d+)/m.exec(Buffer.from(body).toString())?.[1] ?? ''

export class Phone {
  readonly name: string
  readonly number: string
  readonly ip: string
  readonly #world: World
  readonly #stack: CountedSipStack
  #descriptions = 0

  constructor(
    world: World,
    person: { readonly name: string; readonly number: string; readonly ip: string },
    stack: CountedSipStack,
  ) {
    this.#world = world
    this.name = person.name
    this.number = person.number
    this.ip = person.ip
    this.#stack = stack
    stack.on('invite', (invite) => this.#ringsHere(invite))
  }

  /** @param uri Whom. */
  place(uri: string): void {
    if (!this.#world.mayPlace()) return
    const { chance } = this.#world
    const delayed = chance.is(0.15)
    const shape = { lines: 1 }
    const first = delayed ? undefined : this.#offerOf(shape)
    let side: Side | undefined
    const settle = (answer: SipResponse, ours: string) => {
      if (side && side.agreed === undefined)
        side.agreed = `${first ? textOfPayload(first) : textOf(answer)} | ${ours || textOf(answer)}`
    }
    const answerTheirs = (response: SipResponse): Payload => {
      const mine = this.#answerTo(response, side ?? shape)
      settle(response, textOfPayload(mine))
      return mine
    }
    const options: InviteOptions = {
      target: { uri },
      from: `<sip:${this.number}@${this.ip}>`,
      to: `<${uri}>`,
      ...first,
      ...(delayed && { ackBody: answerTheirs }),
      headers: chance.is(0.3) ? { Require: '100rel' } : chance.is(0.3) ? { Supported: 'timer, 100rel' } : {},
      onProvisional: (response, dialog) => {
        const reliable = response.headers.has('RSeq') && response.body.length > 0
        if (reliable && first) settle(response, '')
        if (dialog && side) this.#early(dialog, side, reliable)
      },
    }
    this.#world.note(this.name, `calls ${uri}`)
    const outgoing = this.#stack.invite(options)
    side = this.#world.sides.open(this.name, 'caller', outgoing.sipCallId)
    side.lines = shape.lines
    const mine = side
    if (chance.is(0.25)) {
      this.#world.later(chance.between(0, 8_000), () => {
        if (mine.state === 'ringing') this.#world.note(this.name, 'cancels')
        outgoing.cancel()
      })
    }
    void outgoing.outcome.then((outcome) => {
      if (!outcome.answered) {
        mine.state = 'ended'
        mine.status = outcome.response.status
        return
      }
      if (first) settle(outcome.response, '')
      this.#talk(outcome.dialog, mine)
    })
  }

  #ringsHere(invite: IncomingInvite): void {
    const { chance, sides } = this.#world
    const side = sides.open(this.name, 'callee', invite.request.headers.get('Call-ID') ?? '')
    const offer = textOf(invite.request)
    let described: Payload | undefined
    invite.cancelled.addEventListener('abort', () => {
      side.state = 'ended'
      side.status = 487
    })
    const answer = (): Payload => {
      const again = described
      described ??= offer === '' ? this.#offerOf(side) : this.#answerTo(invite.request, side)
      if (offer !== '') side.agreed ??= `${offer} | ${textOfPayload(described)}`
      return again ?? described
    }
    const reliably = ['Require', 'Supported'].some((name) => optionTags(invite.request, name).includes('100rel'))
    for (let rings = chance.pick(0, 1, 1, 2); rings > 0; rings--) {
      this.#world.later(chance.between(0, 3_000), () => {
        if (side.state !== 'ringing') return
        const early = offer !== '' && chance.is(0.4)
        invite.ring(early ? 183 : 180, early ? answer() : {})
        if (early && reliably) this.#early(invite.dialog, side, true)
      })
    }
    const decision = chance.pick('answer', 'answer', 'answer', 'answer', 'refuse', 'leave')
    // The caller's stack cancels what rings for three minutes (timer C); a CANCEL may be lost, and phones give up as well.
    if (decision === 'leave') {
      return this.#world.later(240_000, () => {
        if (side.state === 'ringing') invite.reject((side.status = 480))
        side.state = 'ended'
      })
    }
    this.#world.later(chance.between(0, 6_000), () => {
      if (side.state !== 'ringing') return
      if (decision === 'refuse') {
        side.state = 'ended'
        side.status = chance.pick(486, 603, 480, 404)
        this.#world.note(this.name, `refuses with ${side.status}`)
        return invite.reject(side.status)
      }
      this.#world.note(this.name, 'answers')
      const dialog = invite.answer(answer())
      if (offer === '' && described) this.#offered(dialog, side, described, cseqOf(invite.request)?.seq)
      this.#talk(dialog, side)
    })
  }

  readonly #heard = new WeakSet<Dialog>()

  #early(dialog: Dialog, side: Side, reliable: boolean): void {
    this.#hear(dialog, side)
    const { chance } = this.#world
    if (!reliable || !chance.is(0.3)) return
    this.#world.later(chance.between(0, 2_000), () => {
      if (side.state === 'ringing') this.#offer(dialog, side, 'UPDATE')
    })
  }

  #hear(dialog: Dialog, side: Side): void {
    if (this.#heard.has(dialog)) return
    this.#heard.add(dialog)
    const { chance } = this.#world
    dialog.on('request', (incoming) => {
      side.busy++
      const slow = chance.is(0.1) ? 4_000 : 300
      this.#world.later(chance.between(0, slow), () => {
        side.busy--
        this.#answerInside(incoming, dialog, side)
      })
    })
  }

  #talk(dialog: Dialog, side: Side): void {
    const { chance } = this.#world
    side.answered = true
    side.state = 'talking'
    this.#hear(dialog, side)
    dialog.on('ended', ({ by }) => {
      side.state = 'ended'
      this.#world.note(this.name, `call over (${by})`)
      if (by !== 'local' && by !== 'remote' && by !== 'gone') this.#world.lost(`${this.name} lost a call (${by})`)
    })
    const patience = chance.pick(10_000, 60_000, 400_000)
    for (let deeds = chance.pick(0, 1, 2, 4); deeds > 0; deeds--) {
      this.#world.later(this.#world.moment(patience), () => this.#ask(dialog, side))
    }
    // A callee may forget to hang up; the caller does not.
    const forgets = side.role === 'callee' && chance.is(0.6)
    this.#world.later(forgets ? 900_000 : chance.between(500, patience), () => this.#hangUp(dialog, side))
  }

  #hangUp(dialog: Dialog, side: Side): void {
    if (dialog.state === 'terminated') return
    this.#world.sides.compare(side)
    this.#world.note(this.name, 'hangs up')
    void dialog.bye()
  }

  #ask(dialog: Dialog, side: Side): void {
    if (dialog.state !== 'confirmed') return
    const { chance } = this.#world
    switch (
      chance.pick('INVITE', 'INVITE', 'UPDATE', 'late offer', 'INFO', 'OPTIONS', 'UPDATE bare', 'REFER', 'MESSAGE')
    ) {
      case 'INVITE':
        return this.#offer(dialog, side, 'INVITE')
      case 'UPDATE':
        return this.#offer(dialog, side, 'UPDATE')
      case 'late offer':
        return this.#askForOffer(dialog, side)
      case 'INFO':
        return void dialog.request('INFO', {
          contentType: 'application/dtmf-relay',
          body: 'Signal=5\r\nDuration=100\r\n',
        })
      case 'OPTIONS':
        return void dialog.request('OPTIONS')
      case 'UPDATE bare':
        return void dialog.request('UPDATE')
      case 'MESSAGE':
        return void dialog.request('MESSAGE', { contentType: 'text/plain', body: 'hello' })
      case 'REFER': {
        const to = this.#world.someoneElse(this)
        this.#world.note(this.name, `transfers to ${to}`)
        return void dialog.request('REFER', { headers: { 'Refer-To': `<${to}>` } })
      }
    }
  }

  #offer(dialog: Dialog, side: Side, method: 'INVITE' | 'UPDATE'): void {
    const offer = this.#offerOf(side)
    this.#world.note(this.name, `offers ${textOfPayload(offer)} by ${method}`)
    side.busy++
    const sinceMs = this.#world.clock.now()
    void dialog.request(method, offer).then((response) => {
      side.busy--
      if (this.#world.clock.now() - sinceMs > patienceMs) this.#world.lost(`an offer of ${this.name} had to wait`)
      if (response.status < 300 && response.body.length > 0)
        side.agreed = `${textOfPayload(offer)} | ${textOf(response)}`
    })
  }

  #askForOffer(dialog: Dialog, side: Side): void {
    side.busy++
    const answer = (response: SipResponse): Payload => {
      const mine = this.#answerTo(response, side)
      side.agreed = `${textOf(response)} | ${textOfPayload(mine)}`
      return mine
    }
    void dialog.request('INVITE', { ackBody: answer }).then(() => side.busy--)
  }

  #answerInside(incoming: InDialogRequest, dialog: Dialog, side: Side): void {
    const { request } = incoming
    const { chance } = this.#world
    if (dialog.state === 'terminated') return incoming.respond(481)
    switch (request.method) {
      case 'INVITE':
      case 'UPDATE':
      case 'PRACK': {
        if (request.method === 'UPDATE' && request.body.length === 0) return incoming.respond(200)
        if (chance.is(0.15)) return incoming.respond(488)
        const mine = request.body.length > 0 ? this.#answerTo(request, side) : this.#offerOf(side)
        if (request.body.length > 0) side.agreed = `${textOf(request)} | ${textOfPayload(mine)}`
        else this.#offered(dialog, side, mine, cseqOf(request)?.seq)
        return incoming.respond(200, mine)
      }
      case 'REFER': {
        const referral = readReferral(request)
        if (!referral || chance.is(0.3)) return incoming.respond(603)
        const progress = new ReferProgress(incoming, dialog, false)
        const target = printUri({ ...referral.target, headers: new Map() })
        this.#world.later(chance.between(0, 500), () => this.place(target))
        return this.#world.later(chance.between(0, 5_000), () => void progress.report(200))
      }
      default:
        return incoming.respond(200)
    }
  }

  /** Our 2xx made the offer: the ACK brings the answer. */
  #offered(dialog: Dialog, side: Side, offer: Payload, seq: number | undefined): void {
    side.busy++
    let waits = true
    const done = () => {
      if (waits) side.busy--
      waits = false
    }
    const off = dialog.on('ack', (ack) => {
      if (cseqOf(ack)?.seq !== seq) return
      off()
      done()
      if (ack.body.length > 0) side.agreed = `${textOfPayload(offer)} | ${textOf(ack)}`
    })
    dialog.on('ended', done)
  }

  /** An offer, with video or not. A line that was once there stays (RFC 3264 §8). */
  #offerOf(side: Pick<Side, 'lines'>): Description {
    if (this.#world.chance.is(0.25)) side.lines = 2
    return this.#describe(side.lines)
  }

  /** As many lines as the offer has. */
  #answerTo(offer: SipMessage, side: Pick<Side, 'lines'>): Description {
    side.lines = Buffer.from(offer.body).toString().split('\nm=').length - 1
    return this.#describe(side.lines)
  }

  /** Another description each time, so that it is seen which one stands. */
  #describe(lines: number): Description {
    const { chance } = this.#world
    const version = ++this.#descriptions
    const port = 10_000 + 4 * version
    const body = [
      'v=0',
      `o=${this.name} ${version} ${version} IN IP4 ${this.ip}`,
      's=-',
      `c=IN IP4 ${this.ip}`,
      't=0 0',
      `m=audio ${port} RTP/AVP 0`,
      chance.pick('a=sendrecv', 'a=sendrecv', 'a=sendonly'),
    ]
    if (lines > 1) body.push(`m=video ${chance.is(0.6) ? port + 2 : 0} RTP/AVP 96`, 'a=rtpmap:96 H264/90000')
    return { contentType: 'application/sdp', body: `${body.join('\r\n')}\r\n` }
  }
}

/** Back-offs after 491 included, no answer takes longer where nothing is lost. */
const patienceMs = 60_000

interface Description {
  readonly contentType: string
  readonly body: string
}

const textOfPayload = ({ body }: Payload): string => /^o=(\S+ \d+)/m.exec(String(body))?.[1] ?? ''
