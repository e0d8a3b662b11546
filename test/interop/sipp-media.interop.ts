/** sipp streams a file of G.711 to baresip: what was recorded is the file bit for bit, and what baresip hears is like it. */
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { decodeG711, encodeG711 } from '../../src/codec/g711.ts'
import { readWav } from '../../src/codec/wav.ts'
import { findRun } from '../../src/demo/compare.ts'
import { PhoneRoom } from '../support/phone-room.ts'
import { extensionsFrom101, forOldClients, sippCaller } from '../support/phones.ts'
import { needs } from '../support/program.ts'
import { runSipp } from '../support/sipp.ts'
import { streamingCallerScenario } from '../support/sipp-scenarios.ts'
import { assertHeard } from '../support/speech-wav.ts'

const streamedMs = 3_000

let room: PhoneRoom
before(async () => {
  room = await PhoneRoom.open({ env: forOldClients })
})
after(() => room.close())

test('what sipp streams by rtp_stream arrives as it is', needs('sipp', 'baresip'), async (t) => {
  const [caller] = extensionsFrom101(1)
  assert.ok(caller)
  const bob = await room.baresip(t, '102', { autoAnswer: true })
  const file = encodeG711('PCMU', room.said('101').subarray(0, streamedMs * 8))
  const { sip } = room.server
  const result = await runSipp({
    scenario: streamingCallerScenario('speech.ul'),
    target: `${sip.ip}:${sip.port}`,
    calls: 1,
    holdMs: streamedMs + 1_000,
    files: { 'speech.ul': file },
    args: sippCaller(caller, '102'),
    timeoutMs: 30_000,
  })
  assert.equal(result.errors, '')
  assert.equal(result.successful, 1)
  await bob.saw('CALL_CLOSED')
  await bob.stop()

  const call = await room.ended()
  assert.deepEqual(
    call.legs.map(({ codec }) => codec),
    ['PCMU', 'PCMU'],
  )
  const leg = (await room.recorded(call)).find(({ kind }) => kind === 'leg')
  const { pcm } = await readWav(join(room.server.recordingDir, leg?.name ?? ''))
  const streamed = decodeG711('PCMU', file)
  assert.notEqual(findRun(streamed, pcm), undefined, `${pcm.length} samples`)
  await assertHeard('baresip', streamed, bob.heardWav(), { minSeconds: 1.5 })
})
