/** A connection of the host, plain or TLS, behind the `TcpConnection` interface. */
import type { Socket } from 'node:net'
import { TLSSocket } from 'node:tls'
import { plainIp } from '../core/ip.ts'
import type { ClientCertificate, Endpoint, Failed, StreamUser, TcpConnection } from './network.ts'
import { certificateOf } from './tls-socket.ts'

/** A connection that is not up by then, certificate checked, never will be. */
const connectTimeoutMs = 10_000

interface Held {
  readonly bytes: Uint8Array
  readonly failed: Failed | undefined
}

export class HostConnection implements TcpConnection {
  readonly remote: Endpoint
  readonly #socket: Socket
  readonly #outgoing: 'tcp' | 'tls' | undefined
  /** What was written before the peer's certificate was checked: nobody else may read it. */
  #held: Held[] | undefined
  #certificate: ClientCertificate | 'none' | undefined

  /** @param outgoing What we opened it as; undefined for one that was accepted. */
  constructor(socket: Socket, remote: Endpoint, outgoing?: 'tcp' | 'tls') {
    this.#socket = socket
    this.remote = remote
    this.#outgoing = outgoing
    if (outgoing === 'tls') this.#held = []
    socket.on('error', () => {}) // 'close' follows and is what counts
  }

  get local(): Endpoint {
    return { ip: plainIp(this.#socket.localAddress ?? '0.0.0.0'), port: this.#socket.localPort ?? 0 }
  }

  get certificate(): ClientCertificate | undefined {
    if (this.#outgoing || !(this.#socket instanceof TLSSocket)) return undefined
    this.#certificate ??= certificateOf(this.#socket) ?? 'none'
    return this.#certificate === 'none' ? undefined : this.#certificate
  }

  get waitingBytes(): number {
    return (this.#held ?? []).reduce((sum, { bytes }) => sum + bytes.length, this.#socket.writableLength)
  }

  start(user: StreamUser): void {
    const socket = this.#socket
    let failure: Error | undefined
    if (this.#outgoing) {
      const timer = setTimeout(() => socket.destroy(new Error('connect timed out')), connectTimeoutMs)
      socket.once(this.#outgoing === 'tls' ? 'secureConnect' : 'connect', () => {
        clearTimeout(timer)
        this.#release()
        user.connected?.()
      })
      socket.once('close', () => clearTimeout(timer))
    }
    socket.on('data', (chunk: Buffer) => user.data(chunk))
    socket.once('error', (error) => {
      failure = error
    })
    socket.once('close', () => {
      const held = this.#held?.splice(0) ?? []
      for (const { failed } of held) failed?.(failure ?? new Error('the connection was closed'))
      user.closed(failure)
    })
  }

  write(bytes: Uint8Array, failed?: Failed): void {
    if (this.#held && !this.#socket.destroyed) {
      this.#held.push({ bytes, failed })
      return
    }
    this.#socket.write(bytes, (error) => {
      if (error) failed?.(error)
    })
  }

  destroy(): void {
    this.#socket.destroy()
  }

  #release(): void {
    const held = this.#held ?? []
    this.#held = undefined
    for (const { bytes, failed } of held) this.write(bytes, failed)
  }
}
