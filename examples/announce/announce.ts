/**
 * Registers as an extension, calls another, says what is in a WAV file, hangs up.
 *
 *   EXTENSION_PASSWORD=… node examples/announce/announce.ts 127.0.0.1:5060 101 102 speech.wav
 */
import { readWav } from '../../src/codec/wav.ts'
import { sleep, systemClock } from '../../src/core/clock.ts'
import { SimulatedPhone } from '../../src/demo/phone.ts'

const [server = '', extension = '', number = '', file = ''] = process.argv.slice(2)
const [ip = '', port = '5060'] = server.split(':')
const password = process.env['EXTENSION_PASSWORD'] ?? ''

const { pcm: speech } = await readWav(file)
const phone = await SimulatedPhone.create({
  clock: systemClock,
  server: { ip, port: Number(port) },
  extension,
  password,
  speech,
})
try {
  await phone.register()
  const outcome = await phone.call(number).outcome
  if (outcome.answered) {
    while (!outcome.call.spoken) await sleep(systemClock, 50)
    await outcome.call.hangUp()
    console.log(`${number} heard the announcement`)
  } else {
    console.log(`${number} did not answer: ${outcome.status} ${outcome.reason}`)
    process.exitCode = 1
  }
  await phone.unregister()
} finally {
  await phone.close()
}
