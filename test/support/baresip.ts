/**
 * A baresip (Debian's baresip-core) as an independent phone: WAV file in, WAV file out, driven over its control port.
 *
 * Everything on loopback. Its folder holds its configuration, its log and what it heard.
 */
import { mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { freePort } from './free-port.ts'
import type { InstalledPhone } from './installed-phone.ts'
import { type Program, startProgram } from './program.ts'
import { until } from './until.ts'

export type BaresipCodec = 'PCMU' | 'PCMA' | 'G722' | 'opus' | 'L16' | 'GSM'

/** Its module, and its name, true rate and channels in an account. */
const codecs: Readonly<Record<BaresipCodec, readonly [string, string]>> = {
  PCMU: ['g711', 'PCMU/8000/1'],
  PCMA: ['g711', 'PCMA/8000/1'],
  G722: ['g722', 'G722/16000/1'],
  opus: ['opus', 'opus/48000/2'],
  L16: ['l16', 'L16/16000/1'],
  GSM: ['gsm', 'GSM/8000/1'],
}

export interface BaresipOptions extends InstalledPhone {
  readonly codec: BaresipCodec
  /** SRTP with keys in SDP, offered beside plain RTP, or nothing else; or with keys by DTLS; plain RTP when left out. */
  readonly encryption?: 'srtp' | 'srtp-mand' | 'dtls_srtp'
  /** RTCP on the port of RTP (RFC 5761), where the other side agrees. */
  readonly rtcpMux?: boolean
  /**
   * Extensions whose presence it watches; it publishes its own then, writes to the first, and
   * prints every SIP message: it has no other way to show a text that came.
   */
  readonly contacts?: readonly string[]
}

const modules = '/usr/lib/baresip/modules'
const lifeMs = 120_000

export class Baresip {
  readonly #program: Program
  readonly #folder: string
  readonly #control: Socket
  readonly #domain: string
  /** Types of the events told so far: CALL_RINGING, CALL_ESTABLISHED, CALL_CLOSED, … */
  readonly events: string[] = []
  #reply = ''

  /** Starts it and waits until it has registered. */
  static async start(options: BaresipOptions): Promise<Baresip> {
    const controlPort = await freePort()
    writeConfiguration(options, controlPort)
    const program = startProgram('baresip', [...(options.contacts ? ['-s'] : []), '-f', options.folder], {
      timeoutMs: lifeMs,
    })
    try {
      await until(`baresip ${options.user} to register`, 20_000, () => program.output().includes('200 OK'))
      const control = await openControl(controlPort)
      return new Baresip(program, options, control)
    } catch (error) {
      await program.stop()
      throw new Error(`baresip ${options.user} printed:\n${program.output()}`, { cause: error })
    }
  }

  private constructor(program: Program, options: BaresipOptions, control: Socket) {
    this.#program = program
    this.#folder = options.folder
    this.#domain = options.server.ip
    this.#control = control
    let rest = Buffer.alloc(0)
    control.on('data', (bytes) => {
      rest = Buffer.concat([rest, bytes])
      for (;;) {
        const frame = takeNetstring(rest)
        if (!frame) return
        rest = rest.subarray(frame.length)
        const event = JSON.parse(frame.text) as { event?: boolean; type?: string; data?: string }
        if (event.event && event.type) this.events.push(event.type)
        else if (event.data) this.#reply = event.data
      }
    })
    control.on('error', () => {}) // it is closed under us when baresip ends
  }

  dial(number: string): void {
    this.command('dial', `sip:${number}@${this.#domain}`)
  }

  /** Blind: the other side is sent to that number (REFER). */
  transfer(number: string): void {
    this.command('transfer', `sip:${number}@${this.#domain}`)
  }

  hangUp(): void {
    this.command('hangup')
  }

  async saw(event: string, times = 1, withinMs = 15_000): Promise<void> {
    const seen = () => this.events.filter((one) => one === event).length >= times
    await until(`baresip to tell ${event}`, withinMs, seen).catch((error: unknown) => {
      throw new Error(`it told ${this.events.join(', ') || 'nothing'}, and printed:\n${this.output()}`, {
        cause: error,
      })
    })
  }

  async printed(what: RegExp, withinMs = 15_000): Promise<void> {
    await until(`baresip to print ${what}`, withinMs, () => what.test(this.output())).catch((error: unknown) => {
      throw new Error(this.output(), { cause: error })
    })
  }

  /** Wait until it shows this of its contacts: `Online`, `Offline`, `Busy`. */
  async sees(presence: string, withinMs = 15_000): Promise<void> {
    await until(`baresip to see somebody ${presence}`, withinMs, () => {
      this.command('contacts')
      return this.#reply.includes(presence)
    }).catch((error: unknown) => {
      throw new Error(`it showed ${this.#reply}, and printed:\n${this.output()}`, { cause: error })
    })
  }

  output(): string {
    return this.#program.output()
  }

  /** The WAV file of what it heard; complete once it has stopped. */
  heardWav(): string {
    const folder = join(this.#folder, 'heard')
    const [largest] = readdirSync(folder)
      .filter((name) => name.endsWith('-dec.wav'))
      .map((name) => join(folder, name))
      .sort((a, b) => statSync(b).size - statSync(a).size)
    if (!largest) throw new Error(`baresip heard nothing; it printed:\n${this.output()}`)
    return largest
  }

  /** Let it unregister and close its files. */
  async stop(): Promise<void> {
    if (this.#program.running) this.command('quit')
    await this.#program.ended(2_000)
    this.#control.destroy()
    await this.#program.stop()
  }

  /** A command of baresip: `accept`, `hold`, `resume`, `sndcode` with a digit. */
  command(command: string, params = ''): void {
    const text = JSON.stringify({ command, params, token: command })
    this.#control.write(`${Buffer.byteLength(text)}:${text},`)
  }
}

function openControl(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('connect', () => resolve(socket))
    socket.once('error', reject)
  })
}

/** One `<length>:<text>,` from the front. */
function takeNetstring(bytes: Buffer): { readonly text: string; readonly length: number } | undefined {
  const colon = bytes.indexOf(':')
  if (colon < 0) return undefined
  const size = Number(bytes.toString('latin1', 0, colon))
  const length = colon + size + 2
  return bytes.length < length ? undefined : { text: bytes.toString('utf8', colon + 1, colon + 1 + size), length }
}

function writeConfiguration(options: BaresipOptions, controlPort: number): void {
  const heard = join(options.folder, 'heard')
  mkdirSync(heard, { recursive: true })
  const { user, password, server, transport, codec, encryption, contacts, rtcpMux } = options
  const lines = [
    'poll_method epoll',
    'sip_listen 127.0.0.1:0',
    'call_local_timeout 60',
    'call_max_calls 4',
    `audio_player aubridge,out${controlPort}`,
    `audio_source aufile,${options.sourceWav}`,
    `audio_alert aubridge,alert${controlPort}`,
    'audio_txmode thread',
    'ausrc_srate 8000',
    'auplay_srate 8000',
    'ausrc_channels 1',
    'auplay_channels 1',
    'ausrc_format s16',
    'auplay_format s16',
    'auenc_format s16',
    'audec_format s16',
    'rtp_ports 33000-39998',
    `rtcp_mux ${rtcpMux ? 'yes' : 'no'}`,
    'jitter_buffer_delay 2-10',
    'net_interface 127.0.0.1',
    `ctrl_tcp_listen 127.0.0.1:${controlPort}`,
    `snd_path ${heard}`,
    `module_path ${modules}`,
    ...(options.caFile ? [`sip_cafile ${options.caFile}`] : []),
    ...[
      codecs[codec][0],
      'sndfile',
      'aufile',
      'aubridge',
      'uuid',
      ...(encryption ? [encryption === 'dtls_srtp' ? 'dtls_srtp' : 'srtp'] : []),
    ].map((name) => `module ${name}.so`),
    'module_tmp account.so',
    ...['menu', 'ctrl_tcp', 'debug_cmd', ...(contacts ? ['contact', 'presence'] : [])].map(
      (name) => `module_app ${name}.so`,
    ),
  ]
  writeFileSync(join(options.folder, 'config'), `${lines.join('\n')}\n`)
  const account = [
    `<sip:${user}@${server.ip};transport=${transport}>`,
    `auth_user=${user}`,
    `auth_pass=${password}`,
    `audio_codecs=${codecs[codec][1]}`,
    'regint=60',
    `outbound="sip:${server.ip}:${server.port};transport=${transport}"`,
    ...(encryption ? [`mediaenc=${encryption}`] : []),
    ...(options.autoAnswer ? ['answermode=auto'] : []),
    ...(contacts ? ['pubint=60'] : []),
  ].join(';')
  writeFileSync(join(options.folder, 'accounts'), `${account}\n`)
  const entries = (contacts ?? []).map((number) => `"${number}" <sip:${number}@${server.ip}>;presence=p2p\n`)
  writeFileSync(join(options.folder, 'contacts'), entries.join(''))
}
