/**
 * The way from a phone to the server, which loses, delays and reorders what the phone says: what `tc netem loss P% delay`
 * does to a line, where the kernel has no netem.
 *
 *   phone ── SIP ─▶  here  ── SIP ──────────────────────────▶  server     (descriptions of its audio name a port of ours)
 *         ── RTP ─▶        ── RTP, what is left of it, later ─▶
 *         ◀───────         ◀── both, as they are ───────────
 *
 * The phone is the caller, over UDP, and this is its outbound proxy; all on loopback. One stream of audio in a call.
 */
import { createSocket, type RemoteInfo, type Socket } from 'node:dgram'
import { once } from 'node:events'

export interface Impairment {
  /** Of the phone's packets, lost one by one, 0..1. */
  readonly loss: number
  /** What is not lost is late by up to so much, each by chance. */
  readonly jitterMs: number
}

interface Endpoint {
  readonly ip: string
  readonly port: number
}

/** A socket for the phone and one for the server: what comes at one goes out at the other. */
interface Pair {
  readonly near: Socket
  readonly far: Socket
}

const ip = '127.0.0.1'
/** RTP and RTCP need ports that are neighbours. */
const attempts = 50

export class BadNetwork {
  readonly #server: Endpoint
  readonly #impairment: Impairment
  readonly #sockets: Socket[] = []
  #signalling: Pair | undefined
  /** By the server's audio port, what the phone is told instead. */
  readonly #audio = new Map<number, Promise<number>>()
  /** RTP packets of the phone, and those that were lost here. */
  sent = 0
  dropped = 0

  static async open(server: Endpoint, impairment: Impairment): Promise<BadNetwork> {
    const network = new BadNetwork(server, impairment)
    network.#signalling = await network.#between(server.port, 0, (bytes) => network.#toPhone(bytes))
    return network
  }

  private constructor(server: Endpoint, impairment: Impairment) {
    this.#server = server
    this.#impairment = impairment
  }

  /** Where the phone finds its server. */
  get sip(): Endpoint {
    const near = this.#signalling?.near
    if (!near) throw new Error('cannot happen')
    return { ip, port: near.address().port }
  }

  close(): void {
    for (const socket of this.#sockets.splice(0)) socket.close()
  }

  async #bind(port: number): Promise<Socket> {
    const socket = createSocket('udp4')
    socket.bind(port, ip)
    await once(socket, 'listening')
    this.#sockets.push(socket)
    return socket
  }

  /** @param port Of the near socket; 0 for any. */
  async #between(
    serverPort: number,
    port: number,
    change: (bytes: Buffer) => Buffer | Promise<Buffer>,
    toServer: (send: () => void) => void = (send) => send(),
  ): Promise<Pair> {
    const near = await this.#bind(port)
    const far = await this.#bind(0)
    let phone: RemoteInfo | undefined
    near.on('message', (bytes, from) => {
      phone = from
      toServer(() => far.send(bytes, serverPort, this.#server.ip, ignore))
    })
    far.on('message', (bytes) => {
      void Promise.resolve(change(bytes)).then((changed) => {
        if (phone) near.send(changed, phone.port, phone.address, ignore)
      })
    })
    return { near, far }
  }

  /** A SIP message of the server, with our port in place of that of its audio. */
  async #toPhone(bytes: Buffer): Promise<Buffer> {
    const text = bytes.toString('latin1')
    const [, port] = /^m=audio (\d+) /m.exec(text) ?? []
    if (port === undefined || port === '0') return bytes
    let ours = this.#audio.get(Number(port))
    if (!ours) {
      ours = this.#carry(Number(port))
      this.#audio.set(Number(port), ours)
    }
    const changed = text
      .replace(/^m=audio \d+ /m, `m=audio ${await ours} `)
      .replace(/^a=rtcp:\d+/m, `a=rtcp:${(await ours) + 1}`)
    const length = changed.length - changed.indexOf('\r\n\r\n') - 4
    return Buffer.from(changed.replace(/^Content-Length: *\d+/im, `Content-Length: ${length}`), 'latin1')
  }

  async #carry(serverPort: number): Promise<number> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const port = 20_000 + 2 * Math.floor(Math.random() * 6000)
      try {
        await this.#between(serverPort, port, asIs, (send) => this.#impair(send))
        await this.#between(serverPort + 1, port + 1, asIs)
        return port
      } catch {
        // taken by somebody else
      }
    }
    throw new Error('no ports for RTP are free')
  }

  #impair(send: () => void): void {
    this.sent++
    if (Math.random() < this.#impairment.loss) this.dropped++
    else if (this.#impairment.jitterMs === 0) send()
    else setTimeout(() => this.#sockets.length > 0 && send(), Math.random() * this.#impairment.jitterMs)
  }
}

const asIs = (bytes: Buffer): Buffer => bytes

/** The other side may be gone already. */
const ignore = (): void => {}
