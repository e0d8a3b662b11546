/**
 * Keeps a flow that we opened alive while nothing is said on it, and finds out that it is dead.
 *
 *   registration, trunk  ── keepAlive(flow) ─▶  here  ── pings ─▶  connection
 *                        ◀────── failed ──────        ── STUN ──▶  datagrams
 *
 * Connections get CRLF CRLF and owe a CRLF; datagrams get STUN Binding requests, whose answers tell as well when a NAT
 * on the way has given us another address. A peer that has not said that it answers gets line ends, and is not judged.
 * RFC 5626 §4.4, §4.4.1, §4.4.2; RFC 6223.
 */
import { randomBytes } from 'node:crypto'
import type { Clock, Timer } from '../../core/clock.ts'
import { endpointText } from '../../core/ip.ts'
import type { Endpoint } from '../../net/network.ts'
import { answeredStunId, bindingRequest, mappedIn, stunIdBytes } from '../../net/stun-message.ts'
import type { KeepAliveOptions } from '../stack.types.ts'
import type { WireFlow } from './flow.ts'
import { TcpFlow } from './tcp-flow.ts'

/** §4.4.1 and §4.4.2, the upper ends; each wait is drawn from the last fifth below, so that flows do not ping in step. */
const connectionEveryMs = 120_000
const datagramEveryMs = 29_000
const spread = 0.2
/** §4.4.1. */
const pongMs = 10_000
/** RFC 5389 §7.2.1: waits doubled from here, 31.5 s in all; sending seven times would take longer than the interval. */
const firstWaitMs = 500
const attempts = 6

/** What a ping is where no STUN is spoken (RFC 5626 §4.4.1). */
export const lineEnds = Buffer.from('\r\n\r\n')

/** Who waits for answers to STUN requests, by transaction id. */
export class StunAnswers {
  readonly #waiting = new Map<string, (mapped: Endpoint) => void>()

  /** Returns how to stop waiting. */
  expect(id: Buffer, answered: (mapped: Endpoint) => void): () => void {
    const key = id.toString('hex')
    this.#waiting.set(key, answered)
    return () => this.#waiting.delete(key)
  }

  receive(bytes: Buffer): void {
    const key = answeredStunId(bytes)
    const waiting = key === undefined ? undefined : this.#waiting.get(key)
    const mapped = waiting && key !== undefined && mappedIn(bytes, Buffer.from(key, 'hex'))
    if (mapped) waiting?.(mapped)
  }
}

export interface KeepAliveContext {
  readonly clock: Clock
  readonly stun: StunAnswers
}

/** Returns how to stop. The first ping goes out after one interval: something was just sent. */
export function keepAlive({ clock, stun }: KeepAliveContext, flow: WireFlow, options: KeepAliveOptions): () => void {
  const everyMs = options.everyMs ?? (flow.reliable ? connectionEveryMs : datagramEveryMs)
  let timer: Timer | undefined
  let forget: (() => void) | undefined
  let mapped: string | undefined
  const stop = (): void => {
    timer?.cancel()
    forget?.()
    unwatch()
  }
  const fail = (why: 'closed' | 'no-answer' | 'moved'): void => {
    stop()
    options.failed?.(why)
  }
  const unwatch = flow.onClose(() => fail('closed'))

  const wait = (): void => {
    forget?.()
    timer?.cancel()
    timer = clock.after(everyMs * (1 - spread * Math.random()), ping)
  }
  const ping = (): void => {
    if (!options.answered) {
      flow.send(lineEnds)
      wait()
    } else if (flow instanceof TcpFlow) {
      timer = clock.after(pongMs, () => {
        stop() // before the close, which would be told as its own failure
        flow.close()
        options.failed?.('no-answer')
      })
      flow.ping(wait)
    } else {
      const id = randomBytes(stunIdBytes)
      forget = stun.expect(id, hear)
      ask(bindingRequest(id), attempts, firstWaitMs)
    }
  }
  const ask = (request: Buffer, left: number, waitMs: number): void => {
    if (left === 0) return fail('no-answer')
    flow.send(request)
    timer = clock.after(waitMs, () => ask(request, left - 1, 2 * waitMs))
  }
  /** §4.4.2: another address than the first one means that the registration points nowhere. */
  const hear = ({ ip, port }: Endpoint): void => {
    const now = endpointText(ip, port)
    mapped ??= now
    if (now === mapped) wait()
    else fail('moved')
  }

  if (flow.open) wait()
  else queueMicrotask(() => fail('closed'))
  return stop
}
