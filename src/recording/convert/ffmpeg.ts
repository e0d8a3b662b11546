/**
 * ffmpeg as a child process: sound in by standard input, sound out by standard output, no file and no shell between.
 *
 * It runs at low priority, is told nothing but what it is to do, and ends with its signal.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { constants, setPriority } from 'node:os'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { promisify } from 'node:util'

/** What it says when it fails: the end of it. */
const mostWords = 400

export class FfmpegError extends Error {
  override readonly name = 'FfmpegError'
}

/** Its version; undefined when it is not installed or cannot be run. */
export async function ffmpegVersion(path: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(path, ['-hide_banner', '-version'], { timeout: 10_000 })
    return /^ffmpeg version (\S+)/.exec(stdout)?.[1] ?? 'of unknown version'
  } catch {
    return undefined
  }
}

export interface Run {
  readonly path: string
  /** Of the input, the codec, the output; `pipe:0` and `pipe:1` are its ends. */
  readonly args: readonly string[]
  readonly input: Readable
  /** Waited for, so that a slow disk slows it down. */
  readonly output: (bytes: Buffer) => void | Promise<void>
  readonly signal: AbortSignal
}

/** @throws {FfmpegError} with its own words, and what reading the input or writing the output throws. */
export async function runFfmpeg({ path, args, input, output, signal }: Run): Promise<void> {
  const fixed = ['-hide_banner', '-nostdin', '-loglevel', 'error', '-protocol_whitelist', 'pipe']
  const child = spawn(path, [...fixed, ...args, 'pipe:1'], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { PATH: process.env['PATH'] },
    signal,
    killSignal: 'SIGKILL',
  })
  if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW)
  let words = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (words = (words + text).slice(-mostWords)))
  // Listened to from the beginning: a program that is not there ends before anything is read.
  const ended = once(child, 'close').then(
    ([status]) => ({ status: status as number | null }),
    (error: unknown) => ({ error }),
  )
  // One that ends early closes its input; its status says more than the broken pipe.
  const fed = pipeline(input, child.stdin).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error,
  )
  try {
    for await (const bytes of child.stdout as AsyncIterable<Buffer>) await output(bytes)
    const end = await ended
    const fault = await fed
    signal.throwIfAborted()
    if ('error' in end) throw end.error
    if (end.status !== 0) throw new FfmpegError(`ffmpeg failed: ${words.trim().split('\n').at(-1) ?? ''}`)
    if (fault) throw fault
  } finally {
    input.destroy()
    child.kill('SIGKILL')
    await ended
  }
}
