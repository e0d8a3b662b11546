/** Two SIP stacks on a network in memory, with a clock that a test turns. */
import assert from 'node:assert/strict'
import { FakeClock } from '../../core/fake-clock.ts'
import { silentLogger } from '../../core/logger.ts'
import { MemoryNetwork, type MemoryNetworkOptions } from '../../net/memory-network.ts'
import { type CountedSipStack, createSipStack, type SipStackOptions } from '../stack.ts'
import type { Dialog, IncomingInvite, InviteOptions, MessageObserver, OutgoingInvite } from '../stack.types.ts'

export const callerIp = '192.0.2.1'
export const calleeIp = '192.0.2.2'

export interface Pair {
  readonly clock: FakeClock
  readonly network: MemoryNetwork
  readonly caller: CountedSipStack
  readonly callee: CountedSipStack
  /** Turn the clock in small steps, so that promises settle in between. */
  readonly run: (ms: number) => Promise<void>
  /** A stack of somebody else on the same network. */
  readonly stack: (ip: string, options?: Partial<SipStackOptions>) => Promise<CountedSipStack>
}

export async function pair(
  options: { network?: Partial<MemoryNetworkOptions>; callee?: Partial<SipStackOptions> } = {},
): Promise<Pair> {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ clock, ...options.network })
  const stack = (ip: string, more: Partial<SipStackOptions> = {}) => {
    const listen = [
      { transport: 'udp', ip, port: 5060 },
      { transport: 'tcp', ip, port: 5060 },
    ] as const
    return createSipStack({ clock, log: silentLogger, network, listen, ...more })
  }
  return {
    clock,
    network,
    caller: await stack(callerIp),
    callee: await stack(calleeIp, options.callee),
    run: (ms) => turn(clock, ms),
    stack,
  }
}

/** Everything that waits for a promise has run after this: no chain in the stack is this long. */
export async function settle(): Promise<void> {
  for (let turns = 0; turns < 12; turns++) await Promise.resolve()
}

export async function turn(clock: FakeClock, ms: number, stepMs = 5): Promise<void> {
  await settle()
  for (let left = ms; left > 0; left -= stepMs) {
    clock.advance(Math.min(stepMs, left))
    await settle()
  }
}

/** An observer that notes the first three letters or digits that tell messages apart: `INV`, `200`. */
export const noteInto =
  (order: string[]): MessageObserver =>
  (_direction, _flow, text) =>
    void order.push(text.startsWith('SIP') ? text.slice(8, 11) : text.slice(0, 3))

export const sdp = (text: string) => ({ body: text, contentType: 'application/sdp' })

/** Options of an INVITE from the caller to the callee. */
export function inviteTo(user: string, more: Partial<InviteOptions> = {}): InviteOptions {
  return {
    target: { uri: `sip:${user}@${calleeIp}:5060` },
    from: `<sip:101@${callerIp}>`,
    to: `<sip:${user}@${calleeIp}>`,
    ...sdp('v=0 offer\r\n'),
    ...more,
  }
}

export interface Established extends Pair {
  readonly here: Dialog
  readonly there: Dialog
  readonly invite: IncomingInvite
  readonly outgoing: OutgoingInvite
}

/** A call that has been answered and acknowledged. */
export async function established(options: Parameters<typeof pair>[0] = {}, target = {}): Promise<Established> {
  const net = await pair(options)
  let there: Dialog | undefined
  let invite: IncomingInvite | undefined
  net.callee.on('invite', (incoming) => {
    invite = incoming
    incoming.ring(180)
    there = incoming.answer(sdp('v=0 answer\r\n'))
  })
  const outgoing = net.caller.invite(inviteTo('102', target))
  await net.run(100)
  const outcome = await outgoing.outcome
  assert.ok(outcome.answered && there && invite)
  return { ...net, here: outcome.dialog, there, invite, outgoing }
}

export const nothing = { dialogs: 0, transactions: 0, connections: 0 }

/** Wait until all timers of ended transactions have run out. */
export async function assertNothingLeft({ clock, caller, callee, run }: Pair): Promise<void> {
  await run(70_000)
  assert.deepEqual(caller.counts(), nothing)
  assert.deepEqual(callee.counts(), nothing)
  assert.equal(clock.pendingTimers, 0)
}
