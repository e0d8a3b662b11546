import assert from 'node:assert/strict'
import { test } from 'node:test'
import { middleOfNtp, ntpTime, parseRtcp, printRtcp, type ReportBlock, roundTripMs } from './rtcp.ts'

const block: ReportBlock = {
  ssrc: 0xffff_fff0,
  fractionLost: 12,
  cumulativeLost: -3,
  highestSequence: 0x0001_fffe,
  jitter: 77,
  lastReport: 0x1234_5678,
  delaySinceLastReport: 65_536,
}
const sender = {
  ntpSeconds: 3_900_000_000,
  ntpFraction: 0x8000_0000,
  rtpTimestamp: 0xffff_0000,
  packets: 5,
  bytes: 800,
}

test('a sender report with a block, a name and a goodbye comes back as it was', () => {
  const bytes = printRtcp({ ssrc: 9, cname: 'call-1', sender, block, bye: true })
  assert.equal(bytes.length % 4, 0)
  assert.deepEqual(parseRtcp(bytes), [
    { type: 'report', ssrc: 9, sender, blocks: [block] },
    { type: 'bye', ssrcs: [9] },
  ])
})

test('a receiver report without a block is the least that can be said', () => {
  const bytes = printRtcp({ ssrc: 9, cname: 'x' })
  const expected = Buffer.of(0x80, 201, 0, 1, 0, 0, 0, 9, 0x81, 202, 0, 2, 0, 0, 0, 9, 1, 1, 120, 0)
  assert.deepEqual(Buffer.from(bytes), expected, 'the name is ended by a zero')
})

test('wall time becomes NTP time', () => {
  assert.deepEqual(ntpTime(500), { ntpSeconds: 2_208_988_800, ntpFraction: 0x8000_0000 })
  assert.equal(middleOfNtp(0x0001_0002, 0x0003_0004), 0x0002_0003)
})

test('the round trip is arrival minus report minus delay (the example of RFC 3550 §6.4.1, figure 2)', () => {
  // A = b44d:b704 . 0xb710:8000, LSR = b705:2000, DLSR = 0005:4000 (5.25 s): the round trip is 6.125 s.
  const arrivedWallMs = (0xb44d_b710 - 2_208_988_800) * 1000 + 500
  const figure = { ...block, lastReport: 0xb705_2000, delaySinceLastReport: 0x0005_4000 }
  assert.equal(roundTripMs(figure, arrivedWallMs), 6125)
  assert.equal(roundTripMs({ ...figure, lastReport: 0 }, arrivedWallMs), undefined)
  assert.equal(roundTripMs({ ...figure, delaySinceLastReport: 0 }, arrivedWallMs + 60_000), undefined)
})

test('hostile bytes end the parse and nothing else: every cut and 20,000 changed bytes', () => {
  const good = printRtcp({ ssrc: 9, cname: 'call-1', sender, block, bye: true })
  for (let length = 0; length < good.length; length++) parseRtcp(good.subarray(0, length))
  let seed = 1
  for (let i = 0; i < 20_000; i++) {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0
    const bytes = good.slice()
    bytes[(seed >>> 8) % bytes.length] = seed >>> 24
    for (const packet of parseRtcp(bytes)) assert.ok(packet.type !== 'bye' || packet.ssrcs.length <= 31)
  }
})

test('types we do not know are stepped over', () => {
  const unknown = Uint8Array.of(0x80, 206, 0, 1, 1, 2, 3, 4)
  const bytes = Buffer.concat([unknown, printRtcp({ ssrc: 9, cname: 'x' })])
  assert.deepEqual(parseRtcp(bytes), [{ type: 'report', ssrc: 9, blocks: [] }])
})
