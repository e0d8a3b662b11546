/** A bare UDP socket that asks a server whether it is still there: OPTIONS, any answer counts. */
import { createSocket, type Socket } from 'node:dgram'
import type { Address } from '../../src/sip/stack.types.ts'

const tries = 6
const waitMs = 500

export class SipProbe {
  readonly #socket: Socket
  readonly #server: Address
  #asked = 0
  #waiting: { readonly id: string; readonly answered: (status: number) => void } | undefined

  static async open(server: Address): Promise<SipProbe> {
    const socket = createSocket('udp4')
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind(0, '127.0.0.1', resolve)
    })
    return new SipProbe(socket, server)
  }

  private constructor(socket: Socket, server: Address) {
    this.#socket = socket
    this.#server = server
    socket.on('message', (bytes) => {
      const text = bytes.toString('latin1')
      const status = /^SIP\/2.0 (\d{3})/.exec(text)?.[1]
      if (status && this.#waiting && text.includes(this.#waiting.id)) this.#waiting.answered(Number(status))
    })
  }

  send(bytes: Uint8Array): void {
    this.#socket.send(bytes, this.#server.port, this.#server.ip)
  }

  /** @returns How long the answer took, ms; undefined when none came in 3 s. */
  async alive(): Promise<number | undefined> {
    const startedMs = performance.now()
    for (let attempt = 0; attempt < tries; attempt++) {
      const id = `alive-${++this.#asked}`
      const answer = new Promise<number | undefined>((resolve) => {
        const timer = setTimeout(() => resolve(undefined), waitMs)
        this.#waiting = {
          id,
          answered: (status) => {
            clearTimeout(timer)
            resolve(status)
          },
        }
      })
      this.send(Buffer.from(this.#options(id)))
      if ((await answer) !== undefined) return performance.now() - startedMs
    }
    return undefined
  }

  close(): void {
    this.#socket.close()
  }

  #options(id: string): string {
    const { ip, port } = this.#server
    return [
      `OPTIONS sip:${ip}:${port} SIP/2.0`,
      `Via: SIP/2.0/UDP 127.0.0.1:${this.#socket.address().port};rport;branch=z9hG4bK${id}`,
      'Max-Forwards: 70',
      `From: <sip:probe@127.0.0.1>;tag=${id}`,
      `To: <sip:${ip}:${port}>`,
      `Call-ID: ${id}@127.0.0.1`,
      'CSeq: 1 OPTIONS',
      'Content-Length: 0',
      '',
      '',
    ].join('\r\n')
  }
}
