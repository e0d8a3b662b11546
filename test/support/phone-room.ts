/**
 * A server and phones of other makes, each an extension with a voice of its own: 101 speaks as `caller`, 102 as
 * `callee`, 103 as `customer`. A phone stops with the test that started it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Call, RecordingFile, TracedMessage } from '../../src/api/schemas/index.ts'
import type { SpeechName } from '../../src/demo/speech.ts'
import { TestAuthority } from '../../src/net/test-support.ts'
import { Baresip, type BaresipOptions } from './baresip.ts'
import { Linphone, type LinphoneOptions } from './linphone.ts'
import { extensionsFrom101 } from './phones.ts'
import { type ServerOptions, type ServerProcess, startServerProcess } from './server-process.ts'
import { speechWav } from './speech-wav.ts'
import { until } from './until.ts'

/** Let phones talk for a while. */
export const talk = (ms = 2_500): Promise<void> => sleep(ms)

/** linphonec plays and records by a clock of its own and evens out the volume: its sound is so much like what was said. */
export const alike = { minScore: 0.8 }

const voices: readonly SpeechName[] = ['caller', 'callee', 'customer']

/** Where a phone registers and how; by UDP at the server unless told otherwise. */
export interface PhoneWish {
  readonly transport?: 'udp' | 'tcp' | 'tls'
  /** A proxy in front of the server. */
  readonly server?: { readonly ip: string; readonly port: number }
  readonly autoAnswer?: boolean
}

export class PhoneRoom {
  readonly server: ServerProcess
  readonly #folder: string
  readonly #voices: ReadonlyMap<string, Int16Array>
  #started = 0

  /** The server's certificate, in PEM. */
  readonly certificate: string

  /** @param options Besides the three extensions; TLS is listened for. */
  static async open(options: Omit<ServerOptions, 'extensions'> = {}): Promise<PhoneRoom> {
    const folder = mkdtempSync(join(tmpdir(), 'patchbay-room-'))
    const extensions = extensionsFrom101(voices.length)
    const said = new Map<string, Int16Array>()
    for (const [index, voice] of voices.entries()) {
      const { number } = extensions[index] ?? { number: '' }
      said.set(number, await speechWav(join(folder, `${number}.wav`), voice))
    }
    const authority = new TestAuthority()
    const { cert, key } = authority.issue('127.0.0.1')
    const pem = (name: string) => join(folder, `${name}.pem`)
    for (const [name, text] of Object.entries({ ca: authority.cert, cert, key })) writeFileSync(pem(name), text)
    const tls = { ENABLE_TLS: 'true', TLS_PORT: '0', TLS_CERT_PATH: pem('cert'), TLS_KEY_PATH: pem('key') }
    const server = await startServerProcess({ ...options, extensions, env: { ...tls, ...options.env } })
    return new PhoneRoom(server, folder, said, cert)
  }

  private constructor(
    server: ServerProcess,
    folder: string,
    said: ReadonlyMap<string, Int16Array>,
    certificate: string,
  ) {
    this.server = server
    this.certificate = certificate
    this.#folder = folder
    this.#voices = said
  }

  /** All that this extension's phone says, from the beginning of its call. */
  said(number: string): Int16Array {
    const samples = this.#voices.get(number)
    if (!samples) throw new Error(`nobody is ${number}`)
    return samples
  }

  async baresip(t: TestContext, number: string, wish: PhoneWish & Partial<BaresipOptions> = {}): Promise<Baresip> {
    const phone = await Baresip.start({ codec: 'PCMU', ...this.#options(number, wish) })
    t.after(() => phone.stop())
    return phone
  }

  async linphone(t: TestContext, number: string, wish: PhoneWish & Partial<LinphoneOptions> = {}): Promise<Linphone> {
    const phone = await Linphone.start(this.#options(number, wish))
    t.after(() => phone.stop())
    return phone
  }

  /** The newest call, once no call lives any more and it has been written down. */
  async ended(): Promise<Call> {
    const { api } = this.server
    return until('the calls to be over', 15_000, async () => {
      if ((await api.liveCalls()).items.length > 0) return false
      const [newest] = (await api.calls({ limit: 1 })).items
      return newest?.endedAtMs !== undefined && newest
    })
  }

  /** The files of a call that is over, once they are stored. */
  async recorded(call: Call): Promise<readonly RecordingFile[]> {
    const { api } = this.server
    return until('its recording to be stored', 15_000, async () => {
      const { items } = await api.calls({ limit: 10 })
      const recording = items.find(({ id }) => id === call.id)?.recordings[0]
      return recording?.state === 'stored' && recording.files
    })
  }

  /** The SIP messages of a call that is over, those received and those sent. */
  async messages(call: Call): Promise<readonly TracedMessage[]> {
    const { api } = this.server
    // They are written a moment after the call.
    return until('its messages', 10_000, async () => {
      const { items } = await api.messages(call.id)
      return items.length > 0 && items
    })
  }

  async close(): Promise<void> {
    await this.server.remove()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #options(number: string, wish: PhoneWish) {
    const transport = wish.transport ?? 'udp'
    const { sip, sipTls } = this.server
    if (!sipTls) throw new Error('no TLS')
    this.#started += 1
    return {
      folder: join(this.#folder, `${number}-${this.#started}`),
      user: number,
      password: `password-of-${number}`,
      server: transport === 'tls' ? sipTls : sip,
      sourceWav: join(this.#folder, `${number}.wav`),
      ...wish,
      transport,
      caFile: join(this.#folder, 'ca.pem'),
    }
  }
}
