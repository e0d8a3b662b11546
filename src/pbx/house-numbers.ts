/**
 * Numbers that the server answers itself: the echo test, conference rooms.
 *
 *   Dialplan ── number, invite ─▶ here ── HouseCall ─▶ echo-test.ts, conferences.ts
 */
import { HouseCall, type HouseCallOptions } from '../call/house-call.ts'
import type { CallServices } from '../call/services.ts'
import type { Party } from '../events/catalogue.ts'
import type { IncomingInvite } from '../sip/stack.types.ts'
import { Conferences } from './conferences.ts'
import { echoTest } from './echo-test.ts'
import { mute, type Speak } from './speech.ts'

export interface HouseNumbersOptions {
  /** None when empty. */
  readonly echoNumber: string
  /** What the numbers of rooms begin with; one to four digits follow. None when empty. */
  readonly conferencePrefix: string
  readonly services: CallServices
  /** In tones alone when left out. */
  readonly speak?: Speak
}

const roomDigits = /^\d{1,4}$/

export class HouseNumbers {
  readonly #options: HouseNumbersOptions
  readonly #conferences: Conferences
  readonly #speak: Speak

  constructor(options: HouseNumbersOptions) {
    const { media, holdMusic, log } = options.services
    this.#options = options
    this.#speak = options.speak ?? mute
    this.#conferences = new Conferences(media, holdMusic ?? [], log, this.#speak)
  }

  /** Whether this number is answered here. */
  serves(number: string): boolean {
    return number !== '' && (number === this.#options.echoNumber || this.#roomOf(number) !== undefined)
  }

  /** @param number One that is served. Resolves when the call is over. */
  async take(invite: IncomingInvite, number: string, caller: Omit<HouseCallOptions, 'to'>): Promise<void> {
    const { services } = this.#options
    const room = this.#roomOf(number)
    const name = room === undefined ? 'Echo' : `Conference ${room}`
    const to: Party = { uri: invite.request.uri, name }
    const call = new HouseCall(invite, { ...caller, to }, services)
    if (room === undefined) await echoTest(call, services.media, services.clock, this.#speak)
    else await this.#conferences.enter(call, room)
  }

  #roomOf(number: string): string | undefined {
    const { conferencePrefix } = this.#options
    if (conferencePrefix === '' || !number.startsWith(conferencePrefix)) return undefined
    const room = number.slice(conferencePrefix.length)
    return roomDigits.test(room) ? room : undefined
  }
}
