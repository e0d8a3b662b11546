/** The real server in this process, on free loopback ports and in a temporary folder, with its phones. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/core/clock.ts'
import { loadSettings } from '../../src/core/settings/load.ts'
import type { Settings } from '../../src/core/settings/schema.ts'
import { ApiClient } from '../../src/demo/api-client.ts'
import { type PhoneOptions, SimulatedPhone } from '../../src/demo/phone.ts'
import type { PhoneCall } from '../../src/demo/phone-call.ts'
import { type RunningServer, startServer } from '../../src/main.ts'
import { until } from './until.ts'

const adminPassword = 'admin-for-tests-only'

export interface TestServer {
  readonly running: RunningServer
  readonly api: ApiClient
  readonly folder: string
  readonly recordingDir: string
  readonly sip: { readonly ip: string; readonly port: number }
  readonly settings: Settings
  /** Of this extension, which is made when it is new. */
  passwordOf(extension: string): Promise<string>
  /** A registered phone of this extension, which is made when it is new. */
  phone(extension: string, more?: Partial<PhoneOptions>): Promise<SimulatedPhone>
  /** Stop the server, close its phones, remove its folder. */
  close(): Promise<void>
}

let nextRtpPort = 13_000

export async function startTestServer(overrides: Readonly<Record<string, unknown>> = {}): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-calls-'))
  const recordingDir = join(folder, 'recordings')
  const rtpPort = nextRtpPort
  nextRtpPort += 200
  const loaded = loadSettings({
    env: {},
    overrides: {
      'sip.host': '127.0.0.1',
      'sip.ports': [0],
      'http.port': 0,
      'http.adminPassword': adminPassword,
      'rtp.portMin': rtpPort,
      'rtp.portMax': rtpPort + 199,
      'rtp.workers': 1,
      'recording.dir': recordingDir,
      'data.dir': join(folder, 'data'),
      'log.level': 'silent',
      // A machine that runs many tests at once is late, and refuses calls that a test needs.
      'sip.overloadLag': 0,
      ...overrides,
    },
  })
  const passwords = new Map<string, string>()
  const phones: SimulatedPhone[] = []
  const running = await startServer({ loaded })
  const listener = running.sip.find(({ transport }) => transport === 'udp')
  if (!listener) throw new Error('the server speaks no SIP over UDP')
  const sip = { ip: listener.ip, port: listener.port }
  const api = new ApiClient(running.url)
  await api.signIn('admin', adminPassword)

  async function passwordOf(number: string): Promise<string> {
    const known = passwords.get(number)
    if (known) return known
    const { password } = await api.addExtension({ number })
    if (!password) throw new Error('the server made no password')
    passwords.set(number, password)
    return password
  }

  return {
    running,
    api,
    folder,
    recordingDir,
    sip,
    settings: loaded.settings,
    passwordOf,
    async phone(extension, more = {}) {
      const password = more.password ?? (await passwordOf(extension))
      const speech = new Int16Array(160)
      const phone = await SimulatedPhone.create({
        clock: systemClock,
        server: sip,
        extension,
        password,
        speech,
        ...more,
      })
      phones.push(phone)
      await phone.register()
      return phone
    },
    async close() {
      await Promise.all(phones.map((phone) => phone.close()))
      await running.stop()
      await rm(folder, { recursive: true })
    },
  }
}

/** Place a call and wait until both phones have it: the caller's side, the callee's side. */
export async function connect(
  caller: SimulatedPhone,
  callee: SimulatedPhone,
  number: string,
): Promise<[PhoneCall, PhoneCall]> {
  const answered = callee.nextCall()
  const outcome = await caller.call(number).outcome
  if (!outcome.answered) throw new Error(`the call was answered ${outcome.status} ${outcome.reason}`)
  return [outcome.call, await answered]
}

/** Wait until each has said all its speech. */
export const untilSpoken = (...calls: readonly PhoneCall[]): Promise<unknown> =>
  until('the phones to have spoken', 20_000, () => calls.every(({ spoken }) => spoken), 20)
