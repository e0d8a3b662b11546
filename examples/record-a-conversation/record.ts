/**
 * Sends two WAV files to a SIPREC recording server as the two parties of one conversation (RFC 7866).
 *
 *   node examples/record-a-conversation/record.ts 127.0.0.1:5060 caller.wav callee.wav
 */
import { readWav } from '../../src/codec/wav.ts'
import { sleep, systemClock } from '../../src/core/clock.ts'
import { RecordingClient } from '../../src/demo/recording-client.ts'

const [server = '', callerFile = '', calleeFile = ''] = process.argv.slice(2)
const [ip = '', port = '5060'] = server.split(':')

const client = await RecordingClient.create({ clock: systemClock, server: { ip, port: Number(port) } })
try {
  const session = await client.start([
    { label: '1', uri: 'sip:caller@example.com', name: 'Caller', law: 'PCMU', speech: (await readWav(callerFile)).pcm },
    { label: '2', uri: 'sip:callee@example.com', name: 'Callee', law: 'PCMU', speech: (await readWav(calleeFile)).pcm },
  ])
  while (!session.spoken) await sleep(systemClock, 50)
  await session.stop()
  console.log(`recorded as ${session.sipCallId}.wav`)
} finally {
  await client.close()
}
