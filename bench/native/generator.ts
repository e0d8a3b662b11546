/**
 * The generator as a child process: bench/native/load.c, or load.ts where there is no C compiler.
 *
 *   bench  ── streams ─▶  here  ── stdin ─▶  load  ── RTP ─▶  what is measured  ── RTP ─▶  load
 *          ◀─ port, then what was sent and came back ──
 */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { pinned } from '../isolate.ts'
import { buildTool } from './build.ts'

export interface LoadStream {
  readonly ip: string
  readonly port: number
  readonly ssrc: number
  readonly sequence: number
  readonly timestamp: number
}

export interface LoadReport {
  readonly sent: number
  readonly lateP99Ms: number
  readonly lateMaxMs: number
  /** Packets that came back. */
  readonly returned: number
  /** How long they were on their way; 0 unless `stamp`. */
  readonly delayP50Ms: number
  readonly delayP99Ms: number
  readonly delayMaxMs: number
}

export interface GeneratorOptions {
  readonly seconds: number
  /** Put the moment of sending into each packet. */
  readonly stamp?: boolean
  /** Delays of what is sent before are left out, s. */
  readonly settle?: number
  /** Put packets on the interface from outside the IP stack (isolate.ts). */
  readonly raw?: boolean
}

export class Generator {
  /** Where it sends from, and takes what comes back, on 127.0.0.1. */
  readonly port: number
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: AsyncIterator<string>

  private constructor(
    child: ChildProcessByStdio<Writable, Readable, null>,
    lines: AsyncIterator<string>,
    port: number,
  ) {
    this.#child = child
    this.#lines = lines
    this.port = port
  }

  static async start({ seconds, stamp = false, settle = 0, raw = false }: GeneratorOptions): Promise<Generator> {
    const program = buildTool('load')
    const command = program ? [program] : [process.execPath, ...process.execArgv, join(import.meta.dirname, 'load.ts')]
    const [file = '', ...args] = pinned(1, command)
    const options = [
      '--seconds',
      String(seconds),
      ...(stamp ? ['--stamp', '--settle', String(settle)] : []),
      ...(raw ? ['--raw'] : []),
    ]
    const child = spawn(file, [...args, ...options], { stdio: ['pipe', 'pipe', 'inherit'] })
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
    const { port } = await said<{ port: number }>(lines)
    return new Generator(child, lines, port)
  }

  /** Send all packets of these streams, and wait half a second for what is still on its way. */
  async send(streams: readonly LoadStream[]): Promise<LoadReport> {
    const lines = streams.map(({ ip, port, ssrc, sequence, timestamp }) =>
      [ip, port, ssrc, sequence, timestamp].join(' '),
    )
    this.#child.stdin.end(`${lines.join('\n')}\n\n`)
    return said<LoadReport>(this.#lines)
  }

  kill(): void {
    this.#child.kill('SIGKILL')
  }
}

/** The next line of a child, which is JSON. */
export async function said<Said>(lines: AsyncIterator<string>): Promise<Said> {
  const { value, done } = await lines.next()
  if (done) throw new Error('the program ended without a word')
  return JSON.parse(value) as Said
}
