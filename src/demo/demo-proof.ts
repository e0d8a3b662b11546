/**
 * The proof of the demo: each recorded channel against the samples its party sent, as numbers a person can read.
 */
import { join } from 'node:path'
import type { Recording } from '../api/schemas/index.ts'
import { readWav } from '../codec/wav.ts'
import { sleep, systemClock } from '../core/clock.ts'
import type { ApiClient } from './api-client.ts'
import { correlate, proveChannel } from './compare.ts'
import type { Conversation } from './demo-call.ts'
import type { Steps } from './steps.ts'

/** What counts as the same speech. A bit-exact channel has 1. */
const minCorrelation = 0.97
const storedWithinMs = 15_000

interface Channel {
  readonly who: string
  readonly sent: Int16Array
}

/** @returns Lines that name the files. @throws {StepError} when a channel is not what was sent. */
export async function proveRecordings(
  steps: Steps,
  api: ApiClient,
  conversation: Conversation,
  recordingDir: string,
): Promise<string[]> {
  const { caller, callee, session, digits } = conversation
  const pbx = await steps.take('The call is stored with its recording', (note) =>
    stored(api, caller.sipCallId, note, digits),
  )
  const siprec = await steps.take('The SIPREC session is stored with its recording', (note) =>
    stored(api, session.sipCallId, note),
  )
  await steps.take('Each phone heard what the other said', async (note) => {
    note(heard('102 heard 101', caller.sent(), callee.heard()))
    note(heard('101 heard 102', callee.sent(), caller.heard()))
  })
  await steps.take("Channel by channel, the call's recording is what was sent", (note) =>
    prove(note, recordingDir, pbx, [
      { who: 'caller 101', sent: caller.sent() },
      { who: 'callee 102', sent: callee.sent() },
    ]),
  )
  await steps.take("Channel by channel, the SIPREC client's recording is what was sent", (note) =>
    prove(note, recordingDir, siprec, [
      { who: 'customer', sent: session.sent(0) },
      { who: 'agent', sent: session.sent(1) },
    ]),
  )
  return [
    '',
    'Files',
    ...[pbx, siprec].flatMap(({ files }) => files.map(({ name }) => `  ${join(recordingDir, name)}`)),
  ]
}

/** Wait until the call with this Call-ID has ended and its files are complete. */
async function stored(
  api: ApiClient,
  sipCallId: string,
  note: (text: string) => void,
  digits?: string,
): Promise<Recording> {
  const giveUpMs = systemClock.now() + storedWithinMs
  for (;;) {
    const [call] = (await api.calls({ search: sipCallId })).items
    const recording = call?.recordings[0]
    if (call?.endedAtMs !== undefined && recording?.state === 'stored') {
      note(`${call.from.uri} to ${call.to.uri}, ended: ${call.endReason}`)
      const pressed = call.legs.map((leg) => leg.digits).join('')
      if (digits !== undefined && pressed !== digits) throw new Error(`the server noted the digits "${pressed}"`)
      return recording
    }
    if (recording?.state === 'failed') throw new Error('the recording failed')
    if (systemClock.now() > giveUpMs) throw new Error(`not stored within ${storedWithinMs / 1000} s`)
    await sleep(systemClock, 100)
  }
}

function heard(what: string, sent: Int16Array, received: Int16Array): string {
  const { score } = correlate(sent, received)
  const line = `${what}: correlation ${score.toFixed(3)}`
  if (score < minCorrelation) throw new Error(`${line}, less than ${minCorrelation}`)
  return line
}

async function prove(
  note: (text: string) => void,
  recordingDir: string,
  recording: Recording,
  channels: readonly Channel[],
): Promise<void> {
  const combined = recording.files.find(({ kind }) => kind === 'combined')
  if (!combined) throw new Error('there is no combined file')
  const wav = await readWav(join(recordingDir, combined.name))
  if (wav.channels !== channels.length) throw new Error(`it has ${wav.channels} channels`)
  // Leg files are as long as what was received, to the sample; the order is that of the channels.
  const legs = recording.files.filter(({ kind }) => kind === 'leg')
  for (const [index, { who, sent }] of channels.entries()) {
    const { exact, correlation } = proveChannel(sent, wav.channel(index))
    const length = legs[index]?.samples
    const line = `${who}, channel ${index}: ${sent.length} samples sent, correlation ${correlation.score.toFixed(3)}${
      exact ? ', bit for bit the same' : ''
    }`
    if (correlation.score < minCorrelation) throw new Error(`${line}, less than ${minCorrelation}`)
    if (length !== sent.length) throw new Error(`${line}, but its leg file has ${length} samples`)
    note(line)
  }
}
