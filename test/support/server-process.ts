/**
 * The real server as a child process on free loopback ports, with a folder of its own.
 *
 * Its settings come the way a user gives them: environment and a patchbay.yaml with the extensions.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ApiClient } from '../../src/demo/api-client.ts'
import { freePort } from './free-port.ts'
import { type Program, startProgram } from './program.ts'
import { until } from './until.ts'

const entry = join(import.meta.dirname, '..', '..', 'bin', 'patchbay.js')
export const adminPassword = 'admin-for-tests-only'

export interface TestExtension {
  readonly number: string
  readonly name: string
  readonly password: string
  readonly ringSeconds?: number
  readonly record?: boolean
}

export interface ServerOptions {
  readonly extensions?: readonly TestExtension[]
  /** As in patchbay.yaml; looked at only with `extensions`. */
  readonly trunks?: readonly object[]
  readonly recordingServers?: readonly object[]
  /** More environment: `{ RTP_TIMEOUT: '5s' }`. */
  readonly env?: Readonly<Record<string, string>>
  /** An existing folder: a restart of a server that was here before. A new temporary one unless given. */
  readonly folder?: string
}

export interface ServerProcess {
  readonly pid: number
  readonly folder: string
  readonly recordingDir: string
  /** Where SIP is spoken, UDP and TCP. */
  readonly sip: { readonly ip: string; readonly port: number }
  /** Where SIP is spoken over TLS; undefined unless ENABLE_TLS is true. */
  readonly sipTls: { readonly ip: string; readonly port: number } | undefined
  /** Signed in as admin. */
  readonly api: ApiClient
  output(): string
  readonly running: boolean
  /** SIGTERM, the clean stop. */
  stop(): Promise<void>
  /** SIGKILL: no goodbye. */
  kill(): Promise<void>
  /** Stop it and remove its folder. */
  remove(): Promise<void>
}

const startWithinMs = 60_000
const lifeMs = 15 * 60_000

/** RTP ranges of servers that run at the same time must differ; below the host's ephemeral ports (32768 on Linux). */
let nextRange = (process.pid % 10) * 1000
function rtpRange(): { readonly min: number; readonly max: number } {
  const min = 20_000 + nextRange
  nextRange = (nextRange + 1000) % 12_000
  return { min, max: min + 999 }
}

export async function startServerProcess(options: ServerOptions = {}): Promise<ServerProcess> {
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'patchbay-test-'))
  const recordingDir = join(folder, 'recordings')
  mkdirSync(recordingDir, { recursive: true })
  const configFile = join(folder, 'patchbay.yaml')
  // JSON is YAML.
  const { extensions, trunks, recordingServers } = options
  if (extensions) writeFileSync(configFile, JSON.stringify({ extensions, trunks, recordingServers }))
  else if (!options.folder) writeFileSync(configFile, '{}')
  const httpPort = await freePort()
  const rtp = rtpRange()
  const program = startProgram(process.execPath, ['--disable-warning=ExperimentalWarning', entry, 'serve'], {
    cwd: folder,
    timeoutMs: lifeMs,
    env: {
      CONFIG_FILE: configFile,
      SIP_HOST: '127.0.0.1',
      PORTS: '0',
      HTTP_HOST: '127.0.0.1',
      HTTP_PORT: String(httpPort),
      RTP_PORT_MIN: String(rtp.min),
      RTP_PORT_MAX: String(rtp.max),
      RECORDING_DIR: recordingDir,
      DATA_DIR: join(folder, 'data'),
      PATCHBAY_ADMIN_PASSWORD: adminPassword,
      LOG_LEVEL: 'warn',
      // A machine that runs many tests at once is late, and refuses calls that a test needs.
      SIP_OVERLOAD_LAG: '0',
      // One extension makes the calls of many.
      SECURITY_CALLS_AT_A_TIME: '0',
      SECURITY_CALLS_PER_SECOND: '0',
      ...options.env,
    },
  })
  const api = new ApiClient(`http://127.0.0.1:${httpPort}`)
  const { sip, sipTls } = await ready(program, api)
  return {
    pid: program.pid,
    folder,
    recordingDir,
    sip,
    sipTls,
    api,
    output: () => program.output(),
    get running() {
      return program.running
    },
    stop: () => program.stop('SIGTERM'),
    kill: () => program.stop('SIGKILL'),
    async remove() {
      await program.stop('SIGTERM')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function ready(program: Program, api: ApiClient): Promise<Pick<ServerProcess, 'sip' | 'sipTls'>> {
  try {
    await until('the server to be ready', startWithinMs, async () => {
      if (!program.running) throw new Error('the server ended')
      return fetch(`${api.url}/health/ready`).then(
        (response) => response.ok,
        () => false,
      )
    })
    await api.signIn('admin', adminPassword)
    const { listeners } = (await api.status()).sip
    const sip = listeners.find(({ transport }) => transport === 'udp')
    if (!sip) throw new Error('the server speaks no SIP over UDP')
    return { sip, sipTls: listeners.find(({ transport }) => transport === 'tls') }
  } catch (error) {
    await program.stop('SIGKILL')
    throw new Error(`the server did not start; it printed:\n${program.output()}`, { cause: error })
  }
}

/** What the kernel counts for a process. */
export interface ProcessUse {
  /** User and system time. */
  readonly cpuMs: number
  readonly residentBytes: number
  readonly openFiles: number
}

/** Read from /proc; Linux only. */
export function useOf(pid: number): ProcessUse {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
  // Fields after the command name in parentheses; utime and stime are the 14th and 15th of the line, in ticks of 10 ms.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return {
    cpuMs: (Number(fields[11]) + Number(fields[12])) * 10,
    residentBytes: Number(fields[21]) * 4096,
    openFiles: readdirSync(`/proc/${pid}/fd`).length,
  }
}
