/** Does what load.c does, where there is no C compiler: the same arguments, lines and packets, at twice the cost. Not `--raw`. */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { rtpHeaderBytes, writeRtpHeader } from '../../src/rtp/packet.ts'
import { uint16, uint32 } from '../../src/rtp/sequence.ts'
import { pace } from '../siprec-load/pacer.ts'
import { fillPayload, frameBytes } from '../siprec-load/payload.ts'
import type { LoadReport, LoadStream } from './generator.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    stamp: { type: 'boolean' },
    settle: { type: 'string', default: '0' },
    raw: { type: 'boolean' },
  },
})
const ip = '127.0.0.1'
const packetBytes = rtpHeaderBytes + frameBytes

const socket = createSocket({
  type: 'udp4',
  recvBufferSize: 8 * 2 ** 20,
  lookup: (_name, _options, found) => found(null, ip, 4),
})
socket.on('error', () => {})
socket.bind(0, ip)
await once(socket, 'listening')
let returned = 0
const delaysMs: number[] = []
/** Delays count from here on. */
let settledAtMs = Number.POSITIVE_INFINITY
socket.on('message', (bytes) => {
  if (bytes.length !== packetBytes) return
  returned++
  if (values.stamp && performance.now() >= settledAtMs)
    delaysMs.push(Number(process.hrtime.bigint() - bytes.readBigUInt64LE(rtpHeaderBytes)) / 1e6)
})
console.log(JSON.stringify({ port: socket.address().port }))

const streams: LoadStream[] = []
for await (const line of createInterface({ input: process.stdin })) {
  const [to = '', port, ssrc, sequence, timestamp] = line.split(' ')
  if (to === '') break
  streams.push({
    ip: to,
    port: Number(port),
    ssrc: Number(ssrc),
    sequence: Number(sequence),
    timestamp: Number(timestamp),
  })
}
settledAtMs = performance.now() + Number(values.settle) * 1000
const pacing = await pace(streams.length, Number(values.seconds) * 50, (number, packet) => {
  const stream = streams[number]
  if (!stream) return
  const bytes = Buffer.allocUnsafe(packetBytes)
  const header = {
    marker: packet === 0,
    payloadType: 0,
    sequence: uint16(stream.sequence + packet),
    timestamp: uint32(stream.timestamp + packet * frameBytes),
    ssrc: stream.ssrc,
  }
  writeRtpHeader(bytes, 0, header)
  fillPayload(number, packet, bytes, rtpHeaderBytes)
  if (values.stamp) bytes.writeBigUInt64LE(process.hrtime.bigint(), rtpHeaderBytes)
  socket.send(bytes, stream.port, stream.ip)
})
await sleep(500) // what is still on its way
delaysMs.sort((a, b) => a - b)
const delay = (part: number): number => delaysMs[Math.ceil(delaysMs.length * part) - 1] ?? 0
const report: LoadReport = {
  sent: pacing.packets,
  lateP99Ms: pacing.lateP99Ms,
  lateMaxMs: pacing.lateMaxMs,
  returned,
  delayP50Ms: delay(0.5),
  delayP99Ms: delay(0.99),
  delayMaxMs: delay(1),
}
console.log(JSON.stringify(report))
socket.close()
