/**
 * sipp (Debian's sip-tester, 3.6.1: no SHA-256 digest) run over one scenario, with its counts.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freeSipPort } from './free-port.ts'
import { type Program, startProgram } from './program.ts'

export interface SippOptions {
  /** The scenario's XML: see sipp-scenarios.ts and sipp-flows.ts. */
  readonly scenario?: string
  /** The name of one of sipp's own instead. */
  readonly builtIn?: string
  /** `127.0.0.1:5060`; a server (uas) needs none. */
  readonly target?: string
  readonly transport?: 'udp' | 'tcp'
  /** Calls in all; a uas without it runs until stopped. */
  readonly calls?: number
  /** Calls a second. */
  readonly rate?: number
  /** Calls at a time. */
  readonly limit?: number
  /** Local address; 127.0.0.1 unless given. */
  readonly ip?: string
  /** Local port; a free one unless given. */
  readonly port?: number
  /** Length of `<pause/>`. */
  readonly holdMs?: number
  /** Files put into the folder it runs in: captures to play. Name to content. */
  readonly files?: Readonly<Record<string, Uint8Array>>
  /** More arguments: `-s 102 -au 101 -ap secret`. */
  readonly args?: readonly string[]
  readonly timeoutMs: number
}

/** What sipp counted. */
export interface SippResult {
  readonly exit: number | NodeJS.Signals
  readonly successful: number
  readonly failed: number
  /** Messages sent again and messages that came again, of all kinds. */
  readonly retransmissions: number
  /** Messages it did not expect, and other errors, as it wrote them: the first ones. */
  readonly errors: string
  /** Times of the scenario's timers in ms, in order of their end: `times(1)` for `start_rtd="1"`. */
  times(timer: number): readonly number[]
}

export interface Sipp {
  readonly program: Program
  readonly port: number
  /** What it printed and counted, once it has ended. */
  readonly result: Promise<SippResult>
}

export async function startSipp(options: SippOptions): Promise<Sipp> {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-sipp-'))
  if (options.scenario !== undefined) writeFileSync(join(folder, 'scenario.xml'), options.scenario)
  for (const [name, content] of Object.entries(options.files ?? {})) writeFileSync(join(folder, name), content)
  const { ip = '127.0.0.1' } = options
  const port = options.port ?? (await freeSipPort(ip))
  const args = [
    ...(options.target ? [options.target] : []),
    ...(options.builtIn === undefined ? ['-sf', 'scenario.xml'] : ['-sn', options.builtIn]),
    ...`-i ${ip} -p ${port} -t ${options.transport === 'tcp' ? 't1' : 'u1'} -nostdin`.split(' '),
    ...'-trace_stat -fd 1 -stf stat.csv -trace_err -error_file errors.log'.split(' '),
    ...'-trace_counts -trace_rtt -rtt_freq 1'.split(' '),
    // sipp's own complaint that the machine is slow is no fault of a call.
    ...'-watchdog_interval 0'.split(' '),
    ...flag('-m', options.calls),
    ...flag('-r', options.rate),
    ...flag('-l', options.limit),
    ...flag('-d', options.holdMs),
    ...(options.args ?? []),
  ]
  const program = startProgram('sipp', args, { cwd: folder, timeoutMs: options.timeoutMs })
  const result = program.exited.then((exit) => {
    const counted = readResult(folder, exit, program.output())
    rmSync(folder, { recursive: true, force: true })
    return counted
  })
  return { program, port, result }
}

export async function runSipp(options: SippOptions): Promise<SippResult> {
  const { result } = await startSipp(options)
  return result
}

const flag = (name: string, value: number | undefined): string[] => (value === undefined ? [] : [name, String(value)])

function readResult(folder: string, exit: number | NodeJS.Signals, printed: string): SippResult {
  const read = (name: string) => {
    try {
      return readFileSync(join(folder, name), 'utf8')
    } catch {
      return ''
    }
  }
  const [header = '', ...rows] = read('stat.csv').trim().split('\n')
  const columns = header.split(';')
  const last = (rows.at(-1) ?? '').split(';')
  const count = (column: string) => Number(last[columns.indexOf(column)] ?? Number.NaN)
  const written = (ending: string) => readdirSync(folder).find((name) => name.endsWith(ending)) ?? ending
  const times = read(written('_rtt.csv'))
    .split('\n')
    .map((line) => line.split(';'))
    .map(([, ms, timer]) => ({ ms: Number(ms), timer: Number(timer) }))
  return {
    exit,
    successful: count('SuccessfulCall(C)'),
    failed: count('FailedCall(C)'),
    retransmissions: retransmissions(read(written('_counts.csv'))),
    errors: read('errors.log').slice(0, 1_000) || (exit === 0 ? '' : printed.slice(-1_000)),
    times: (timer) => times.filter((row) => row.timer === timer).map(({ ms }) => ms),
  }
}

/** The counts of each message of the scenario stand in columns: `0_INVITE_Sent;0_INVITE_Retrans;…`. */
function retransmissions(counts: string): number {
  const [header = '', ...rows] = counts.trim().split('\n')
  const last = (rows.at(-1) ?? '').split(';')
  return header
    .split(';')
    .map((column, index) => (column.endsWith('_Retrans') ? Number(last[index]) : 0))
    .reduce((sum, one) => sum + one, 0)
}
