/**
 * The scene of the demo: Alice calls Bob, they talk, Alice presses keys, Bob hangs up; meanwhile a recording client
 * sends a call between a customer and an agent.
 */
import { sleep, systemClock } from '../core/clock.ts'
import { newPassword } from '../core/random.ts'
import type { Address } from '../sip/stack.types.ts'
import type { ApiClient } from './api-client.ts'
import { SimulatedPhone } from './phone.ts'
import type { PhoneCall } from './phone-call.ts'
import { RecordingClient, type RecordingSession } from './recording-client.ts'
import { loadSpeech } from './speech.ts'
import type { Steps } from './steps.ts'

/** What was said, to be compared with what was recorded. */
export interface Conversation {
  /** Alice's side; her Call-ID names the call. */
  readonly caller: PhoneCall
  readonly callee: PhoneCall
  readonly digits: string
  readonly session: RecordingSession
}

const clock = systemClock
const digits = '12#'
const ringMs = 1_000

export async function holdConversation(steps: Steps, api: ApiClient): Promise<Conversation> {
  const [caller, callee, customer, agent] = await Promise.all(
    (['caller', 'callee', 'customer', 'agent'] as const).map(loadSpeech),
  )
  if (!caller || !callee || !customer || !agent) throw new Error('speech is missing')
  const server = await steps.take('Ask the server where it speaks SIP', async (note) => {
    const { sip } = await api.status()
    const listener = sip.listeners.find(({ transport }) => transport === 'udp')
    if (!listener) throw new Error('it speaks no SIP over UDP')
    note(`sip:${listener.ip}:${listener.port}, UDP and TCP; console ${api.url}`)
    return { ip: listener.ip, port: listener.port }
  })
  const alice = await addPhone(api, server, '101', 'Alice', caller)
  const bob = await addPhone(api, server, '102', 'Bob', after(caller, callee))
  const recorder = await RecordingClient.create({ clock, server })
  try {
    await steps.take('Two phones register, 101 and 102', async () => {
      await Promise.all([alice.register(), bob.register()])
    })
    const { atAlice, atBob } = await steps.take('101 calls 102, it rings, 102 answers', () => call(steps, alice, bob))
    const session = await steps.take('A SIPREC client starts to send another call, two streams', () =>
      recorder.start([
        { label: '1', uri: 'sip:customer@example.com', name: 'Customer', law: 'PCMU', speech: customer },
        { label: '2', uri: 'sip:agent@example.com', name: 'Agent', law: 'PCMA', speech: after(customer, agent) },
      ]),
    )
    await steps.take('They talk', async (note) => {
      const { items } = await api.liveCalls()
      note(`the server shows ${items.length} live calls, ${items.filter(({ recording }) => recording).length} recorded`)
      while (!atAlice.spoken || !atBob.spoken || !session.spoken) await sleep(clock, 100, steps.signal)
    })
    await steps.take(`101 presses ${digits}`, async (note) => {
      await atAlice.press(digits)
      await sleep(clock, 300)
      note(`102 heard ${atBob.digitsHeard || 'none'}`)
      if (atBob.digitsHeard !== digits) throw new Error(`102 heard "${atBob.digitsHeard}"`)
    })
    await steps.take('102 hangs up, the SIPREC client ends its session', async () => {
      atAlice.fallSilent()
      await sleep(clock, 100)
      await Promise.all([atBob.hangUp(), session.stop()])
      await steps.within('BYE at 101', 5_000, atAlice.ended)
    })
    return { caller: atAlice, callee: atBob, digits, session }
  } finally {
    await Promise.all([alice.close(), bob.close(), recorder.close()])
  }
}

async function addPhone(api: ApiClient, server: Address, extension: string, displayName: string, speech: Int16Array) {
  const password = newPassword()
  await api.addExtension({ number: extension, displayName, password })
  return SimulatedPhone.create({ clock, server, extension, displayName, password, speech, ringMs })
}

async function call(steps: Steps, alice: SimulatedPhone, bob: SimulatedPhone) {
  const atBob = bob.nextCall()
  const placed = alice.call('102')
  await steps.within('ringing', 5_000, placed.ringing)
  const outcome = await steps.within('answer', 10_000, placed.outcome)
  if (!outcome.answered) throw new Error(`the call was refused with ${outcome.status} ${outcome.reason}`)
  return { atAlice: outcome.call, atBob: await steps.within('call at 102', 5_000, atBob) }
}

/** `speech`, after silence as long as `first`: people take turns. */
function after(first: Int16Array, speech: Int16Array): Int16Array {
  const both = new Int16Array(first.length + speech.length)
  both.set(speech, first.length)
  return both
}
