/**
 * A linphonec (Debian's linphone-cli) as an independent phone: WAV file in, WAV file out, driven by its command line.
 *
 * Everything on loopback. Its folder holds its configuration, its log (every SIP message) and what it heard.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { InstalledPhone } from './installed-phone.ts'
import { type Program, startProgram } from './program.ts'
import { until } from './until.ts'

export interface LinphoneOptions extends InstalledPhone {
  /** How it sends digits: by SIP INFO, or by that and as telephone-events; as telephone-events when left out. */
  readonly digits?: 'info' | 'both'
}

const lifeMs = 120_000
/** linphonec turns its event loop only when it reads a line: blank ones keep it going. */
const pumpEveryMs = 50
/** What it asks of a line of its own: the prompt. */
const prompt = /^(?:linphonec> )+/gm

export class Linphone {
  readonly #program: Program
  readonly #folder: string
  readonly #domain: string
  readonly #pump: NodeJS.Timeout

  /** Starts it and waits until it has registered. */
  static async start(options: LinphoneOptions): Promise<Linphone> {
    writeConfiguration(options)
    const args = [...(options.autoAnswer ? ['-a'] : []), ...'-d 6 -l log -c rc'.split(' ')]
    const program = startProgram('linphonec', args, {
      cwd: options.folder,
      env: { HOME: options.folder },
      timeoutMs: lifeMs,
      reads: true,
    })
    const phone = new Linphone(program, options)
    try {
      await phone.saw('RegistrationOk', 1, 20_000)
    } catch (error) {
      await phone.stop()
      throw error
    }
    phone.command('soundcard use files')
    phone.command(`play ${options.sourceWav}`)
    phone.command(`record ${phone.heardWav()}`)
    return phone
  }

  private constructor(program: Program, { folder, server }: InstalledPhone) {
    this.#program = program
    this.#folder = folder
    this.#domain = server.ip
    this.#pump = setInterval(() => program.write('\n'), pumpEveryMs)
  }

  dial(number: string): void {
    this.command(`call sip:${number}@${this.#domain}`)
  }

  /** Blind: the other side is sent to that number (REFER). */
  transfer(number: string): void {
    this.command(`transfer sip:${number}@${this.#domain}`)
  }

  /** A text message (RFC 3428). */
  message(number: string, text: string): void {
    this.command(`chat sip:${number}@${this.#domain} ${text}`)
  }

  /** A command of linphonec: `answer`, `pause`, `resume 2`, `terminate`; a digit is sent as a tone. */
  command(line: string): void {
    this.#program.write(`${line}\n`)
  }

  /**
   * Wait until a call, or its registration, has been in this state so many times: `CallConnected`, `CallPaused`,
   * `CallUpdating`, `CallReleased`.
   */
  async saw(state: string, times = 1, withinMs = 15_000): Promise<void> {
    const seen = () => this.states().filter((one) => one === state).length >= times
    await until(`linphonec to be in ${state}`, withinMs, seen).catch((error: unknown) => {
      const log = this.log().slice(-20_000)
      throw new Error(`it went through ${this.states().join(', ')}, and wrote:\n${this.output()}\n${log}`, {
        cause: error,
      })
    })
  }

  /** All states its calls and its registration went through. */
  states(): string[] {
    return [...this.log().matchAll(/(?:moving|moves) from state \S+ to (?:state )?\[?Linphone(\w+)/g)].map(
      ([, name]) => name ?? '',
    )
  }

  /** Wait until it has printed this. */
  async printed(what: RegExp, withinMs = 15_000): Promise<void> {
    await until(`linphonec to print ${what}`, withinMs, () => what.test(this.output())).catch((error: unknown) => {
      throw new Error(`linphonec printed:\n${this.output()}`, { cause: error })
    })
  }

  /** What it printed, without its prompts. */
  output(): string {
    return this.#program.output().replaceAll(prompt, '').replaceAll(/\n+/g, '\n')
  }

  /** Its log: each SIP message among others. */
  log(): string {
    const path = join(this.#folder, 'log')
    return existsSync(path) ? readFileSync(path, 'utf8') : ''
  }

  /** The WAV file of what it heard; complete once it has stopped. */
  heardWav(): string {
    return join(this.#folder, 'heard.wav')
  }

  /** Let it unregister and close its files. */
  async stop(): Promise<void> {
    this.command('quit')
    await this.#program.ended(2_000)
    clearInterval(this.#pump)
    await this.#program.stop()
  }
}

function writeConfiguration(options: LinphoneOptions): void {
  const { folder, user, password, server, transport, digits } = options
  for (const made of ['.local/share/linphone', '.config/linphone']) mkdirSync(join(folder, made), { recursive: true })
  // -1 takes a free port, 0 none.
  const ports = { udp: 0, tcp: 0, tls: 0, [transport]: -1 }
  const lines = [
    '[sip]',
    `sip_port=${ports.udp}`,
    `sip_tcp_port=${ports.tcp}`,
    `sip_tls_port=${ports.tls}`,
    'bind_address=127.0.0.1',
    'use_ipv6=0',
    'guess_hostname=0',
    'default_proxy=0',
    `use_info=${digits ? 1 : 0}`,
    `use_rfc2833=${digits === 'info' ? 0 : 1}`,
    'verify_server_certs=1',
    // Its TLS library finds names in certificates, not addresses.
    'verify_server_cn=0',
    ...(options.caFile ? [`root_ca=${options.caFile}`] : []),
    'media_encryption=none',
    '[proxy_0]',
    `reg_proxy=<sip:${server.ip}:${server.port};transport=${transport}>`,
    `reg_route=<sip:${server.ip}:${server.port};transport=${transport};lr>`,
    `reg_identity=sip:${user}@${server.ip}`,
    'reg_expires=120',
    'reg_sendregister=1',
    'publish=0',
    '[auth_info_0]',
    `username=${user}`,
    `passwd=${password}`,
    '[rtp]',
    'audio_rtp_port=24600-24698',
    '[video]',
    'enabled=0',
    'automatically_initiate=0',
    'automatically_accept=0',
  ]
  writeFileSync(join(folder, 'rc'), `${lines.join('\n')}\n`)
}
