import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseRtcp, printRtcp } from './rtcp.ts'
import { printXr, type VoipMetrics, type XrBlock } from './rtcp-xr.ts'

const metrics: VoipMetrics = {
  ssrc: 0xffff_fff0,
  lossShare: 12 / 256,
  discardShare: 1 / 256,
  burstDensity: 0.5,
  gapDensity: 3 / 256,
  burstMs: 420,
  gapMs: 12_000,
  roundTripMs: 80,
  endSystemMs: 60,
  signalDbm0: -19,
  noiseDbm0: -62,
  rFactor: 83,
  mosListening: 4.1,
  mosConversational: 4.0,
  concealed: true,
  adaptive: true,
  bufferMs: 40,
  bufferMaxMs: 60,
  bufferAbsoluteMaxMs: 200,
}

const blocks: readonly XrBlock[] = [
  { type: 'reference-time', ntpSeconds: 3_900_000_000, ntpFraction: 0x8000_0000 },
  { type: 'delays', delays: [{ ssrc: 5, lastReference: 0xf000_0001, delay: 65_536 }] },
  { type: 'voip-metrics', metrics },
]

test('extended reports come back as they were, in a compound packet and alone (RFC 3611, RFC 5506)', () => {
  const extended = { type: 'extended' as const, ssrc: 9, blocks }
  const compound = printRtcp({ ssrc: 9, cname: 'x', extended: blocks, bye: true })
  assert.deepEqual(parseRtcp(compound), [
    { type: 'report', ssrc: 9, blocks: [] },
    extended,
    { type: 'bye', ssrcs: [9] },
  ])
  assert.deepEqual(parseRtcp(printXr(9, blocks)), [extended])
})

test('the fields of VoIP metrics lie where RFC 3611 §4.7 draws them', () => {
  const bytes = Buffer.from(printXr(9, [{ type: 'voip-metrics', metrics }]))
  assert.equal(bytes.length, 8 + 36)
  assert.equal(
    bytes.toString('hex'),
    '80cf000a' +
      '00000009' +
      '07000008' +
      'fffffff0' +
      '0c018003' +
      '01a42ee0' +
      '0050003c' +
      'edc27f10' +
      '537f2928' +
      'f0000028' +
      '003c00c8',
  )
})

test('what is not known is told as 127, and what is out of range is bent into it', () => {
  const { signalDbm0: _signal, rFactor: _r, mosListening: _mos, ...rest } = metrics
  const given = { ...rest, lossShare: 1.5, burstMs: 100_000, mosConversational: 0.5 }
  const [parsed] = parseRtcp(printXr(9, [{ type: 'voip-metrics', metrics: given }]))
  assert.ok(parsed?.type === 'extended')
  assert.deepEqual(parsed.blocks, [
    {
      type: 'voip-metrics',
      metrics: { ...rest, lossShare: 255 / 256, burstMs: 65_535, mosConversational: 1 },
    },
  ])
})

test('hostile bytes end the parse and nothing else: every cut and 20,000 changed bytes', () => {
  const good = printXr(9, blocks)
  for (let length = 0; length < good.length; length++) assert.deepEqual(parseRtcp(good.subarray(0, length)), [])
  let seed = 1
  for (let i = 0; i < 20_000; i++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    const bytes = good.slice()
    bytes[(seed >>> 8) % bytes.length] = seed >>> 24
    for (const packet of parseRtcp(bytes)) assert.ok(packet.type !== 'extended' || packet.blocks.length <= 16)
  }
})
