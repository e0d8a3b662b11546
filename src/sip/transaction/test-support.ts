/** What the tests of the four machines share: a flow that notes what it sent and when, and messages to feed. */
import { FakeClock } from '../../core/fake-clock.ts'
import { createRequest, createResponse } from '../message/build.ts'
import type { SipRequest, SipResponse } from '../message/types.ts'

export interface Sent {
  readonly atMs: number
  /** `INVITE`, `ACK`, `200`. */
  readonly what: string
}

export class TestFlow {
  readonly clock = new FakeClock()
  readonly reliable: boolean
  readonly sent: Sent[] = []
  #refuse = false
  #ends = 0

  constructor(transport: 'udp' | 'tcp' = 'udp') {
    this.reliable = transport === 'tcp'
  }

  readonly send = (bytes: Uint8Array, failed?: () => void): void => {
    const [first = '', second = ''] = Buffer.from(bytes).toString().split(' ')
    this.sent.push({ atMs: this.clock.now(), what: first.startsWith('SIP/') ? second : first })
    if (this.#refuse && failed) this.clock.after(0, failed)
  }

  /** What is sent from now on is refused by the host. */
  breakDown(): void {
    this.#refuse = true
  }

  readonly ended = (): void => {
    this.#ends++
  }

  /** How often the transaction said that it ended. */
  get ends(): number {
    return this.#ends
  }

  get times(): number[] {
    return this.sent.map(({ atMs }) => atMs)
  }

  get messages(): string[] {
    return this.sent.map(({ what }) => what)
  }
}

export const request = (method: string): SipRequest =>
  createRequest(method, 'sip:102@192.0.2.2', [
    ['Via', 'SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKtest'],
    ['Max-Forwards', '70'],
    ['Route', '<sip:192.0.2.7;lr>'],
    ['From', '<sip:101@192.0.2.1>;tag=a'],
    ['To', '<sip:102@192.0.2.2>'],
    ['Call-ID', 'call'],
    ['CSeq', `7 ${method}`],
  ])

export const response = (method: string, status: number): SipResponse =>
  createResponse(request(method), status, { toTag: 'b' })

/** Notes what a client transaction passes up. */
export class TestUser {
  readonly heard: (number | string)[] = []

  readonly response = (message: SipResponse): void => {
    this.heard.push(message.status)
  }

  readonly failed = (why: string): void => {
    this.heard.push(why)
  }
}
