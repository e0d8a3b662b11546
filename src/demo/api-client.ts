/**
 * The platform's API as a program sees it that is no browser: signs in once, then asks.
 *
 * For the demo, the interop tests and the benches. An answer that is not 2xx becomes an ApiError.
 */
import type {
  Bans,
  CallDetail,
  CallsPage,
  CallsQuery,
  ExtensionSaved,
  LiveCalls,
  Messages,
  NewExtension,
  RecordingsPage,
  Registrations,
  SentCall,
  Status,
  Trunks,
} from '../api/schemas/index.ts'

export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  /** The problem's code, where the answer was a problem document. */
  readonly code: string | undefined
  constructor(asked: string, status: number, problem: { code?: string; title?: string }) {
    super(`${asked} was answered ${status}${problem.title ? `: ${problem.title}` : ''}`)
    this.status = status
    this.code = problem.code
  }
}

export class ApiClient {
  readonly url: string
  #cookie = ''

  /** @param url `http://127.0.0.1:8080` */
  constructor(url: string) {
    this.url = url.replace(/\/$/, '')
  }

  /** A console session, as a browser has it. */
  async signIn(name: string, password: string): Promise<void> {
    const response = await this.#ask('POST', '/api/login', { name, password })
    this.#cookie = response.headers
      .getSetCookie()
      .map((cookie) => cookie.split(';')[0])
      .join('; ')
  }

  status(): Promise<Status> {
    return this.#json('GET', '/status')
  }

  addExtension(extension: NewExtension): Promise<ExtensionSaved> {
    return this.#json('POST', '/api/extensions', extension)
  }

  async removeExtension(number: string): Promise<void> {
    await this.#ask('DELETE', `/api/extensions/${encodeURIComponent(number)}`)
  }

  registrations(number: string): Promise<Registrations> {
    return this.#json('GET', `/api/extensions/${encodeURIComponent(number)}/registrations`)
  }

  liveCalls(): Promise<LiveCalls> {
    return this.#json('GET', '/api/calls/live')
  }

  calls(query: CallsQuery = {}): Promise<CallsPage> {
    const fields = new URLSearchParams()
    for (const [name, value] of Object.entries(query)) fields.set(name, String(value))
    return this.#json('GET', `/api/calls?${fields.toString()}`)
  }

  call(id: string): Promise<CallDetail> {
    return this.#json('GET', `/api/calls/${encodeURIComponent(id)}`)
  }

  /** SIP messages of a call. */
  messages(id: string): Promise<Messages> {
    return this.#json('GET', `/api/calls/${encodeURIComponent(id)}/messages`)
  }

  /** Trunks and how they fare. */
  trunks(): Promise<Trunks> {
    return this.#json('GET', '/api/trunks')
  }

  /** Sources that are banned from SIP. */
  bans(): Promise<Bans> {
    return this.#json('GET', '/api/security/bans')
  }

  async releaseBan(source: string): Promise<void> {
    await this.#ask('DELETE', `/api/security/bans?source=${encodeURIComponent(source)}`)
  }

  /** Where a live call is sent to be recorded. */
  sentTo(callId: string): Promise<SentCall> {
    return this.#json('GET', `/api/calls/${encodeURIComponent(callId)}/recording-servers`)
  }

  /** Send a live call to these lists of recording servers, `main|spare`. */
  sendTo(callId: string, servers: readonly string[]): Promise<SentCall> {
    return this.#json('PUT', `/api/calls/${encodeURIComponent(callId)}/recording-servers`, { servers })
  }

  orderSent(callId: string, order: 'pause' | 'resume'): Promise<SentCall> {
    return this.#json('POST', `/api/calls/${encodeURIComponent(callId)}/recording-servers/${order}`)
  }

  /** SIP messages of a call as a capture file. */
  async capture(id: string): Promise<Uint8Array> {
    const response = await this.#ask('GET', `/api/calls/${encodeURIComponent(id)}/sip.pcap`)
    return new Uint8Array(await response.arrayBuffer())
  }

  recordings(limit = 50): Promise<RecordingsPage> {
    return this.#json('GET', `/api/recordings?limit=${limit}`)
  }

  /** The combined audio of a recording, or its only leg: a WAV file. */
  async audio(recordingId: string): Promise<Uint8Array> {
    const response = await this.#ask('GET', `/api/recordings/${encodeURIComponent(recordingId)}/audio`)
    return new Uint8Array(await response.arrayBuffer())
  }

  /** One file of a recording. */
  async file(recordingId: string, name: string): Promise<Uint8Array> {
    const path = `/api/recordings/${encodeURIComponent(recordingId)}/files/${encodeURIComponent(name)}`
    const response = await this.#ask('GET', path)
    return new Uint8Array(await response.arrayBuffer())
  }

  async #json<Answer>(method: string, path: string, body?: unknown): Promise<Answer> {
    const response = await this.#ask(method, path, body)
    return (await response.json()) as Answer
  }

  async #ask(method: string, path: string, body?: unknown): Promise<Response> {
    const response = await fetch(this.url + path, {
      method,
      headers: {
        // A cookie alone is not enough to change something: the server wants to know where the request comes from.
        origin: this.url,
        ...(this.#cookie ? { cookie: this.#cookie } : {}),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      signal: AbortSignal.timeout(10_000),
    })
    if (response.ok) return response
    const problem = await response.json().catch(() => ({}))
    throw new ApiError(`${method} ${path}`, response.status, problem as { code?: string; title?: string })
  }
}
