/**
 * sipp as SIPREC client, its RTP from a capture of speech: what was recorded is what was sent, bit for bit.
 *
 * sipp plays captures through raw sockets, which only root may open.
 */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { readWav } from '../../src/codec/wav.ts'
import { findRun } from '../../src/demo/compare.ts'
import { loadSpeech } from '../../src/demo/speech.ts'
import { needs } from '../support/program.ts'
import { damage, pcapOf, type SpokenCapture, speak } from '../support/rtp-capture.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { runSipp } from '../support/sipp.ts'
import { recordingClientScenario } from '../support/sipp-scenarios.ts'
import { until } from '../support/until.ts'

const needed = process.getuid?.() === 0 ? needs('sipp') : { skip: 'sipp plays captures as root only' }
const sessions = 3

let server: ServerProcess
before(async () => {
  server = await startServerProcess()
})
after(() => server.remove())

async function recordedFrom(capture: SpokenCapture): Promise<void> {
  const lastMs = capture.packets.at(-1)?.atMs ?? 0
  const known = new Set((await server.api.recordings()).items.map(({ id }) => id))

  const result = await runSipp({
    scenario: recordingClientScenario('speech.pcap'),
    target: `${server.sip.ip}:${server.sip.port}`,
    calls: sessions,
    rate: 2,
    holdMs: lastMs + 1_000,
    files: { 'speech.pcap': pcapOf(capture.packets) },
    args: '-s recorder -key caller src'.split(' '),
    timeoutMs: 60_000,
  })
  assert.equal(result.errors, '')
  assert.equal(result.successful, sessions)

  const recordings = await until('all recordings to be stored', 15_000, async () => {
    const items = (await server.api.recordings()).items.filter(({ id, state }) => !known.has(id) && state === 'stored')
    return items.length === sessions && items
  })
  for (const { files, participants } of recordings) {
    const leg = files.find(({ label }) => label === '1')
    assert.ok(leg, `label 1 is among ${files.map(({ name }) => name).join(', ')}`)
    const { pcm } = await readWav(join(server.recordingDir, leg.name))
    assert.equal(pcm.length, capture.samples.length)
    assert.deepEqual(pcm, capture.samples)
    const combined = await readWav(join(server.recordingDir, files.find(({ kind }) => kind === 'combined')?.name ?? ''))
    assert.equal(combined.channels, 2)
    assert.notEqual(findRun(capture.samples, combined.channel(0)), undefined)
    assert.ok(combined.channel(1).every((sample) => sample === 0))
    assert.deepEqual(
      participants.map(({ name, channel }) => [name, channel]),
      [
        ['Alice', 0],
        ['Bob', 1],
      ],
    )
  }
}

test('a capture is recorded bit for bit', needed, async () => {
  await recordedFrom(speak(await loadSpeech('customer')))
})

test('with 5 % of the packets lost, 5 % doubled and 5 % swapped, what came is in its place', needed, async () => {
  await recordedFrom(damage(speak(await loadSpeech('customer')), 1))
})
