/**
 * kill -9 of the server during 200 SIPREC sessions under load: 400 streams, 20 000 packets a second. After the restart
 * every stream is there up to a second before the end, sample for sample, and no session is left hanging.
 */
import assert from 'node:assert/strict'
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sent } from '../../bench/siprec-load/check.ts'
import { type FromGenerator, type Load, labels, type ToGenerator } from '../../bench/siprec-load/load.ts'
import { frameBytes } from '../../bench/siprec-load/payload.ts'
import { readWav } from '../../src/codec/wav.ts'
import { needs } from '../support/program.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'

const sessions = 200
const seconds = 10
const killAfterMs = 7000
const mostLostMs = 1000

let server: ServerProcess | undefined
let generator: ChildProcess | undefined
after(async () => {
  generator?.kill()
  await server?.remove()
})

test('kill -9 during 200 recording sessions under load costs each at most a second', needs(), async (t) => {
  const env = { RTP_PORT_MIN: '10000', RTP_PORT_MAX: '12400', MAX_CONCURRENT_CALLS: String(sessions + 10) }
  server = await startServerProcess({ env })
  const killed = server
  const load: Load = { server: killed.sip, sessions, seconds, rate: 50, raw: false, muxed: false }
  const program = join(import.meta.dirname, '../../bench/siprec-load/generator.ts')
  generator = fork(program, [JSON.stringify(load)], { execArgv: ['--disable-warning=ExperimentalWarning'] })
  const { callIds, problems } = await said(generator, 'up')
  assert.deepEqual([callIds.length, problems], [sessions, []])
  const allSent = said(generator, 'sent')
  generator.send('send' satisfies ToGenerator)
  await sleep(killAfterMs)
  const killedAtMs = Date.now()
  await killed.kill()

  // At the same place, where clients that know of nothing find their sessions or hear that they are over.
  server = await startServerProcess({ folder: killed.folder, env: { ...env, PORTS: String(killed.sip.port) } })
  const restarted = server
  await allSent
  const ended = said(generator, 'ended')
  generator.send('end' satisfies ToGenerator)
  await ended
  await until('all recordings', 60_000, async () => (await finished(restarted)) === sessions)
  assert.equal((await restarted.api.status()).sip.listeners[0]?.port, killed.sip.port)

  const recorded: { readonly ms: number; readonly startedAtMs: number; readonly lost: number }[] = []
  for (const [session, callId] of callIds.entries())
    for (const [stream, label] of labels.entries()) {
      const { pcm, samples, startedAtMs = 0 } = await readWav(join(killed.recordingDir, `${callId}_${label}.wav`))
      const said = sent(session * labels.length + stream, Math.ceil(samples / frameBytes))
      recorded.push({ ms: samples / 8, startedAtMs, lost: lostPackets(pcm, said) })
    }
  assert.equal(recorded.length, sessions * labels.length)
  // All streams are sent in step, so the first packet that was read tells when each began, however late others were read.
  const beganAtMs = Math.min(...recorded.map(({ startedAtMs }) => startedAtMs))
  const worst = killedAtMs - beganAtMs - Math.min(...recorded.map(({ ms }) => ms))
  const lost = recorded.reduce((sum, one) => sum + one.lost, 0)
  t.diagnostic(
    `of ${recorded.length} streams the worst lacks ${worst.toFixed(0)} ms; ${lost} packets were lost on the way`,
  )
  assert.ok(worst <= mostLostMs, `${worst} ms`)
  assert.ok(lost <= recorded.length * 3, `${lost} packets`)
  const live = await restarted.api.liveCalls()
  assert.deepEqual(live.items, [])
})

/** Each packet is what was sent, or silence when the kernel of a busy machine had no room for it. */
function lostPackets(pcm: Int16Array, said: Int16Array): number {
  let lost = 0
  for (let at = 0; at + frameBytes <= pcm.length; at += frameBytes) {
    const packet = pcm.subarray(at, at + frameBytes)
    if (packet.every((sample) => sample === 0)) lost++
    else
      assert.equal(
        packet.findIndex((sample, i) => sample !== said[at + i]),
        -1,
        `packet ${at / frameBytes}`,
      )
  }
  return lost
}

async function finished({ api }: ServerProcess): Promise<number> {
  const { items } = await api.recordings(sessions)
  return items.filter(({ state }) => state === 'interrupted' || state === 'stored').length
}

async function said<Type extends FromGenerator['type']>(
  from: ChildProcess,
  type: Type,
): Promise<Extract<FromGenerator, { type: Type }>> {
  for (;;) {
    const [message] = (await once(from, 'message')) as [FromGenerator]
    if (message.type === type) return message as Extract<FromGenerator, { type: Type }>
  }
}
