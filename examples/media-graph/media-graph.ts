/**
 * The sound of a call without a call: a media plane in this process, and a phone that is a socket.
 *
 * Plays a tone and a file to the phone, listens to what it hears, speaks into it, is interrupted, and says what happened.
 *
 *   node examples/media-graph/media-graph.ts src/demo/speech/caller.wav
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readWav } from '../../src/codec/wav.ts'
import { sleep, systemClock } from '../../src/core/clock.ts'
import { silentLogger } from '../../src/core/logger.ts'
import { createMediaPlane } from '../../src/media/plane.ts'

const [file = ''] = process.argv.slice(2)
const speech = await readWav(file)

const phone = createSocket('udp4')
phone.bind(0, '127.0.0.1')
await once(phone, 'listening')
let packets = 0
phone.on('message', () => packets++)

const settings = { workers: 1, bindIp: '127.0.0.1', portMin: 26_000, portMax: 26_999 }
const plane = await createMediaPlane(settings, { log: silentLogger })
const session = plane.openSession('example')
const port = await session.openPort()
const pcmu = { payloadType: 0, encoding: 'PCMU', clockRateHz: 8000 }
const { port: rtpPort } = phone.address()
port.describe({ remote: { ip: '127.0.0.1', rtpPort, rtcpPort: rtpPort + 1 }, receive: [pcmu], send: [pcmu] })

// Listen to what the phone hears, in frames of 20 ms
let frames = 0
const tap = port.sound.tap({ what: 'heard', sampleRateHz: 8000, encoding: 's16le', frameMs: 20 }, () => void frames++)

// A tone, a pause and a file, without a gap between them
const sounds = [{ tone: 'busy', country: 'de', durationMs: 960 }, { silenceMs: 40 }, { file }] as const
const playback = port.sound.play(sounds, { volumeDb: -3 })
const { reason, positionMs } = await playback.ended
console.log(`played ${(positionMs / 1000).toFixed(2)} s: ${reason}`)

// An agent speaks faster than it is heard, and is interrupted after half a second
const agent = port.sound.inject({ sampleRateHz: 8000, encoding: 's16le' })
const { pcm } = speech
agent.write(new Uint8Array(pcm.buffer, pcm.byteOffset, pcm.byteLength))
await sleep(systemClock, 500)
const unheardMs = await agent.flush()
console.log(`the agent was interrupted: ${unheardMs > 0 ? 'something' : 'nothing'} was left unsaid`)
agent.stop()
tap.stop()

console.log(
  packets > 50 && frames > 50 ? 'the phone heard it, and so did we' : `only ${packets} packets, ${frames} frames`,
)
await session.close()
await plane.close()
phone.close()
