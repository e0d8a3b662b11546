/** How well a call was heard, from the packets of two simulated phones to its history and the metrics. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { loadSpeech } from '../src/demo/speech.ts'
import { connect, startTestServer, type TestServer, untilSpoken } from './support/in-process.ts'
import { until } from './support/until.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.close())

test('the history of a call says how well each side was heard, and the metrics count it', async () => {
  const speech = (await loadSpeech('caller')).subarray(0, 16_000)
  const [alice, bob] = [await server.phone('101', { speech }), await server.phone('102', { speech })]
  const [atAlice, atBob] = await connect(alice, bob, '102')
  await untilSpoken(atAlice, atBob)
  await atAlice.hangUp()
  await atBob.ended
  const call = await until('the call to be stored', 10_000, async () =>
    (await server.api.calls({ search: atAlice.sipCallId })).items.find(({ endedAtMs }) => endedAtMs),
  )
  assert.equal(call.legs.length, 2)
  for (const { media } of call.legs) {
    const quality = media?.quality
    assert.ok(quality)
    assert.equal(quality.scale, 'narrowband')
    assert.equal(quality.lossShare, 0)
    // A machine that runs many tests at once is late, and takes packets for late.
    assert.ok(quality.mos !== undefined && quality.mos > 2.5 && quality.mos < 4.42, String(quality.mos))
    assert.ok(quality.delayMs >= 60)
  }
  const response = await fetch(`${server.running.url}/metrics`)
  assert.match(await response.text(), /^patchbay_media_mos_count\{scale="narrowband"\} 2$/m)
})
