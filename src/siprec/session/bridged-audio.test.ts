/** The two calls of a Built-in Bridge with real media: each voice is on its channel of the one file, as it was sent. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { decodeG711 } from '../../codec/g711.ts'
import { readWav } from '../../codec/wav.ts'
import { systemClock } from '../../core/clock.ts'
import { silentLogger } from '../../core/logger.ts'
import { FactBus } from '../../events/bus.ts'
import { createMediaPlane } from '../../media/plane.ts'
import { Recordings } from '../../recording/service.ts'
import { printRtp } from '../../rtp/packet.ts'
import { SiprecServer } from '../server.ts'
import { FakeInvite, readRequest, World } from '../test-support.ts'

const folderOfVendors = join(import.meta.dirname, '..', '..', '..', 'test', 'data', 'siprec', 'vendors')
const packets = 50
const samplesPerPacket = 160

async function recorder(context: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-bridged-'))
  const settings = { workers: 1, bindIp: '127.0.0.1', portMin: 30_000, portMax: 39_999 }
  const media = await createMediaPlane(settings, { log: silentLogger })
  const socket = createSocket('udp4').bind(0, '127.0.0.1')
  await once(socket, 'listening')
  context.after(async () => {
    socket.close()
    await media.close()
    rmSync(folder, { recursive: true })
  })
  const bus = new FactBus()
  const recordings = new Recordings({ folder, bus, clock: systemClock, log: silentLogger })
  const services = { ...new World().services, clock: systemClock, media, bus, recordings }
  const server = new SiprecServer(services, { streamSilentMs: 0, askWhenSilentMs: 0, srtp: 'accepted' })
  return { folder, media, socket, bus, server }
}

type Recorder = Awaited<ReturnType<typeof recorder>>

/** One end calls; its voice, one byte a packet more than the last, is sent at once. */
async function speak({ server, socket }: Recorder, end: 'near' | 'far', seed: number) {
  const invite = new FakeInvite(readRequest(readFileSync(join(folderOfVendors, `cisco-bib-${end}end.sip`))))
  const terms = { name: 'cucm', dialect: 'network', tags: [] } as const
  server.handle(invite, { terms, failed: (code) => assert.fail(code), over: () => {} })
  const { answer } = await invite.final
  const port = Number(/^m=audio (\d+)/m.exec(String(answer.body))?.[1])
  const pcm = new Int16Array(packets * samplesPerPacket)
  for (let index = 0; index < packets; index++) {
    const payload = Uint8Array.from({ length: samplesPerPacket }, (_, at) => (at * seed + index) & 0xff)
    pcm.set(decodeG711('PCMU', payload), index * samplesPerPacket)
    const header = { payloadType: 0, marker: false, sequence: index, timestamp: index * samplesPerPacket, ssrc: seed }
    socket.send(printRtp(header, payload), port, '127.0.0.1')
  }
  return { invite, pcm }
}

test('the far end calls first and hangs up first: the phone is on the left channel, the far end on the right, as they spoke', async (context) => {
  const here = await recorder(context)
  const stored = new Promise<string>((resolve) => here.bus.on('recording.stored', ({ baseName }) => resolve(baseName)))
  const far = await speak(here, 'far', 7)
  const near = await speak(here, 'near', 3)
  const received = async () => (await here.media.stats()).reduce((sum, { packetsReceived }) => sum + packetsReceived, 0)
  while ((await received()) < 2 * packets);
  far.invite.dialog.receiveBye()
  near.invite.dialog.receiveBye()

  const combined = await readWav(join(here.folder, `${await stored}.wav`))
  for (const [channel, { pcm }] of [near, far].entries()) {
    const heard = combined.channel(channel)
    const at = Buffer.from(heard.buffer, heard.byteOffset, heard.byteLength).indexOf(
      Buffer.from(pcm.buffer, pcm.byteOffset, pcm.byteLength),
    )
    assert.ok(at >= 0, `channel ${channel} holds what was sent`)
  }
})
