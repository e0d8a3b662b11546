/**
 * The two calls of Cisco's Built-in Bridge become one recording: the recorded phone sends its own voice in one call and
 * that of the far end in another, and both name the phone's call in their From:
 *
 *   From: <sip:2000@cucm;x-nearend;x-refci=27298698;…>      first channel
 *   From: <sip:2000@cucm;x-farend;x-refci=27298698;…>       second channel
 *
 * Whichever comes first opens the recording, the other joins as a further track, and the recording ends with the last of
 * them. One that comes too late, or has no partner, is a recording of its own.
 * Missing: a second call that a restart took up goes on as a recording of its own.
 */
import type { Clock } from '../../core/clock.ts'
import type { Participant } from '../../events/catalogue.ts'
import type {
  ActiveRecording,
  MuteOrder,
  PauseOrder,
  PauseStatus,
  ResumeOrder,
  Track,
  WhoIsRecorded,
} from '../../recording/types.ts'
import { fromOf } from '../../sip/message/fields.ts'
import type { SipRequest } from '../../sip/message/types.ts'

/** The phone sends both at once; a second call that comes later belongs to something else. */
const joinsWithinMs = 30_000

const ends = ['near', 'far'] as const
type End = (typeof ends)[number]

export class BridgedCalls {
  readonly #clock: Clock
  /** By phone system and its number of the call; one is there as long as one of its calls is. */
  readonly #bridges = new Map<string, Bridge>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /**
   * The recording for the call of this INVITE.
   *
   * @param source The phone system: its numbers of calls are its own.
   * @param start Begins one, without tracks.
   */
  recordingOf(invite: SipRequest, source: string, start: () => ActiveRecording): ActiveRecording {
    const { params } = fromOf(invite)?.uri ?? {}
    const reference = params?.get('x-refci')
    const end = ends.find((one) => params?.has(`x-${one}end`))
    if (!reference || !end) return start()
    const key = `${source} ${reference}`
    const waiting = this.#bridges.get(key)
    if (waiting?.takes(end, this.#clock.now())) return waiting.join(end)
    const bridge: Bridge = new Bridge(start(), this.#clock.now(), () => {
      if (this.#bridges.get(key) === bridge) this.#bridges.delete(key)
    })
    this.#bridges.set(key, bridge)
    return bridge.join(end)
  }
}

class Bridge {
  readonly recording: ActiveRecording
  readonly #openedAtMs: number
  readonly #over: () => void
  readonly #who = new Map<End, WhoIsRecorded>()
  readonly #joined = new Set<End>()
  readonly #open = new Set<End>()
  /** One of its calls was left to the process after this one. */
  #left = false

  constructor(recording: ActiveRecording, openedAtMs: number, over: () => void) {
    this.recording = recording
    this.#openedAtMs = openedAtMs
    this.#over = over
  }

  takes(end: End, nowMs: number): boolean {
    return !this.#joined.has(end) && nowMs - this.#openedAtMs <= joinsWithinMs
  }

  join(end: End): ActiveRecording {
    this.#joined.add(end)
    this.#open.add(end)
    return new BridgedCall(this, end)
  }

  /** Each call names both people, but knows only its own voice. */
  describe(end: End, who: WhoIsRecorded): void {
    this.#who.set(end, who)
    const told = ends.flatMap((one) => this.#who.get(one) ?? [])
    const everyone = told.flatMap(({ participants }) => participants)
    const heard = everyone.filter(({ legId }) => legId !== undefined)
    const known = new Set(heard.map(({ uri }) => uri))
    const unheard = new Map<string | undefined, Participant>()
    for (const person of everyone)
      if (person.legId === undefined && !known.has(person.uri)) unheard.set(person.uri, person)
    this.recording.describe({
      participants: [...heard, ...unheard.values()],
      channelOrder: told.flatMap(({ channelOrder = [] }) => channelOrder),
    })
  }

  /** A call of it is over, or left; with the last one the recording is. */
  async part(end: End, how: 'stop' | 'leave'): Promise<void> {
    if (!this.#open.delete(end)) return
    this.#left ||= how === 'leave'
    if (this.#open.size > 0) return
    this.#over()
    await (this.#left ? this.recording.leave() : this.recording.stop())
  }
}

/** What one of the two calls sees of the recording: its own track. */
class BridgedCall implements ActiveRecording {
  readonly #bridge: Bridge
  readonly #end: End
  readonly #legs = new Set<string>()
  readonly #muted = new Set<string>()
  #paused = false

  constructor(bridge: Bridge, end: End) {
    this.#bridge = bridge
    this.#end = end
  }

  get id(): string {
    return this.#recording.id
  }

  get name(): string {
    return this.#recording.name
  }

  get callId(): string {
    return this.#recording.callId
  }

  get status(): PauseStatus {
    return this.#recording.status
  }

  get legIds(): readonly string[] {
    return this.#recording.legIds.filter((legId) => this.#legs.has(legId))
  }

  get #recording(): ActiveRecording {
    return this.#bridge.recording
  }

  addTrack(track: Track): void {
    this.#legs.add(track.legId)
    this.#recording.addTrack(track)
  }

  endTrack(legId: string): void {
    this.#recording.endTrack(legId)
  }

  /** The other voice goes on, so a pause of this call mutes its own. */
  pause(order: PauseOrder): void {
    this.#paused = true
    for (const legId of this.#legs) this.#recording.mute(legId, order)
  }

  resume(order: ResumeOrder): void {
    this.#paused = false
    for (const legId of this.#legs) if (!this.#muted.has(legId)) this.#recording.unmute(legId, order)
  }

  mute(legId: string, order: MuteOrder): void {
    this.#muted.add(legId)
    this.#recording.mute(legId, order)
  }

  unmute(legId: string, order: MuteOrder): void {
    this.#muted.delete(legId)
    if (!this.#paused) this.#recording.unmute(legId, order)
  }

  noteSilence(legId: string, sinceMs: number | undefined): void {
    this.#recording.noteSilence(legId, sinceMs)
  }

  describe(who: WhoIsRecorded): void {
    this.#bridge.describe(this.#end, who)
  }

  stop(): Promise<void> {
    for (const legId of this.legIds) this.endTrack(legId)
    return this.#bridge.part(this.#end, 'stop')
  }

  leave(): Promise<void> {
    for (const legId of this.legIds) this.endTrack(legId)
    return this.#bridge.part(this.#end, 'leave')
  }
}
