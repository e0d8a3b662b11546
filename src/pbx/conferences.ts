/**
 * Rooms of this process: all who dial the same number hear each other.
 *
 *   dialplan ── HouseCall, room ─▶ here ── one media session and one mixer for each room
 *
 * A room begins with the first caller, who hears that, and music until somebody else comes, and ends with the last. A short
 * tone tells those inside that somebody came or went. `*` mutes the caller and unmutes it, and tells it so.
 */
import type { HouseCall } from '../call/house-call.ts'
import type { Logger } from '../core/logger.ts'
import type { Member, Mixer, Music, Sound } from '../media/graph/types.ts'
import type { MediaPlane, MediaPort, MediaSession } from '../media/types.ts'
import type { Speak } from './speech.ts'

/** What people speak in; the mixer's sums are of this rate. */
const sampleRateHz = 16_000
/** More voices at once than this nobody tells apart. */
const loudest = 5
/** More are busy. */
const mostMembers = 200

const note = (frequencyHz: number): Sound => ({
  tone: { parts: [{ frequencyHz, levelDbm0: -18 }] },
  durationMs: 120,
})
const came = [note(660), note(880)]
const went = [note(880), note(660)]
const muted = [note(520), note(390)]
const unmuted = [note(390), note(520)]

interface Guest {
  readonly call: HouseCall
  readonly port: MediaPort
  readonly member: Member
  /** Ends what one who is alone hears. */
  alone: (() => void) | undefined
}

interface Room {
  readonly session: MediaSession
  readonly mixer: Mixer
  readonly guests: Set<Guest>
  /** Those who are about to come in count too. */
  visitors: number
}

export class Conferences {
  readonly #media: MediaPlane
  readonly #music: readonly Music[]
  readonly #log: Logger
  readonly #speak: Speak
  readonly #rooms = new Map<string, Room>()

  /** @param music For who is alone; none for silence. */
  constructor(media: MediaPlane, music: readonly Music[], log: Logger, speak: Speak) {
    this.#media = media
    this.#speak = speak
    this.#music = music
    this.#log = log
  }

  get size(): number {
    return this.#rooms.size
  }

  /** Resolves when the call is over. */
  async enter(call: HouseCall, number: string): Promise<void> {
    const room = this.#rooms.get(number) ?? this.#open(number)
    if (room.visitors >= mostMembers) return call.refuse('busy')
    room.visitors++
    try {
      const port = await call.answer(room.session)
      if (port) await this.#stay(room, call, port)
    } finally {
      if (--room.visitors === 0) await this.#close(number, room)
    }
  }

  #open(number: string): Room {
    const session = this.#media.openSession(`conference ${number}`)
    const mixer = session.openMixer({ sampleRateHz, loudest })
    const room: Room = { session, mixer, guests: new Set(), visitors: 0 }
    session.on('lost', () => {
      this.#rooms.delete(number)
      for (const { call } of room.guests) void call.end('failed')
    })
    this.#rooms.set(number, room)
    return room
  }

  async #stay(room: Room, call: HouseCall, port: MediaPort): Promise<void> {
    if (room.guests.size > 0) room.mixer.play(came)
    const guest: Guest = { call, port, member: room.mixer.join(port), alone: undefined }
    room.guests.add(guest)
    this.#entertain(room)
    let isMuted = false
    call.onDigit = (digit) => {
      if (digit !== '*') return
      isMuted = !isMuted
      guest.member.change({ muted: isMuted })
      void this.#tell(port, isMuted ? 'muted' : 'unmuted', isMuted ? muted : unmuted)
    }
    await call.closed
    room.guests.delete(guest)
    if (room.guests.size > 0) room.mixer.play(went)
    this.#entertain(room)
  }

  /** In words, or else by tones, to this guest alone. */
  async #tell(port: MediaPort, prompt: string, tones: readonly Sound[]): Promise<void> {
    const words = await this.#speak(prompt)
    const sounds = words.length > 0 ? words : tones
    if (sounds.length > 0) port.sound.play(sounds, { how: 'over' })
  }

  /** Who is alone is told so and hears music; nobody else does. */
  #entertain({ guests }: Room): void {
    const isAlone = guests.size === 1
    for (const guest of guests) {
      if (isAlone) guest.alone ??= this.#keepCompany(guest.port)
      else {
        guest.alone?.()
        guest.alone = undefined
      }
    }
  }

  /** @returns Ends it. */
  #keepCompany(port: MediaPort): () => void {
    const over = new AbortController()
    if (this.#music.length > 0) {
      const failed = (): void => this.#log.warn('the music of a conference cannot be played', { music: this.#music })
      over.signal.addEventListener('abort', port.sound.holdMusic(this.#music, failed))
    }
    void this.#speak('conference-alone').then((words) => {
      if (words.length === 0 || over.signal.aborted) return
      const playback = port.sound.play(words, { how: 'over' })
      over.signal.addEventListener('abort', () => playback.stop())
    })
    return () => over.abort()
  }

  async #close(number: string, room: Room): Promise<void> {
    if (this.#rooms.get(number) === room) this.#rooms.delete(number)
    room.mixer.close()
    await room.session.close()
  }
}
