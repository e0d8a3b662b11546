/**
 * Many short calls in a row, and what the server still holds when they are over: nothing may be left of them.
 *
 *   simulated phones  ── INVITE, speech, keys, BYE; busy; given up ─▶  the server as a process  ◀─ read ── here
 *
 * Of twenty calls twelve are plain, two cross from one law of G.711 to the other, one goes to the echo test and one into a
 * conference (sound is decoded, mixed and encoded there), two are busy and two given up. Calls between two phones are
 * recorded, so that files are opened and closed too; the recordings are deleted as they come.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { G711Law } from '../../src/codec/g711.ts'
import { systemClock } from '../../src/core/clock.ts'
import { SimulatedPhone } from '../../src/demo/phone.ts'
import { startServerProcess, type TestExtension, useOf } from '../../test/support/server-process.ts'
import { until } from '../../test/support/until.ts'
import type { Inside } from './inside.ts'

export interface Standing extends Inside {
  readonly residentBytes: number
  /** Sockets, files, pipes. */
  readonly openFiles: number
  readonly liveCalls: number
  readonly threads: number
}

export interface Soaked {
  readonly before: Standing
  readonly after: Standing
  readonly failed: number
  readonly seconds: number
}

export interface Soak {
  readonly calls: number
  /** Calls at a time. */
  readonly together: number
  /** Calls before the first reading: code is compiled, pools are filled. */
  readonly warmUp: number
  readonly progress?: (done: number) => void
}

/** Finished transactions, and RTP ports just freed, are remembered for 32 s (RFC 3261 timers H and J). */
const lingerMs = 36_000
const speechSamples = 1_600
/** V8 would rather take more memory than look for what is free: with a bound, what it takes is what it needs. */
const oldSpaceMb = 320

const extensionOf = (number: string): TestExtension => ({
  number,
  name: number,
  password: `secret-of-extension-${number}`,
  record: true,
})

/** @throws {Error} when the server dies, or a call hangs. */
export async function soak({ calls, together, warmUp, progress = () => {} }: Soak): Promise<Soaked> {
  const callers = Array.from({ length: together }, (_, index) => extensionOf(String(101 + index)))
  const callee = extensionOf('900')
  const busy = extensionOf('901')
  const silent = extensionOf('902')
  const otherLaw = extensionOf('903')
  const inside = pathToFileURL(join(import.meta.dirname, 'inside.ts')).href
  const server = await startServerProcess({
    extensions: [...callers, callee, busy, silent, otherLaw],
    env: { NODE_OPTIONS: `--expose-gc --max-old-space-size=${oldSpaceMb} --import=${inside}`, SOAK_FILE: 'soak.json' },
  })
  const phones: SimulatedPhone[] = []
  const phone = async (
    { number, password }: TestExtension,
    habit: SimulatedPhone['habit'],
    laws: readonly G711Law[] = ['PCMU', 'PCMA'],
  ) => {
    const speech = Int16Array.from({ length: speechSamples }, (_, at) => 8_000 * Math.sin(at / 3))
    const made = await SimulatedPhone.create({
      clock: systemClock,
      server: server.sip,
      extension: number,
      password,
      speech,
      habit,
      laws,
    })
    phones.push(made)
    await made.register()
    return made
  }
  try {
    await phone(callee, 'answer')
    await phone(busy, 'busy')
    await phone(silent, 'ring')
    await phone(otherLaw, 'answer', ['PCMA'])
    const calling = await Promise.all(callers.map((caller) => phone(caller, 'answer', ['PCMU'])))
    let failed = 0
    let done = 0
    const run = async (count: number): Promise<void> => {
      let left = count
      const lane = async (from: SimulatedPhone): Promise<void> => {
        while (left > 0) {
          left--
          const went = await oneCall(from, left)
          if (!server.running) throw new Error(`the server ended; it printed:\n${server.output()}`)
          if (!went) failed++
          done++
          if (done % 100 === 0) progress(done)
        }
      }
      await Promise.all(calling.map(lane))
      await settled()
    }
    const settled = async (): Promise<void> => {
      await until('all calls to be over', 30_000, async () => (await server.api.liveCalls()).items.length === 0)
      await new Promise((resolve) => setTimeout(resolve, lingerMs))
      for (const name of readdirSync(server.recordingDir).filter((each) => each !== 'unfinished'))
        rmSync(join(server.recordingDir, name))
    }
    const standing = async (): Promise<Standing> => {
      const file = join(server.folder, 'soak.json')
      rmSync(file, { force: true })
      process.kill(server.pid, 'SIGUSR2')
      let read: Inside | undefined
      await until('the server to say what it holds', 10_000, () => {
        read = readInside(file)
        return read !== undefined
      })
      if (!read) throw new Error('the server said nothing')
      const { residentBytes, openFiles } = useOf(server.pid)
      const liveCalls = (await server.api.liveCalls()).items.length
      const threads = readdirSync(`/proc/${server.pid}/task`).length
      return { ...read, residentBytes, openFiles, liveCalls, threads }
    }
    await run(warmUp)
    const before = await standing()
    failed = 0
    done = 0
    const begunAt = performance.now()
    await run(calls)
    const seconds = (performance.now() - begunAt - lingerMs) / 1000
    return { before, after: await standing(), failed, seconds }
  } finally {
    await Promise.all(phones.map((each) => each.close()))
    await server.remove()
  }
}

function readInside(file: string): Inside | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Inside
  } catch {
    return undefined
  }
}

/** Who is called in which turn of twenty; `900` in all others. */
const called: Readonly<Record<number, string>> = {
  3: '*43',
  5: '903',
  8: '901',
  9: '902',
  13: '*61',
  15: '903',
  18: '901',
  19: '902',
}

/** True when it went as it should. */
async function oneCall(from: SimulatedPhone, turn: number): Promise<boolean> {
  const number = called[turn % 20] ?? '900'
  if (number === '901') {
    const outcome = await from.call(number).outcome
    return !outcome.answered && outcome.status === 486
  }
  if (number === '902') {
    const given = from.call(number)
    await given.ringing
    given.cancel()
    const outcome = await given.outcome
    return !outcome.answered && outcome.status === 487
  }
  const outcome = await from.call(number).outcome
  if (!outcome.answered) return false
  await until('the phone to have spoken', 10_000, () => outcome.call.spoken, 10)
  if (turn % 10 === 7) await outcome.call.press('5')
  await outcome.call.hangUp()
  return true
}
