/**
 * Rooms of this process: all who dial the same number hear each other.
 *
 *   dialplan ── HouseCall, room ─▶ here ── one media session and one mixer for each room
 *
 * A room begins with the first caller, who hears music until somebody else comes, and ends with the last. A short tone
 * tells those inside that somebody came or went. `*` mutes the caller and unmutes it: two tones down, two tones up.
 */
import type { HouseCall } from '../call/house-call.ts'
import type { Logger } from '../core/logger.ts'
import type { Member, Mixer, Music, Sound } from '../media/graph/types.ts'
import type { MediaPlane, MediaPort, MediaSession } from '../media/types.ts'

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
  /** Ends the music of one who is alone. */
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
  readonly #rooms = new Map<string, Room>()

  /** @param music For who is alone; none for silence. */
  constructor(media: MediaPlane, music: readonly Music[], log: Logger) {
    this.#media = media
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
      for (const { call } of room.guests) void call.end('media-lost')
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
      port.sound.play(isMuted ? muted : unmuted, { how: 'over' })
    }
    await call.closed
    room.guests.delete(guest)
    if (room.guests.size > 0) room.mixer.play(went)
    this.#entertain(room)
  }

  /** Music for who is alone, and for nobody else. */
  #entertain({ guests }: Room): void {
    const isAlone = guests.size === 1
    for (const guest of guests) {
      if (!isAlone) {
        guest.alone?.()
        guest.alone = undefined
      } else if (this.#music.length > 0) {
        const failed = (): void => this.#log.warn('the music of a conference cannot be played', { music: this.#music })
        guest.alone ??= guest.port.sound.holdMusic(this.#music, failed)
      }
    }
  }

  async #close(number: string, room: Room): Promise<void> {
    if (this.#rooms.get(number) === room) this.#rooms.delete(number)
    room.mixer.close()
    await room.session.close()
  }
}
