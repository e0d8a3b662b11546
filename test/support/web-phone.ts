/**
 * A phone in a page of Chromium, made of JsSIP or SIP.js, which speak SIP over WebSocket (RFC 7118).
 *
 *   test  ── message, call ─▶  WebPhone  ── evaluate ─▶  web-phones/jssip.js, sipjs.js in the page  ══ WebSocket ══ server
 *
 * The page is served by the test itself, from 127.0.0.1, which browsers take for a secure place.
 */
import { createServer, type Server } from 'node:http'
import { join } from 'node:path'
import { type Browser, chromium, type Page } from 'playwright-core'
import { build } from 'vite'
import { Resampler } from '../../src/codec/resample.ts'
import { findProgram } from './program.ts'
import { until } from './until.ts'

export type Library = 'jssip' | 'sipjs'

export interface WebPhoneAccount {
  /** `ws://127.0.0.1:5080` */
  readonly url: string
  readonly user: string
  readonly password: string
  readonly domain: string
}

/** Chromium, and the server of the pages. */
export class WebPhones {
  readonly #browser: Browser
  readonly #pages: Server
  readonly #url: string

  /**
   * @param trustedKeys Certificates it believes besides: SHA-256 of their public keys, in base64.
   * @param microphone What all pages say, again and again: a WAV file. Beeps when left out.
   */
  static async open(trustedKeys: readonly string[] = [], microphone?: string): Promise<WebPhones> {
    const scripts = new Map<string, string>()
    for (const library of ['jssip', 'sipjs'] as const) scripts.set(`/${library}.js`, await bundle(library))
    const pages = createServer((request, response) => {
      const script = scripts.get(request.url ?? '')
      response.setHeader('content-type', script === undefined ? 'text/html' : 'text/javascript')
      response.end(script ?? `<!doctype html><meta charset=utf-8><script src="${request.url}.js"></script>`)
    })
    await new Promise<void>((resolve) => pages.listen(0, '127.0.0.1', resolve))
    const address = pages.address()
    if (!address || typeof address === 'string') throw new Error('cannot happen')
    const executablePath = process.env['CHROMIUM'] ?? findProgram('chromium') ?? findProgram('chromium-browser')
    const browser = await chromium.launch({
      ...(executablePath && { executablePath }),
      args: [
        '--no-sandbox', // CI runs as root
        '--disable-gpu',
        '--use-fake-ui-for-media-stream',
        '--use-fake-device-for-media-stream',
        ...(microphone === undefined ? [] : [`--use-file-for-fake-audio-capture=${microphone}`]),
        '--autoplay-policy=no-user-gesture-required',
        '--allow-loopback-in-peer-connection',
        `--ignore-certificate-errors-spki-list=${trustedKeys.join(',')}`,
      ],
    })
    return new WebPhones(browser, pages, `http://127.0.0.1:${address.port}`)
  }

  private constructor(browser: Browser, pages: Server, url: string) {
    this.#browser = browser
    this.#pages = pages
    this.#url = url
  }

  /** A page of its own with a phone that has registered. */
  async start(library: Library, account: WebPhoneAccount): Promise<WebPhone> {
    const page = await this.#browser.newPage()
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => complaints.push(message.text()))
    await page.goto(`${this.#url}/${library}`)
    const phone = new WebPhone(page, complaints)
    await phone.ask('start', account)
    return phone
  }

  /** Any page. */
  async page(url: string): Promise<Page> {
    const page = await this.#browser.newPage()
    await page.goto(url)
    return page
  }

  async close(): Promise<void> {
    await this.#browser.close()
    this.#pages.close()
  }
}

export interface CallFacts {
  readonly state: string
  readonly dtls?: string
  /** Of SRTP. */
  readonly cipher?: string
  readonly received?: number
  readonly lost?: number
  /** `audio/PCMU` */
  readonly codec?: string
}

const patienceMs = 15_000

export class WebPhone {
  readonly #page: Page
  readonly #complaints: readonly string[]

  constructor(page: Page, complaints: readonly string[]) {
    this.#page = page
    this.#complaints = complaints
  }

  /** @returns The status of the answer. */
  message(uri: string, text: string): Promise<unknown> {
    return this.ask('message', uri, text)
  }

  options(uri: string): Promise<unknown> {
    return this.ask('options', uri)
  }

  /** @returns The status that refused it, or 200. */
  call(uri: string): Promise<unknown> {
    return this.ask('call', uri)
  }

  /** Answer the next calls by itself. */
  async answers(): Promise<void> {
    await this.#page.evaluate('void (phone.answers = true)')
  }

  /** Wait until it has answered so many calls. */
  async answered(times = 1): Promise<void> {
    await until('the browser to answer', patienceMs, async () => {
      return (await this.#page.evaluate<number>('phone.answered')) >= times
    })
  }

  /** What it heard of the call, 8 kHz. */
  async heard(): Promise<Int16Array> {
    const bytes = Buffer.from(String(await this.ask('heard')), 'base64')
    const samples = new Int16Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length))
    const heard = new Int16Array(Math.ceil(samples.length / 6) + 1)
    const length = new Resampler(48_000, 8_000, samples.length).process(samples, 0, samples.length, heard, 0)
    return heard.subarray(0, length)
  }

  /** How the call travels, as the browser sees it. */
  async facts(): Promise<CallFacts> {
    return (await this.ask('facts')) as CallFacts
  }

  /** Wait for this message. */
  async got(from: string, text: string): Promise<void> {
    await until(`"${text}" from ${from}`, patienceMs, async () => {
      const messages = await this.#page.evaluate<{ from: string; text: string }[]>('phone.messages')
      return messages.some((message) => message.from === from && message.text === text)
    })
  }

  /** Unregister and go. */
  async stop(): Promise<void> {
    await this.ask('stop')
    await this.#page.close()
  }

  /** Call a method of the page's phone. */
  async ask(method: string, ...args: readonly unknown[]): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('no answer in time')), patienceMs)
    })
    const asked = this.#page.evaluate(`phone.${method}(...${JSON.stringify(args)})`)
    try {
      return await Promise.race([asked, late])
    } catch (error) {
      throw new Error(`${method}: ${String(error)}; the page said:\n${this.#complaints.join('\n')}`, { cause: error })
    } finally {
      clearTimeout(timer)
    }
  }
}

/** The page's script with its library, as one text. */
async function bundle(library: Library): Promise<string> {
  const built = await build({
    configFile: false,
    logLevel: 'error',
    build: {
      write: false,
      minify: false,
      lib: { entry: join(import.meta.dirname, 'web-phones', `${library}.js`), formats: ['iife'], name: 'webPhone' },
    },
  })
  const [output] = Array.isArray(built) ? built : [built]
  if (!output || !('output' in output)) throw new Error('vite built nothing')
  return output.output[0].code
}
