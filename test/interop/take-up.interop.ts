/**
 * The server dies in the middle of recording sessions and starts again: the clients notice nothing but a gap, their next
 * request finds its dialog, their RTP its port, and what was said before and after lies in one recording at its true time.
 */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { decodeWav } from '../../src/codec/wav.ts'
import { systemClock } from '../../src/core/clock.ts'
import { findRun } from '../../src/demo/compare.ts'
import { RecordingClient, type RecordingSession } from '../../src/demo/recording-client.ts'
import { freePort } from '../support/free-port.ts'
import { needs } from '../support/program.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'

const sessions = 5
const talkMs = 3_000
const samplesPerMs = 8
const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

let server: ServerProcess | undefined
let client: RecordingClient | undefined
after(async () => {
  await client?.close()
  await server?.remove()
})

/** A minute in which no moment is like another. */
function noise(seed: number): Int16Array {
  let state = seed
  return Int16Array.from({ length: 60_000 * samplesPerMs }, () => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) | 0
    return state >> 18
  })
}

/** A tenth of a second that is found again: not silence. */
function loudFrom(said: Int16Array, from: number): { readonly at: number; readonly run: Int16Array } {
  const at = said.findIndex((sample, place) => place >= from && Math.abs(sample) > 1_000)
  return { at, run: said.subarray(at, at + 800) }
}

async function restartDuring(kill: 'kill' | 'stop', env: Record<string, string>): Promise<void> {
  await client?.close()
  await server?.remove()
  const fixed = { PORTS: String(await freePort()), RTP_PORT_MIN: '31000', RTP_PORT_MAX: '31199', ...env }
  server = await startServerProcess({ env: fixed })
  const first = server
  const [alice, bob] = [noise(1), noise(2)]
  client = await RecordingClient.create({ clock: systemClock, server: first.sip })
  const running: RecordingSession[] = []
  for (let number = 0; number < sessions; number++)
    running.push(
      await client.start([
        { label: '1', uri: 'sip:alice@example.com', name: 'Alice', law: 'PCMU', speech: alice },
        { label: '2', uri: 'sip:bob@example.com', name: 'Bob', law: 'PCMA', speech: bob },
      ]),
    )
  const ended: string[] = []
  for (const session of running) void session.ended.then(({ by }) => ended.push(by))
  await pause(talkMs)
  const saidBefore = running[0]?.sent(0).length ?? 0
  await first[kill]()
  server = await startServerProcess({ folder: first.folder, env: fixed })
  const second = server
  const saidAtStart = running[0]?.sent(0).length ?? 0
  for (const session of running) assert.equal(await session.ask(), 200)
  await pause(talkMs)
  assert.deepEqual(ended, [], 'no session was ended')
  const said = running.map((session) => [session.sent(0).slice(), session.sent(1).slice()])
  await Promise.all(running.map((session) => session.stop()))

  const recordings = await until('the recordings', 20_000, async () => {
    const { items } = await second.api.recordings()
    const finished = items.filter(({ state, files }) => state === 'interrupted' && files.length > 0)
    return finished.length === sessions && finished
  })
  const { items } = await second.api.recordings()
  assert.equal(items.length, sessions, 'one recording a session')
  for (const recording of recordings) {
    const { call } = await second.api.call(recording.callId)
    assert.equal(call.endReason, 'hangup')
    assert.equal(call.legs.length, 2)
    const index = running.findIndex(({ sipCallId }) => call.legs[0]?.sipCallId === sipCallId)
    const wav = decodeWav(await second.api.audio(recording.id))
    assert.ok(wav && wav.channels === 2, 'it plays')
    for (const [channel, sent] of (said[index] ?? []).entries()) {
      const recorded = wav.channel(channel)
      const early = loudFrom(sent, 4_000)
      const late = loudFrom(sent, sent.length - 12_000)
      const [earlyAt, lateAt] = [findRun(early.run, recorded), findRun(late.run, recorded)]
      assert.ok(earlyAt !== undefined, `session ${index}, channel ${channel}: what was said before is there`)
      assert.ok(lateAt !== undefined, `session ${index}, channel ${channel}: what was said after is there`)
      const offMs = (lateAt - earlyAt - (late.at - early.at)) / samplesPerMs
      assert.ok(
        Math.abs(offMs) <= 60,
        `session ${index}, channel ${channel}: the gap is of true length, but for ${offMs} ms`,
      )
      // At most a second before the end of the first process is lost.
      const last = loudFrom(sent, saidBefore - 8_000 - 1_600)
      assert.ok(last.at > saidBefore - 8_000 || findRun(last.run, recorded) !== undefined, 'at most a second is lost')
    }
    assert.deepEqual(
      recording.participants.map(({ name, channel }) => [name, channel]),
      [
        ['Alice', 0],
        ['Bob', 1],
      ],
    )
  }
  assert.ok(saidAtStart > saidBefore)
  assert.equal((await second.api.calls({})).items.length, sessions)
}

test('kill -9: sessions go on after the restart', needs(), () => restartDuring('kill', {}))

test('SIGTERM with SIPREC_HANDOVER: sessions are left running, and go on', needs(), () =>
  restartDuring('stop', { SIPREC_HANDOVER: 'true' }),
)
