/**
 * The echo test: a word of what it is, a tone, and then the caller hears itself. Whoever hears that has a working
 * connection, both ways. `#` ends it.
 *
 *   dialplan ── HouseCall ─▶ here
 */
import type { HouseCall } from '../call/house-call.ts'
import type { Tone } from '../codec/tone.ts'
import type { Clock } from '../core/clock.ts'
import type { MediaPlane } from '../media/types.ts'
import type { Speak } from './speech.ts'

/** Nobody tests for longer. */
const longestMs = 300_000

const signal: Tone = { parts: [{ frequencyHz: 880, levelDbm0: -15 }] }

/** Resolves when the call is over. */
export async function echoTest(call: HouseCall, media: MediaPlane, clock: Clock, speak: Speak): Promise<void> {
  const saying = speak('echo-test')
  const session = media.openSession(call.id)
  session.on('lost', () => void call.end('failed'))
  try {
    const port = await call.answer(session)
    if (!port) return
    const limit = clock.after(longestMs, () => void call.end('hangup'))
    call.onDigit = (digit) => {
      if (digit === '#') void call.end('hangup')
    }
    port.sound.echo()
    port.sound.play([{ silenceMs: 300 }, ...(await saying), { tone: signal, durationMs: 200 }])
    await call.closed
    limit.cancel()
  } finally {
    await session.close()
  }
}
