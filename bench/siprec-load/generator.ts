/**
 * A process of its own that sends many two-stream SIPREC sessions: INVITEs, paced RTP, BYEs.
 *
 *   siprec-load.ts  ── 'send', 'end' ─▶        here  ── SIP, RTP ─▶  server
 *                   ◀─ up, sent, ended ──
 *
 * Each stream has a socket, as a real client's has; its payload can be made again (payload.ts).
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { systemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { randomHex } from '../../src/core/random.ts'
import { recordingMetadata } from '../../src/demo/recording-metadata.ts'
import { rtpHeaderBytes, writeRtpHeader } from '../../src/rtp/packet.ts'
import { uint16, uint32 } from '../../src/rtp/sequence.ts'
import { connectionOf } from '../../src/sdp/media.ts'
import { parseSdp } from '../../src/sdp/parse.ts'
import { printMultipart } from '../../src/sip/message/multipart.ts'
import { createSipStack } from '../../src/sip/stack.ts'
import type { Address, Dialog } from '../../src/sip/stack.types.ts'
import { type FromGenerator, type Load, labels, type ToGenerator } from './load.ts'
import { pace } from './pacer.ts'
import { fillPayload, frameBytes } from './payload.ts'

interface Stream {
  readonly socket: Socket
  readonly remote: Address
  readonly ssrc: number
}

interface Session {
  readonly dialog: Dialog
  readonly streams: readonly Stream[]
}

const ip = '127.0.0.1'
const parties = labels.map((label) => ({ label, uri: `sip:party${label}@example.com`, name: `Party ${label}` }))

async function openSocket(): Promise<Socket> {
  const socket = createSocket('udp4')
  socket.on('error', () => {})
  socket.bind(0, ip)
  await once(socket, 'listening')
  return socket
}

function offer(ports: readonly number[]): string {
  const media = ports.map((port, i) => `m=audio ${port} RTP/AVP 0\r\na=label:${labels[i]}\r\na=sendonly\r\n`)
  return `v=0\r\no=- 1 1 IN IP4 ${ip}\r\ns=-\r\nc=IN IP4 ${ip}\r\nt=0 0\r\n${media.join('')}`
}

/** @throws {Error} when the server does not take both streams. */
async function invite(stack: Awaited<ReturnType<typeof createSipStack>>, server: Address): Promise<Session> {
  const sockets = await Promise.all(labels.map(openSocket))
  const { body, contentType } = printMultipart([
    { contentType: 'application/sdp', body: offer(sockets.map((socket) => socket.address().port)) },
    {
      contentType: 'application/rs-metadata+xml',
      headers: { 'Content-Disposition': 'recording-session' },
      body: recordingMetadata(randomHex(16), parties, new Date()),
    },
  ])
  const result = await stack.invite({
    target: { uri: `sip:recorder@${server.ip}:${server.port}`, via: { transport: 'udp', ...server } },
    from: `<sip:src@${ip}>`,
    to: `<sip:recorder@${server.ip}>`,
    contactParams: ';+sip.src',
    headers: { Require: 'siprec' },
    body,
    contentType,
  }).outcome
  if (!result.answered) throw new Error(`${result.response.status} ${result.response.reason}`)
  const answer = parseSdp(result.response.body)
  const streams = sockets.flatMap((socket) => {
    const media = answer.ok ? answer.description.media[sockets.indexOf(socket)] : undefined
    const connection = answer.ok && media ? connectionOf(answer.description, media) : undefined
    if (!media?.port || !connection) return []
    return [{ socket, remote: { ip: connection.address, port: media.port }, ssrc: Number.parseInt(randomHex(4), 16) }]
  })
  if (streams.length < labels.length) throw new Error('a stream was refused')
  return { dialog: result.dialog, streams }
}

/** Each stream begins near the wraps of its sequence number and timestamp, and passes both. */
function send(stream: Stream, index: number, packet: number): void {
  const bytes = Buffer.allocUnsafe(rtpHeaderBytes + frameBytes)
  const sequence = uint16(65_400 + index + packet)
  const timestamp = uint32(0xffff_0000 + packet * frameBytes)
  writeRtpHeader(bytes, 0, { marker: packet === 0, payloadType: 0, sequence, timestamp, ssrc: stream.ssrc })
  fillPayload(index, packet, bytes, rtpHeaderBytes)
  stream.socket.send(bytes, stream.remote.port, stream.remote.ip)
}

const tell = (message: FromGenerator): boolean | undefined => process.send?.(message)

async function told(word: ToGenerator): Promise<void> {
  for (;;) if ((await once(process, 'message'))[0] === word) return
}

async function run(load: Load): Promise<void> {
  const stack = await createSipStack({
    clock: systemClock,
    log: silentLogger,
    listen: [{ transport: 'udp', ip, port: 0 }],
  })
  const problems: string[] = []
  const pending = Array.from({ length: load.sessions }, async (_, i) => {
    await new Promise((resolve) => setTimeout(resolve, (i * 1000) / load.rate))
    return invite(stack, load.server).catch((error: unknown) => void problems.push(String(error)))
  })
  const sessions = (await Promise.all(pending)).filter((session) => session !== undefined)
  const streams = sessions.flatMap((session) => session.streams)
  tell({ type: 'up', callIds: sessions.map(({ dialog }) => dialog.id.callId), problems })

  await told('send')
  const pacing = await pace(streams.length, load.seconds * 50, (index, packet) => {
    const stream = streams[index]
    if (stream) send(stream, index, packet)
  })
  tell({ type: 'sent', pacing })

  await told('end')
  await Promise.all(sessions.map(({ dialog }) => dialog.bye()))
  for (const { socket } of streams) socket.close()
  await stack.close()
  tell({ type: 'ended' })
  process.disconnect()
}

await run(JSON.parse(process.argv[2] ?? '') as Load)
