/** How well a call sounds, as other programs tell it and read it: reports of linphonec and baresip, ours in tshark. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Leg } from '../../src/api/schemas/calls.ts'
import { printRtcp } from '../../src/rtp/rtcp.ts'
import { PhoneRoom, talk } from '../support/phone-room.ts'
import { needs, startProgram } from '../support/program.ts'

let room: PhoneRoom
before(async () => {
  room = await PhoneRoom.open()
})
after(() => room.close())

/** Long enough for several reports of each side, which come about every five seconds. */
const reportsMs = 16_000

function assertHeardWell(leg: Leg | undefined): void {
  const quality = leg?.media?.quality
  assert.ok(quality, 'no quality was kept')
  // A machine that runs many tests at once is late, and takes packets for late.
  const busy = new Set(['high-loss', 'high-jitter'])
  assert.deepEqual(
    quality.verdicts.filter(({ code }) => !busy.has(code)),
    [],
  )
  assert.ok(quality.lossShare < 0.01, `loss ${quality.lossShare}`)
  assert.ok((quality.mos ?? 0) > 3, `MOS ${quality.mos}`)
  assert.ok(quality.roundTripMs !== undefined && quality.roundTripMs < 500, `round trip ${quality.roundTripMs} ms`)
  assert.ok(quality.heardByPeer && quality.heardByPeer.lossShare < 0.02, 'its reports were not taken')
}

test(
  'linphonec and baresip report how they hear us, and both are heard well',
  needs('linphonec', 'baresip'),
  async (t) => {
    const bob = await room.baresip(t, '102', { autoAnswer: true })
    const alice = await room.linphone(t, '101')
    alice.dial('102')
    await alice.saw('CallStreamsRunning')
    await talk(reportsMs)
    alice.command('terminate')
    await bob.saw('CALL_CLOSED')
    const call = await room.ended()
    for (const leg of call.legs) assertHeardWell(leg)
  },
)

test('baresips report on the port of RTP, whoever offers it (RFC 5761)', needs('baresip'), async (t) => {
  const bob = await room.baresip(t, '102', { autoAnswer: true, rtcpMux: true })
  const alice = await room.baresip(t, '101', { rtcpMux: true })
  alice.dial('102')
  await alice.saw('CALL_ESTABLISHED')
  await talk(reportsMs)
  alice.hangUp()
  await bob.saw('CALL_CLOSED')
  const call = await room.ended()
  for (const leg of call.legs) assertHeardWell(leg)
  const messages = await room.messages(call)
  const answers = messages.filter(({ summary }) => summary.startsWith('SIP/2.0 200')).map(({ text }) => text)
  assert.equal(answers.filter((text) => text.includes('a=rtcp-mux')).length, 2)
})

/** A capture of one datagram from port 4000 to port 4001: raw IPv4 in the classic format. */
function captureOf(payload: Uint8Array): Buffer {
  const datagram = Buffer.alloc(28 + payload.length)
  datagram.set([0x45, 0, datagram.length >> 8, datagram.length & 0xff, 0, 0, 0, 0, 64, 17])
  datagram.set([127, 0, 0, 1, 127, 0, 0, 1], 12)
  datagram.writeUInt16BE(4000, 20)
  datagram.writeUInt16BE(4001, 22)
  datagram.writeUInt16BE(8 + payload.length, 24)
  datagram.set(payload, 28)
  const head = Buffer.alloc(40)
  for (const [at, value] of [
    [0, 0xa1b2c3d4],
    [4, 0x0004_0002],
    [16, 65_535],
    [20, 101],
    [32, datagram.length],
    [36, datagram.length],
  ] as const)
    head.writeUInt32LE(value, at)
  return Buffer.concat([head, datagram])
}

test('tshark reads our extended reports (RFC 3611)', needs('tshark'), async () => {
  const metrics = {
    ssrc: 0x1234_5678,
    lossShare: 0.05,
    discardShare: 0.01,
    burstDensity: 0.5,
    gapDensity: 0.02,
    burstMs: 420,
    gapMs: 12_000,
    roundTripMs: 80,
    endSystemMs: 60,
    signalDbm0: -19,
    rFactor: 83,
    mosListening: 4.1,
    mosConversational: 4,
    concealed: true,
    adaptive: true,
    bufferMs: 40,
    bufferMaxMs: 60,
    bufferAbsoluteMaxMs: 200,
  }
  const report = printRtcp({
    ssrc: 9,
    cname: 'call',
    extended: [
      { type: 'reference-time', ntpSeconds: 3_900_000_000, ntpFraction: 1 },
      { type: 'delays', delays: [{ ssrc: 5, lastReference: 0x10_0000, delay: 65_536 }] },
      { type: 'voip-metrics', metrics },
    ],
    bye: true,
  })
  const file = join(tmpdir(), `patchbay-xr-${process.pid}.pcap`)
  await writeFile(file, captureOf(report))
  const tshark = startProgram('tshark', ['-r', file, '-d', 'udp.port==4000,rtcp', '-V', '-O', 'rtcp'], {
    timeoutMs: 60_000,
  })
  assert.equal(await tshark.exited, 0, tshark.output())
  const seen = tshark.output()
  for (const line of [
    /Type: Receiver Reference Time/,
    /Type: DLRR/,
    /Type: VoIP Metrics/,
    /Identifier: 0x12345678/,
    /Fraction lost: 12 \/ 256/,
    /Fraction discarded: 2 \/ 256/,
    /Burst Duration\(ms\): 420/,
    /Round Trip Delay\(ms\): 80/,
    /Signal Level: -19/,
    /R Factor: 83/,
    /MOS - Listening Quality: 4.1/,
    /MOS - Conversational Quality: 4/,
    /Nominal Jitter Buffer Size: 40/,
    /Goodbye/,
  ])
    assert.match(seen, line)
  assert.doesNotMatch(seen, /malformed/i)
})
