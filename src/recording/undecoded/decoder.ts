/**
 * A decoder that is a program of its own: frames in at its stdin, 16-bit samples out at its stdout.
 *
 *   decode-leg.ts  ── frames ─▶  child process, started without a shell  ── samples ─▶  decode-leg.ts
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Clock } from '../../core/clock.ts'
import { RecordingError } from '../failures.ts'

export interface DecoderRun {
  /** The program and its arguments. */
  readonly command: readonly string[]
  readonly input: Iterable<Uint8Array>
  /** Told the samples as they come; the next are read when it resolves. */
  readonly output: (samples: Buffer) => Promise<void>
  readonly clock: Clock
  /** It is killed when it takes longer. */
  readonly limitMs: number
}

/** Of what it complains of, for the log. */
const mostComplaint = 500

/** What a program needs to run. It reads what strangers sent: of our secrets, which may stand in the environment, it gets none. */
const harmlessNames = new Set(['PATH', 'HOME', 'TMPDIR', 'LANG', 'LC_ALL', 'LD_LIBRARY_PATH', 'SystemRoot'])
const harmless = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv =>
  Object.fromEntries(Object.entries(env).filter(([name]) => harmlessNames.has(name)))

/** @throws {RecordingError} `recording.decoder-failed`, its cause with what the program said. */
export async function runDecoder({ command, input, output, clock, limitMs }: DecoderRun): Promise<void> {
  const [program = '', ...args] = command
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'], shell: false, env: harmless(process.env) })
  let complaint = ''
  child.stderr.on('data', (bytes: Buffer) => {
    complaint = (complaint + bytes.toString('latin1')).slice(-mostComplaint)
  })
  const timer = clock.after(limitMs, () => {
    complaint = `it took longer than ${limitMs / 1000} s`
    child.kill('SIGKILL')
  })
  // Rejects when the program cannot be started at all.
  const exited = once(child, 'close') as Promise<[number | null]>
  exited.catch(() => undefined)
  try {
    // A decoder that ends early is told by its exit, not by the broken pipe.
    const fed = pipeline(Readable.from(input), child.stdin).catch(() => undefined)
    for await (const bytes of child.stdout) await output(bytes as Buffer)
    await fed
    const [code] = await exited
    if (code !== 0) throw new Error(`${program} ended with ${code}: ${complaint}`)
  } catch (error) {
    child.kill('SIGKILL')
    throw new RecordingError('recording.decoder-failed', { cause: error })
  } finally {
    timer.cancel()
  }
}
