/** Media workers of a real server die, or stand still, in the middle of calls of every kind: who notices, and what is left. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { findSine, sine } from '../../src/codec/test-support.ts'
import { decodeWav } from '../../src/codec/wav.ts'
import { findRun } from '../../src/demo/compare.ts'
import type { SimulatedPhone } from '../../src/demo/phone.ts'
import type { PhoneCall } from '../../src/demo/phone-call.ts'
import { loadSpeech } from '../../src/demo/speech.ts'
import { extensionsFrom101, type PhoneWish, registeredPhone } from '../support/phones.ts'
import { needs } from '../support/program.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'
import { type Fault, faultArgs } from '../support/worker-faults.ts'

const extensions = extensionsFrom101(10)
const talkMs = 3_000
const oneSecond = 8_000
const toneHz = 600
const tone = sine(toneHz, 6000, 8000, 120)

let server: ServerProcess
const phones: SimulatedPhone[] = []
before(async () => {
  server = await startServerProcess({
    extensions,
    env: { MEDIA_WORKERS: '2', NODE_OPTIONS: faultArgs.join(' '), WORKER_FAULT_FILE: 'fault.json' },
  })
})
after(async () => {
  await Promise.all(phones.map((each) => each.close()))
  await server.remove()
})

function cause(fault: Fault): void {
  writeFileSync(join(server.folder, 'fault.json'), JSON.stringify(fault))
  process.kill(server.pid, 'SIGUSR2')
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

async function phone(index: number, wish: PhoneWish = {}): Promise<SimulatedPhone> {
  const extension = extensions[index]
  assert.ok(extension)
  const registered = await registeredPhone(server, extension, { speech: tone, ...wish })
  phones.push(registered)
  return registered
}

async function dial(from: SimulatedPhone, number: string): Promise<PhoneCall> {
  const outcome = await from.call(number).outcome
  assert.ok(outcome.answered, `${number}: ${outcome.answered ? '' : outcome.status}`)
  return outcome.call
}

/** The tone, in the last half second that came. */
const hears = (call: PhoneCall): boolean => {
  const latest = call.heard().subarray(-4000)
  return latest.length === 4000 && findSine(latest, toneHz, 8000).peak > 1500
}

const endOf = (call: PhoneCall) =>
  until('the end of the call to be stored', 20_000, async () => {
    const { items } = await server.api.calls({ search: call.sipCallId })
    return items.find(({ endedAtMs }) => endedAtMs !== undefined)?.endReason
  })

const healthOf = async () =>
  (await (await fetch(`${server.api.url}/health`)).json()) as {
    readonly checks: Readonly<Record<string, { readonly status: string; readonly message: string }>>
  }

test('workers that die end their calls as media-lost, and the next calls of every kind work', needs(), async () => {
  const speech = await loadSpeech('caller')
  const wishes: PhoneWish[] = [
    { speech },
    {},
    { laws: ['PCMU'] },
    { laws: ['PCMA'] },
    {},
    {},
    {},
    {},
    { habit: 'ring' },
  ]
  const [a, , c, , e, f, g, h] = await Promise.all(wishes.map((wish, i) => phone(i, wish)))
  assert.ok(a && c && e && f && g && h)
  const kinds: readonly (() => Promise<PhoneCall>)[] = [
    () => dial(a, '102'),
    () => dial(c, '104'), // one law on each side
    () => dial(e, '*43'),
    () => dial(f, '*61'),
    () => dial(g, '*61'),
  ]
  const calls: PhoneCall[] = []
  for (const kind of kinds) calls.push(await kind())
  const [recorded] = calls
  assert.ok(recorded)
  await sleep(talkMs)
  for (const [i, call] of calls.entries()) if (i > 0) await until(`call ${i} to hear`, 20_000, () => hears(call))
  const unanswered = h.call('109')
  await unanswered.ringing
  const saidBefore = recorded.sent()

  cause({ worker: 0, fault: 'die' })
  const ended = new Set<PhoneCall>()
  for (const call of calls) void call.ended.then(() => ended.add(call))
  await sleep(1_000)
  assert.ok(ended.size > 0 && ended.size < calls.length, `${ended.size} of ${calls.length} calls were on that worker`)
  for (const [i, call] of calls.entries())
    if (i > 0 && !ended.has(call)) assert.ok(hears(call), `call ${i} was on the other worker, and hears nothing`)
  cause({ worker: 1, fault: 'die' })

  await Promise.all(calls.map((call) => call.ended))
  for (const call of calls) assert.equal(await endOf(call), 'media-lost')
  const refused = await unanswered.outcome
  assert.deepEqual([refused.answered, !refused.answered && refused.status], [false, 500])
  const recording = await until('the recording', 20_000, async () => {
    const { items } = await server.api.recordings()
    return items.find(
      ({ state, files, call }) =>
        state === 'interrupted' && files.length > 0 && call.from.extension === extensions[0]?.number,
    )
  })
  const wav = decodeWav(await server.api.audio(recording.id))
  assert.ok(wav)
  const kept = saidBefore.subarray(0, saidBefore.length - oneSecond)
  assert.ok(findRun(kept, wav.channel(0)) !== undefined, 'what was said until a second before is in the recording')
  assert.equal((await server.api.liveCalls()).items.length, 0)

  const next: PhoneCall[] = []
  for (const kind of kinds) next.push(await kind())
  for (const [i, call] of next.entries()) {
    await until(`call ${i} to hear again`, 20_000, () => hears(call))
    await call.hangUp()
  }
})

test('while a worker stands still the server says so and answers, and the call goes on after it', needs(), async () => {
  const call = await dial(await phone(9), '*43')
  await until('the echo', 10_000, () => hears(call))
  for (const worker of [0, 1]) {
    cause({ worker, fault: 'stand', forMs: 8_000 })
    await sleep(200) // until it is read
  }

  await until('the health to tell', 12_000, async () => (await healthOf()).checks['media']?.status === 'unhealthy', 300)
  const metrics = await (await fetch(`${server.api.url}/metrics`)).text()
  assert.match(metrics, /^patchbay_media_worker_stalls_total 2$/m)
  assert.match(metrics, /^patchbay_media_worker_down_seconds\{worker="1"\} [4-9]/m)

  await until('all to be well again', 15_000, async () => (await healthOf()).checks['media']?.status === 'healthy', 300)
  await sleep(1_000)
  assert.ok(hears(call), 'the echo goes on')
  await call.hangUp()
  assert.equal(await endOf(call), 'hangup')
})
