/**
 * A process of its own: a B2BUA of the SIP stack alone, without media, database or accounts.
 *
 *   calls.ts, dialogs.ts  ── { to } ─▶  here  ── every INVITE goes on to that port
 *                         ◀─ { port }, Memory ──
 */
import { sdpOf } from '../../src/call/description.ts'
import { systemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createSipStack } from '../../src/sip/stack.ts'
import type { Dialog, IncomingInvite } from '../../src/sip/stack.types.ts'
import { memoryOf } from './memory.ts'
import { benchIp } from './wire.ts'

export type ToBare = { readonly to: number } | 'memory'

const contentType = 'application/sdp'
let to = 0
const stack = await createSipStack({
  clock: systemClock,
  log: silentLogger,
  listen: [{ transport: 'udp', ip: benchIp, port: 0 }],
  userAgent: 'Bench',
  guard: () => 'pass',
})
stack.on('invite', (invite) => void connect(invite))
process.on('message', (word: ToBare) => {
  if (word === 'memory') process.send?.(memoryOf(stack))
  else to = word.to
})
process.send?.({ port: stack.listening[0]?.port })

async function connect(invite: IncomingInvite): Promise<void> {
  const outcome = await stack.invite({
    target: { uri: `sip:callee@${benchIp}:${to}` },
    from: `<sip:caller@${benchIp}>`,
    to: `<sip:callee@${benchIp}>`,
    body: sdpOf(invite.request),
    contentType,
    signal: invite.cancelled,
    onProvisional: () => invite.ring(180),
  }).outcome
  if (!outcome.answered) return invite.reject(outcome.response.status)
  const caller = invite.answer({ body: sdpOf(outcome.response), contentType })
  endTogether(caller, outcome.dialog)
  endTogether(outcome.dialog, caller)
}

const endTogether = (one: Dialog, other: Dialog): void => {
  one.on('ended', () => void other.bye())
}
