/** Flows as the stack itself sees them: they can send. */
import type { Failed, UdpSocket } from '../../net/network.ts'
import type { Address, Flow } from '../stack.types.ts'

export interface WireFlow extends Flow {
  /** Send these bytes; `failed` hears later, never within the call, that the host or the connection refused them. */
  send(bytes: Uint8Array, failed?: Failed): void
  /** Hear once that the connection is gone; a UDP flow never says so. Returns how to stop listening. */
  onClose(listener: () => void): () => void
}

const never = (): void => {}

/** A pair of UDP addresses. Made anew for each datagram: it holds no state. */
export class UdpFlow implements WireFlow {
  readonly transport = 'udp'
  readonly reliable = false
  readonly open = true
  readonly remote: Address
  readonly #socket: UdpSocket

  constructor(socket: UdpSocket, remote: Address) {
    this.#socket = socket
    this.remote = remote
  }

  get id(): string {
    const { local, remote } = this
    return `udp ${local.ip} ${local.port} ${remote.ip} ${remote.port}`
  }

  get local(): Address {
    return this.#socket.local
  }

  send(bytes: Uint8Array, failed?: Failed): void {
    this.#socket.send(bytes, this.remote, failed)
  }

  onClose(): () => void {
    return never
  }
}
