/** A pause from the service down to the file, through a real media worker and a real socket. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { decodeG711 } from '../codec/g711.ts'
import { readWav } from '../codec/wav.ts'
import { systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import { createMediaPlane } from '../media/plane.ts'
import { printRtp } from '../rtp/packet.ts'
import { Recordings } from './service.ts'

const ip = '127.0.0.1'
const payload = (sequence: number): Uint8Array => Uint8Array.from({ length: 160 }, (_, i) => (sequence * 7 + i) & 0x7f)

test('what is sent to a media worker while a recording is paused is not in its file', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-pause-live-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const settings = { workers: 1, bindIp: ip, advertisedIp: ip, portMin: 42_000, portMax: 42_999 }
  const plane = await createMediaPlane(settings, { log: silentLogger })
  t.after(() => plane.close())
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  const recordings = new Recordings({ folder, bus: new FactBus(), clock: systemClock, log: silentLogger })
  const port = await plane.openSession('call').openPort()
  port.describe({ receive: [{ payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 }], send: [] })
  const recording = recordings.start({ callId: 'call', name: 'x', tracks: [{ port, legId: 'a', role: 'caller' }] })
  let sequence = 0
  /** Resolves when the worker has taken them: it answers in order. */
  const send = async (packets: number): Promise<void> => {
    for (const until = sequence + packets; sequence < until; sequence++) {
      const header = { marker: false, payloadType: 0, sequence, timestamp: sequence * 160, ssrc: 5 }
      socket.send(printRtp(header, payload(sequence)), port.address.rtpPort, ip)
    }
    while ((await port.stats()).packetsReceived < sequence);
  }
  await send(10)
  recording.pause({ by: 'api' })
  await port.stats() // the worker has the order
  await send(10)
  recording.resume({ by: 'api' })
  await port.stats()
  await send(10)
  await recording.stop()
  const { pcm } = await readWav(join(folder, 'x_caller.wav'))
  for (let index = 0; index < 30; index++) {
    const said = decodeG711('PCMU', payload(index))
    const expected = index >= 10 && index < 20 ? new Int16Array(160) : said
    assert.deepEqual(pcm.slice(index * 160, (index + 1) * 160), expected, `packet ${index}`)
  }
})
