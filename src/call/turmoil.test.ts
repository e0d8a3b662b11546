/**
 * Three phones that take each other's places, transfer, switch video on and off and hang up, at any moment and at the
 * same moments, by seed. Afterwards as many phones talk as the server has legs, and nothing is left over.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../net/memory-network.ts'
import { turn } from '../sip/dialog/test-support.ts'
import type { Dialog, IncomingInvite, InDialogRequest, OutgoingInvite } from '../sip/stack.types.ts'
import { CallWorld, callerIp, description, deviceIps, sdp, serverIp, to102 } from './test-support.ts'

const withVideo = (ip: string, on: boolean): string =>
  `${sdp(ip)}m=video ${on ? 5_000 : 0} RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n`

interface Talk {
  readonly dialog: Dialog
  readonly ip: string
}

class Turmoil {
  readonly talks: Talk[] = []
  readonly #world: CallWorld
  readonly #random: () => number

  constructor(world: CallWorld, random: () => number) {
    this.#world = world
    this.#random = random
    const route = () => ({ destinations: [this.#phone()], ringMs: 20_000, record: this.#is(0.5) })
    world.dialOptions = { destinations: [this.#phone()], onwards: { numberIn: ({ user }) => user, route } }
    world.devices.forEach((stack, index) => {
      stack.on('invite', (invite) => this.#rings(invite, deviceIps[index] ?? ''))
    })
  }

  call(): void {
    this.#heard(this.#world.call(this.#is(0.6) ? description(withVideo(callerIp, true)) : {}), callerIp)
  }

  /** Somebody does something. */
  act(): void {
    const { dialog, ip } = this.#any(this.talks) ?? {}
    if (!dialog || ip === undefined) return
    const what = this.#random()
    if (what < 0.3) this.#takePlace(dialog)
    else if (dialog.state !== 'confirmed') return
    else if (what < 0.5) void dialog.request('REFER', { headers: { 'Refer-To': this.#target(dialog) } })
    else if (what < 0.8) {
      const offer = this.#is(0.7) ? withVideo(ip, this.#is(0.6)) : sdp(ip)
      void dialog.request(this.#is(0.8) ? 'INVITE' : 'UPDATE', description(offer))
    } else if (what < 0.88) void dialog.bye()
  }

  #phone() {
    return { target: { uri: `sip:102@${this.#any(deviceIps)}:5060` }, party: to102 }
  }

  #rings(invite: IncomingInvite, ip: string): void {
    if (this.#is(0.3)) invite.ring(180)
    const takes = this.#is(0.85)
    this.#world.clock.after(this.#random() * 3_000, () => {
      if (invite.cancelled.aborted) return
      if (!takes) return invite.reject(486)
      this.#talk(invite.answer(description(this.#answerTo(invite.request.body, ip))), ip)
    })
  }

  #takePlace({ id: { callId, localTag, remoteTag } }: Dialog): void {
    const index = this.#is(0.5) ? 0 : 1
    const ip = deviceIps[index] ?? ''
    const taken = this.#world.devices[index]?.invite({
      target: { uri: `sip:102@${serverIp}:5060` },
      from: `<sip:103@${ip}>`,
      to: `<sip:102@${serverIp}>`,
      headers: { Replaces: `${callId};to-tag=${remoteTag};from-tag=${localTag}` },
      ...description(this.#is(0.3) ? withVideo(ip, true) : sdp(ip)),
    })
    if (!taken) return
    this.#heard(taken, ip)
    if (this.#is(0.15)) this.#world.clock.after(this.#random() * 30, () => taken.cancel())
  }

  #target(own: Dialog): string {
    const second = this.#is(0.5) ? this.#any(this.talks)?.dialog : undefined
    if (!second || second === own) return `<sip:102@${serverIp}>`
    const { callId, localTag, remoteTag } = second.id
    const replaces = encodeURIComponent(`${callId};to-tag=${remoteTag};from-tag=${localTag}`)
    return `<sip:102@${serverIp}?Replaces=${replaces}>`
  }

  #heard(invite: OutgoingInvite, ip: string): void {
    void invite.outcome.then((outcome) => {
      if (outcome.answered) this.#talk(outcome.dialog, ip)
    })
  }

  #talk(dialog: Dialog, ip: string): void {
    this.talks.push({ dialog, ip })
    dialog.on('request', (incoming) => {
      if (this.#is(0.3)) this.#world.clock.after(this.#random() * 2_000, () => this.#answer(incoming, ip))
      else this.#answer(incoming, ip)
    })
  }

  #answer(incoming: InDialogRequest, ip: string): void {
    const { method, body } = incoming.request
    if (method === 'NOTIFY' || body.length === 0) incoming.respond(200)
    else if (this.#is(0.15)) incoming.respond(this.#is(0.7) ? 488 : 491)
    else incoming.respond(200, description(this.#answerTo(body, ip)))
  }

  #answerTo(offer: Uint8Array, ip: string): string {
    const text = Buffer.from(offer).toString()
    return text.includes('m=video') ? withVideo(ip, !text.includes('m=video 0 ') && this.#is(0.7)) : sdp(ip)
  }

  #is(share: number): boolean {
    return this.#random() < share
  }

  #any<Value>(values: readonly Value[]): Value | undefined {
    return values[Math.floor(this.#random() * values.length)]
  }
}

async function live(seed: number): Promise<void> {
  const world = await CallWorld.open()
  const random = seededRandom(seed)
  const turmoil = new Turmoil(world, random)
  turmoil.call()
  if (random() < 0.4) turmoil.call()
  for (let left = 3 + random() * 10; left > 0; left--) {
    await turn(world.clock, random() < 0.4 ? 5 : random() * 3_000)
    turmoil.act()
    if (random() < 0.4) turmoil.act()
  }
  await turn(world.clock, 40_000, 50)
  const talking = turmoil.talks.filter(({ dialog }) => dialog.state === 'confirmed')
  const legs = world.live.list().flatMap((call) => call.snapshot().legs.filter(({ state }) => state === 'answered'))
  assert.equal(talking.length, legs.length, 'phones that talk, legs of the server')
  for (const { dialog } of talking) void dialog.bye()
  await world.nothingIsLeft(world.calls.length)
}

test('whoever takes a place, transfers or switches video at whatever moment, all agree on who talks, and nothing is left', async () => {
  for (let seed = 1; seed <= 50; seed++)
    await live(seed).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error })
    })
})
