/**
 * Calls over a network that loses, doubles and overtakes datagrams, 200 runs by seed: both sides agree in the end, and
 * neither keeps anything. A failing seed is named in the message; run it alone by setting `only`.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { seededRandom } from '../../net/memory-network.ts'
import type { Dialog, IncomingInvite } from '../stack.types.ts'
import { inviteTo, nothing, pair, sdp, turn } from './test-support.ts'

const runs = 200
const only: number | undefined = undefined
const callsPerRun = 4

/** What became of one call, as each side saw it. */
interface Sides {
  caller: string
  callee: string
}

async function simulate(seed: number): Promise<void> {
  const random = seededRandom(seed)
  const pick = <Value>(...values: readonly Value[]): Value => values[Math.floor(random() * values.length)] as Value
  const network = { seed, loss: random() * 0.25, duplicates: random() * 0.2, delayMs: [1, pick(20, 400)] as const }
  const net = await pair({ network })
  const { clock, caller, callee } = net
  const calls = new Map<string, Sides>()
  const sidesOf = (callId: string): Sides => {
    const known = calls.get(callId) ?? { caller: 'calling', callee: 'unknown' }
    calls.set(callId, known)
    return known
  }
  const later = (maxMs: number, act: () => void) => clock.after(random() * maxMs, act)

  const talk = (dialog: Dialog, side: keyof Sides) => {
    const sides = sidesOf(dialog.id.callId)
    sides[side] = 'talking'
    dialog.on('ended', () => {
      sides[side] = 'ended'
    })
    dialog.on('request', (incoming) => later(300, () => incoming.respond(200, sdp('v=0\r\n'))))
    if (random() < 0.5) later(4_000, () => void dialog.request(pick('INVITE', 'INFO', 'UPDATE'), sdp('v=0\r\n')))
    if (side === 'caller' || random() < 0.3) later(30_000, () => void dialog.bye())
  }

  callee.on('invite', (invite: IncomingInvite) => {
    const sides = sidesOf(invite.request.headers.get('Call-ID') ?? '')
    assert.equal(sides.callee, 'unknown', 'one INVITE is one call, however often it comes')
    sides.callee = 'ringing'
    invite.cancelled.addEventListener('abort', () => {
      sides.callee = 'ended'
    })
    const early = random() < 0.3
    later(1_000, () => invite.ring(early ? 183 : 180, early ? sdp('v=0\r\n') : {}))
    const willRefuse = random() < 0.25
    later(6_000, () => {
      if (invite.cancelled.aborted) return
      if (!willRefuse) return talk(invite.answer(sdp('v=0\r\n')), 'callee')
      sides.callee = 'ended'
      invite.reject(486)
    })
  })

  for (let call = 0; call < callsPerRun; call++) {
    later(2_000, () => {
      const reliable = random() < 0.3 && { headers: { Require: '100rel' } }
      const outgoing = caller.invite(inviteTo('102', reliable || {}))
      const sides = sidesOf(outgoing.sipCallId)
      if (random() < 0.3) later(7_000, () => outgoing.cancel())
      void outgoing.outcome.then((outcome) => {
        if (outcome.answered) talk(outcome.dialog, 'caller')
        else sides.caller = 'ended'
      })
    })
  }

  await turn(clock, 60_000, 50)
  await turn(clock, 200_000, 1_000)

  assert.equal(calls.size, callsPerRun)
  for (const sides of calls.values()) {
    assert.equal(sides.caller, 'ended')
    assert.ok(sides.callee === 'ended' || sides.callee === 'unknown', `the callee is left ${sides.callee}`)
  }
  assert.deepEqual(caller.counts(), nothing)
  assert.deepEqual(callee.counts(), nothing)
  assert.equal(clock.pendingTimers, 0)
}

test(`calls over a lossy network: ${runs} seeds, both sides agree and nothing is left over`, async () => {
  for (let seed = only ?? 1; seed <= (only ?? runs); seed++) {
    await simulate(seed).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error })
    })
  }
})
