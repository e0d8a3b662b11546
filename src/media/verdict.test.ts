import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Evidence, judge, sentence, type VerdictCode, verdicts } from './verdict.ts'

/** Five seconds of a good stream. */
const good: Evidence = {
  expectsPackets: true,
  quietMs: 20,
  everReceived: true,
  sent: 250,
  expected: 250,
  missing: 0,
  undecrypted: 0,
  sound: { clippedShare: 0, silentMs: 0 },
  jitterMs: 3,
  delayMs: 80,
}

/** A stream of a recording client, to which nothing is sent. */
const onlyHeard = { listensOnly: true, sent: 0 }

const codes = (more: Partial<Evidence>): VerdictCode[] => judge({ ...good, ...more }).map(({ code }) => code)

test('a good stream has no verdict, nor has one of which little is known', () => {
  assert.deepEqual(codes({}), [])
  const quiet = {
    expectsPackets: false,
    quietMs: 60_000,
    everReceived: false,
    sent: 0,
    expected: 0,
    missing: 0,
    undecrypted: 0,
  }
  assert.deepEqual(judge({ ...quiet, jitterMs: 0 }), [])
})

test('each verdict begins at its limit', () => {
  const limits: readonly (readonly [VerdictCode, Partial<Evidence>, Partial<Evidence>])[] = [
    ['one-way-audio', { quietMs: 10_000 }, { quietMs: 9_999 }],
    ['one-way-audio', { quietMs: 5_000, everReceived: false }, { quietMs: 5_000, everReceived: false, sent: 99 }],
    ['one-way-audio', { quietMs: 10_000 }, { quietMs: 10_000, expectsPackets: false }],
    ['no-audio', { ...onlyHeard, quietMs: 10_000 }, { ...onlyHeard, quietMs: 9_999 }],
    [
      'no-audio',
      { ...onlyHeard, quietMs: 5_000, everReceived: false },
      { ...onlyHeard, quietMs: 4_999, everReceived: false },
    ],
    ['wrong-address', { stranger: { address: 'a', packets: 25 } }, { stranger: { address: 'a', packets: 24 } }],
    ['wrong-codec', { unknown: { payloadType: 18, packets: 25 } }, { unknown: { payloadType: 18, packets: 24 } }],
    ['wrong-key', { undecrypted: 25 }, { undecrypted: 24 }],
    ['silence', { sound: { clippedShare: 0, silentMs: 30_000 } }, { sound: { clippedShare: 0, silentMs: 29_000 } }],
    ['clipping', { sound: { clippedShare: 0.01, silentMs: 0 } }, { sound: { clippedShare: 0.009, silentMs: 0 } }],
    ['echo', { echo: { delayMs: 30, lossDb: 29 } }, { echo: { delayMs: 29, lossDb: 29 } }],
    ['echo', { echo: { delayMs: 200, lossDb: 10 } }, { echo: { delayMs: 200, lossDb: 30 } }],
    ['high-loss', { missing: 8 }, { missing: 7 }],
    ['high-jitter', { jitterMs: 40 }, { jitterMs: 39 }],
    ['high-delay', { delayMs: 200 }, { delayMs: 199 }],
  ]
  for (const [code, over, under] of limits) {
    assert.deepEqual(codes(over), [code])
    assert.deepEqual(codes(under), [], code)
  }
  assert.deepEqual(new Set(limits.map(([code]) => code)), new Set(Object.keys(verdicts)))
})

test('a verdict says what was seen', () => {
  const [strange] = judge({ ...good, stranger: { address: '198.51.100.7:4000', packets: 99 } })
  assert.ok(strange)
  assert.equal(
    sentence(strange),
    'Packets from 198.51.100.7:4000 were refused: the audio of this call comes from elsewhere',
  )
  const [lossy] = judge({ ...good, missing: 25 })
  assert.equal(lossy && sentence(lossy), 'Packets are lost or too late: 10.0 %')
})

test('a stream of a recording client says since when nothing comes', () => {
  const gone = { ...good, ...onlyHeard, quietMs: 12_000, heardForMs: 31_700 }
  assert.deepEqual(judge(gone).map(sentence), ['It sent no audio after 32 s'])
  assert.deepEqual(judge({ ...gone, everReceived: false }).map(sentence), ['It sent no audio at all'])
})
