/** A real media worker that dies in the middle of recordings: what becomes of their files. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeG711 } from '../codec/g711.ts'
import { readWav } from '../codec/wav.ts'
import { systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { FactOf } from '../events/catalogue.ts'
import { createMediaPlane } from '../media/plane.ts'
import { printRtp } from '../rtp/packet.ts'
import { Recordings } from './service.ts'

const ip = '127.0.0.1'
const pcmu = { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 } as const
const packets = 60
const payload = (sequence: number): Uint8Array => Uint8Array.from({ length: 160 }, (_, i) => (sequence * 7 + i) & 0xff)

test('when a media worker dies, what it wrote is stored as interrupted: at most a second is missing', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-lost-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const settings = { workers: 1, bindIp: ip, advertisedIp: ip, portMin: 41_000, portMax: 41_999 }
  const plane = await createMediaPlane(settings, { log: silentLogger })
  t.after(() => plane.close())
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  const bus = new FactBus()
  const stored = new Promise<FactOf<'recording.stored'>>((resolve) => bus.on('recording.stored', resolve))
  const recordings = new Recordings({ folder, bus, clock: systemClock, log: silentLogger })

  const session = plane.openSession('call')
  const port = await session.openPort()
  port.describe({ receive: [pcmu], send: [] })
  const recording = recordings.start({ callId: 'call', name: 'x', tracks: [{ port, legId: 'a', role: 'caller' }] })
  session.on('lost', () => void recording.stop())
  for (let sequence = 0; sequence < packets; sequence++) {
    const header = { marker: false, payloadType: 0, sequence, timestamp: sequence * 160, ssrc: 5 }
    socket.send(printRtp(header, payload(sequence)), port.address.rtpPort, ip)
    await sleep(20)
  }
  port.describe({ receive: null as never, send: [] }) // what no caller does kills the thread

  const { interrupted, files } = await stored
  assert.ok(interrupted)
  const { pcm } = await readWav(join(folder, files.find(({ kind }) => kind === 'leg')?.name ?? ''))
  assert.ok(pcm.length >= packets * 160 - 8000, `${pcm.length} samples`)
  const sent = Buffer.concat(Array.from({ length: packets }, (_, sequence) => payload(sequence)))
  assert.deepEqual(pcm, decodeG711('PCMU', sent).subarray(0, pcm.length))
})
