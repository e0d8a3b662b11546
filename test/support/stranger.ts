/** Whoever sends SIP to a server without being known there: a socket, requests by hand, their answers. */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { answerChallenge } from '../../src/sip/auth/digest-client.ts'
import { parseMessage } from '../../src/sip/message/parse.ts'
import type { SipResponse } from '../../src/sip/message/types.ts'
import type { Address } from '../../src/sip/stack.types.ts'

const waitMs = 2_000

export interface StrangerRequest {
  readonly method: string
  /** Request-URI and To. */
  readonly uri: string
  /** Who it says it is; also the To of a REGISTER. */
  readonly from?: string
  readonly headers?: Readonly<Record<string, string>>
  /** Headers must say its type and length. */
  readonly body?: string
}

export class Stranger {
  readonly #socket: Socket
  readonly #server: Address
  readonly #waiting = new Map<string, (response: SipResponse) => void>()
  #sent = 0
  answers = 0
  /** Datagrams of all kinds. */
  received = 0

  /** @param ip An address of the loopback; each is another host to the server. */
  static async at(ip: string, server: Address): Promise<Stranger> {
    const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 20 }).bind(0, ip)
    await once(socket, 'listening')
    return new Stranger(socket, server)
  }

  private constructor(socket: Socket, server: Address) {
    this.#socket = socket
    this.#server = server
    socket.on('message', (bytes) => {
      this.received += 1
      const result = parseMessage(bytes)
      if (!result.ok || result.message.kind !== 'response') return
      this.answers += 1
      const { message } = result
      this.#waiting.get(message.headers.get('Call-ID') ?? '')?.(message)
    })
  }

  /** Send the same text again, as who listened on the wire would. */
  sendText(text: string): void {
    this.#socket.send(text, this.#server.port, this.#server.ip)
  }

  /** Send a request and expect nothing. @returns Its text and Call-ID. */
  send({ method, uri, from = 'sip:9@stranger.invalid', headers = {}, body = '' }: StrangerRequest) {
    const { address, port } = this.#socket.address()
    const id = `${address}-${port}-${(this.#sent += 1)}`
    const own: Record<string, string> = {
      Via: `SIP/2.0/UDP ${address}:${port};rport;branch=z9hG4bK${id}`,
      From: `<${from}>;tag=${id}`,
      To: `<${method === 'REGISTER' ? from : uri}>`,
      'Call-ID': id,
      CSeq: `1 ${method}`,
      Contact: `<sip:x@${address}:${port}>`,
      'Content-Length': '0',
      ...headers,
    }
    const lines = Object.entries(own).map(([name, value]) => `${name}: ${value}\r\n`)
    const text = `${method} ${uri} SIP/2.0\r\n${lines.join('')}\r\n${body}`
    this.sendText(text)
    return { text, callId: own['Call-ID'] ?? id }
  }

  /** The final answer; undefined when none comes in time. */
  async ask(request: StrangerRequest): Promise<SipResponse | undefined> {
    const { callId } = this.send(request)
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(undefined), waitMs)
      this.#waiting.set(callId, (response) => {
        if (response.status < 200) return
        clearTimeout(timer)
        this.#waiting.delete(callId)
        resolve(response)
      })
    })
  }

  /** REGISTER with this password. @returns The answer's status; undefined when there is none. */
  async guess(username: string, password: string): Promise<number | undefined> {
    const uri = `sip:${this.#server.ip}`
    const from = `sip:${username}@${this.#server.ip}`
    const challenged = await this.ask({ method: 'REGISTER', uri, from })
    if (!challenged) return undefined
    const challenges = challenged.headers.all('WWW-Authenticate')
    const credentials = { username, password }
    const Authorization = answerChallenge({ challenges, method: 'REGISTER', uri, credentials, nonceCount: 1 }) ?? ''
    return (await this.ask({ method: 'REGISTER', uri, from, headers: { Authorization } }))?.status
  }

  close(): void {
    this.#socket.close()
  }
}
