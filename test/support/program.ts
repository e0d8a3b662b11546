/**
 * Other programs beside ours: found or not, started with a bound on their time, ended by their own pid.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Where a program is, or undefined. */
export function findProgram(name: string): string | undefined {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // not in this folder
    }
  }
  return undefined
}

/** A test with other programs that takes longer is stuck. */
const testTimeoutMs = 150_000

/**
 * Options of a test that needs programs which may be missing on a developer's machine. In CI (`CI=true`) nothing is
 * skipped: there a missing program is a failure.
 */
export function needs(...programs: readonly string[]): { readonly skip: string | false; readonly timeout: number } {
  const missing = programs.filter((name) => findProgram(name) === undefined)
  const skip = missing.length > 0 && process.env['CI'] !== 'true' && `not installed: ${missing.join(', ')}`
  return { skip, timeout: testTimeoutMs }
}

export interface ProgramOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** The program is killed when it runs longer. */
  readonly timeoutMs: number
  /** It takes what is given to `write`; other programs find the end of their input at once. */
  readonly reads?: boolean
}

/** A program that runs. */
export interface Program {
  readonly pid: number
  /** All it has printed so far, both streams. */
  output(): string
  /** Give it this text to read; nothing once it has ended. */
  write(text: string): void
  /** Exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals>
  readonly running: boolean
  /** Resolves when it has ended by itself, or after so long. */
  ended(withinMs: number): Promise<void>
  /** Ask it to end, insist after 3 s; resolves when it is gone. Twice is fine. */
  stop(signal?: NodeJS.Signals): Promise<void>
}

const insistAfterMs = 3_000

export function startProgram(command: string, args: readonly string[], options: ProgramOptions): Program {
  const child: ChildProcess = spawn(command, args, {
    stdio: [options.reads ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    ...(options.cwd ? { cwd: options.cwd } : {}),
    ...(options.env ? { env: { ...process.env, ...options.env } } : {}),
  })
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (output += text))
  child.stdin?.on('error', () => {}) // it ended before it had read all
  let running = true
  const limit = setTimeout(() => child.kill('SIGKILL'), options.timeoutMs)
  const exited = new Promise<number | NodeJS.Signals>((resolve) => {
    const ended = (how: number | NodeJS.Signals) => {
      running = false
      clearTimeout(limit)
      resolve(how)
    }
    child.once('error', (error) => {
      output += `${error.message}\n`
      ended(127)
    })
    child.once('close', (code, signal) => ended(code ?? signal ?? 1))
  })
  return {
    pid: child.pid ?? 0,
    output: () => output,
    write: (text) => void child.stdin?.write(text),
    exited,
    get running() {
      return running
    },
    async ended(withinMs) {
      const late = new AbortController()
      const patience = sleep(withinMs, undefined, { signal: late.signal }).catch(() => {})
      await Promise.race([exited, patience])
      late.abort()
    },
    async stop(signal = 'SIGTERM') {
      if (!running) return
      child.kill(signal)
      const insist = setTimeout(() => child.kill('SIGKILL'), insistAfterMs)
      await exited
      clearTimeout(insist)
    },
  }
}
