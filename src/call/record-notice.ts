/**
 * Tells the parties of a call that it is recorded, here or elsewhere (RFC 7866 §6.3).
 *
 *   CallMedia, events/ ── here, elsewhere ─▶ here ── a=record in a re-INVITE ─▶ phones that know it (`record-aware`)
 *                                             └── a beep, or an announcement ─▶ all others
 *
 * What the other party says of its own recording is passed on, as a B2BUA does. Phones show `a=record` in their own way;
 * who is not `record-aware` hears nothing unless RECORDING_NOTICE says so.
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { Music } from '../media/graph/types.ts'
import type { RecordPreference, RecordState } from '../sdp/attributes.ts'
import { sdpOf } from './description.ts'
import { CallError } from './failures.ts'
import type { Leg } from './leg.ts'

/** What is heard by who cannot be shown it. */
export interface NoticeSound {
  readonly sounds: readonly Music[]
  /** Again after so long; once when left out. */
  readonly everyMs?: number
}

export interface RecordNoticeOptions {
  readonly clock: Clock
  readonly log: Logger
  /** Nothing is heard when left out. */
  readonly sound?: NoticeSound
  /** Somebody has said what it wishes to become of recording, or wishes something else now. */
  readonly preferred?: (leg: Leg, preference: RecordPreference) => void
}

export class RecordNotice {
  readonly #options: RecordNoticeOptions
  #here: RecordState = 'off'
  /** Servers elsewhere that have the call. */
  readonly #servers = new Set<string>()
  #elsewherePaused = false
  #legs: readonly Leg[] = []
  /** By the leg that hears it: its next time. */
  readonly #heard = new Map<Leg, Timer | undefined>()
  readonly #preferences = new WeakMap<Leg, RecordPreference>()
  #over = false

  constructor(options: RecordNoticeOptions) {
    this.#options = options
  }

  /** What is recorded in this server. */
  here(state: RecordState): void {
    this.#here = state
    this.update()
  }

  /** A server elsewhere has the call, or has it no longer. */
  elsewhere(server: string, on: boolean): void {
    if (on) this.#servers.add(server)
    else this.#servers.delete(server)
    this.update()
  }

  elsewherePaused(on: boolean): void {
    this.#elsewherePaused = on
    this.update()
  }

  /** @param legs Who is in the call now; those of before when left out. */
  update(legs: readonly Leg[] = this.#legs): void {
    if (this.#over) return
    this.#legs = legs
    for (const leg of this.#heard.keys()) if (!legs.includes(leg)) this.#silence(leg)
    for (const leg of legs) this.#hear(leg)
    for (const leg of legs)
      this.#tell(leg, strongest([this.#own, ...legs.filter((one) => one !== leg).map(recordedBy)]))
  }

  close(): void {
    this.#over = true
    for (const leg of this.#heard.keys()) this.#silence(leg)
  }

  get #own(): RecordState {
    const elsewhere = this.#servers.size === 0 ? 'off' : this.#elsewherePaused ? 'paused' : 'on'
    return strongest([this.#here, elsewhere])
  }

  #hear(leg: Leg): void {
    const wish = leg.media?.prefersRecord
    if (wish === undefined || wish === this.#preferences.get(leg)) return
    this.#preferences.set(leg, wish)
    this.#options.preferred?.(leg, wish)
  }

  #tell(leg: Leg, state: RecordState): void {
    const { media } = leg
    if (!media) return
    if (!leg.recordAware) {
      if (state !== 'on') this.#silence(leg)
      else if (leg.state === 'answered' && !this.#heard.has(leg)) this.#sound(leg)
      return
    }
    media.record = state
    if (leg.state === 'answered' && media.recordTold !== state) void this.#offer(leg)
  }

  /** RFC 7866 §6.3: by a further offer. */
  async #offer({ dialog, media, ...leg }: Leg): Promise<void> {
    if (!dialog || !media) return
    const { log } = this.#options
    const other = this.#legs.find(({ id }) => id !== leg.id)
    try {
      const body = media.offer(other?.media?.wishes)
      const response = await dialog.request('INVITE', { contentType: 'application/sdp', body })
      if (response.status < 300) return media.takeAnswer(sdpOf(response))
      media.offerRefused()
      log.warn('A phone could not be told that its call is recorded', { leg: leg.id, status: response.status })
    } catch (error) {
      if (!(error instanceof CallError)) throw error
      log.warn('A phone could not be told that its call is recorded', { leg: leg.id, code: error.code })
    }
  }

  #sound(leg: Leg): void {
    const { sound, clock } = this.#options
    if (!sound || !leg.media) return
    leg.media.port.sound.play(sound.sounds, { how: 'over' })
    const { everyMs } = sound
    this.#heard.set(leg, everyMs === undefined ? undefined : clock.after(everyMs, () => this.#sound(leg)))
  }

  #silence(leg: Leg): void {
    this.#heard.get(leg)?.cancel()
    this.#heard.delete(leg)
  }
}

const recordedBy = ({ media }: Leg): RecordState => media?.peerRecords ?? 'off'

const strongest = (states: readonly RecordState[]): RecordState =>
  states.includes('on') ? 'on' : states.includes('paused') ? 'paused' : 'off'
