/**
 * A process of its own that sends many two-stream SIPREC sessions: INVITEs, paced RTP, BYEs.
 *
 *   siprec-load.ts  ── 'send', 'end' ─▶  here            ── SIP ─▶  server
 *                   ◀─ up, sent, ended ──  └─ native/load.c ── RTP ─▶
 *
 * All streams leave from one port, which is not the one that each offers: as behind NAT. Payload can be made again (payload.ts).
 */
import { once } from 'node:events'
import { systemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { randomHex } from '../../src/core/random.ts'
import { recordingMetadata } from '../../src/demo/recording-metadata.ts'
import { connectionOf } from '../../src/sdp/media.ts'
import { parseSdp } from '../../src/sdp/parse.ts'
import { printMultipart } from '../../src/sip/message/multipart.ts'
import { createSipStack } from '../../src/sip/stack.ts'
import type { Dialog } from '../../src/sip/stack.types.ts'
import { Generator, type LoadStream } from '../native/generator.ts'
import { type FromGenerator, type Load, labels, type ToGenerator } from './load.ts'

interface Session {
  readonly dialog: Dialog
  readonly streams: readonly LoadStream[]
}

const ip = '127.0.0.1'
const parties = labels.map((label) => ({ label, uri: `sip:party${label}@example.com`, name: `Party ${label}` }))

/** What is offered; nothing is sent there but RTCP, which nobody reads. */
let nextPort = 40_000

function offer(ports: readonly number[], muxed: boolean): string {
  const mux = muxed ? 'a=rtcp-mux\r\n' : ''
  const media = ports.map((port, i) => `m=audio ${port} RTP/AVP 0\r\na=label:${labels[i]}\r\n${mux}a=sendonly\r\n`)
  return `v=0\r\no=- 1 1 IN IP4 ${ip}\r\ns=-\r\nc=IN IP4 ${ip}\r\nt=0 0\r\n${media.join('')}`
}

/** @throws {Error} when the server does not take both streams. */
async function invite(stack: Awaited<ReturnType<typeof createSipStack>>, { server, muxed }: Load): Promise<Session> {
  const ports = labels.map(() => (nextPort = nextPort === 65_000 ? 40_000 : nextPort + 2))
  const { body, contentType } = printMultipart([
    { contentType: 'application/sdp', body: offer(ports, muxed) },
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
  const streams = labels.flatMap((_, i) => {
    const media = answer.ok ? answer.description.media[i] : undefined
    const connection = answer.ok && media ? connectionOf(answer.description, media) : undefined
    if (!media?.port || !connection) return []
    const ssrc = Number.parseInt(randomHex(4), 16)
    // It begins near the wraps of its sequence number and timestamp, and passes both.
    const sequence = 65_400 + (nextPort % 100)
    return [{ ip: connection.address, port: media.port, ssrc, sequence, timestamp: 0xffff_0000 }]
  })
  if (streams.length < labels.length) throw new Error('a stream was refused')
  return { dialog: result.dialog, streams }
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
  const rtp = await Generator.start({ seconds: load.seconds, raw: load.raw })
  const problems: string[] = []
  const pending = Array.from({ length: load.sessions }, async (_, i) => {
    await new Promise((resolve) => setTimeout(resolve, (i * 1000) / load.rate))
    return invite(stack, load).catch((error: unknown) => void problems.push(String(error)))
  })
  const sessions = (await Promise.all(pending)).filter((session) => session !== undefined)
  const streams = sessions.flatMap((session) => session.streams)
  tell({ type: 'up', callIds: sessions.map(({ dialog }) => dialog.id.callId), problems })

  await told('send')
  const report = await rtp.send(streams)
  tell({ type: 'sent', report })

  await told('end')
  await Promise.all(sessions.map(({ dialog }) => dialog.bye()))
  rtp.kill()
  await stack.close()
  tell({ type: 'ended' })
  process.disconnect()
}

await run(JSON.parse(process.argv[2] ?? '') as Load)
