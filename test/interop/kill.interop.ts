/** kill -9 in the middle of ten recorded calls: after the restart all ten play and lack at most a second. */
import assert from 'node:assert/strict'
import { after, test } from 'node:test'
import { decodeWav } from '../../src/codec/wav.ts'
import { findRun } from '../../src/demo/compare.ts'
import type { PhoneCall } from '../../src/demo/phone-call.ts'
import { loadSpeech } from '../../src/demo/speech.ts'
import { extensionsFrom101, registeredPhone } from '../support/phones.ts'
import { needs } from '../support/program.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { until } from '../support/until.ts'

const calls = 10
const talkMs = 5_000
const oneSecond = 8_000

let server: ServerProcess | undefined
after(() => server?.remove())

for (const sealed of [false, true])
  test(`after kill -9 all ten recordings play and lack at most a second (sealed: ${sealed})`, needs(), async () => {
    await server?.remove()
    const env = { ENABLE_RECORDING_ENCRYPTION: String(sealed), ENABLE_METADATA_ENCRYPTION: String(sealed) }
    const speech = await loadSpeech('caller')
    const extensions = extensionsFrom101(2 * calls)
    server = await startServerProcess({ extensions, env })
    const running = server
    const phones = await Promise.all(extensions.map((extension) => registeredPhone(running, extension, { speech })))
    const pairs = await Promise.all(
      Array.from({ length: calls }, async (_, index): Promise<[PhoneCall, PhoneCall]> => {
        const [from, to] = [phones[index], phones[index + calls]]
        if (!from || !to) throw new Error('a phone is missing')
        const incoming = to.nextCall()
        const outcome = await from.call(extensions[index + calls]?.number ?? '').outcome
        if (!outcome.answered) throw new Error(`call ${index} was refused with ${outcome.status}`)
        return [outcome.call, await incoming]
      }),
    )
    await new Promise((resolve) => setTimeout(resolve, talkMs))

    const saidBefore = pairs.map((pair) => pair.map((side) => side.sent()))
    await running.kill()
    await Promise.all(phones.map((phone) => phone.vanish()))
    server = await startServerProcess({ folder: running.folder, env })

    const restarted = server
    const recordings = await until('ten repaired recordings', 20_000, async () => {
      const { items } = await restarted.api.recordings()
      const finished = items.filter(({ state, files }) => state === 'interrupted' && files.length > 0)
      return finished.length === calls && finished
    })
    const sipCallIds = pairs.map(([caller]) => caller.sipCallId)
    for (const recording of recordings) {
      const { call } = await restarted.api.call(recording.callId)
      assert.equal(call.endReason, 'interrupted')
      assert.ok(recording.files.every(({ name }) => name.endsWith('.sealed') === sealed))
      const index = sipCallIds.findIndex((id) => call.legs.some(({ sipCallId }) => sipCallId === id))
      const wav = decodeWav(await restarted.api.audio(recording.id))
      assert.ok(wav && wav.channels === 2, 'it plays')
      for (const [channel, said] of (saidBefore[index] ?? []).entries()) {
        const recorded = wav.channel(channel)
        const mustBeThere = said.subarray(0, said.length - oneSecond)
        assert.ok(
          findRun(mustBeThere, recorded) !== undefined,
          `call ${index}, channel ${channel}: ${lack(said, recorded)}`,
        )
      }
    }
  })

/** What is missing, in words: enough to see whether the end, the beginning or something between was lost. */
function lack(said: Int16Array, recorded: Int16Array): string {
  const packet = 160
  const first = said.findIndex((sample) => Math.abs(sample) > 1_000)
  const at = findRun(said.subarray(first, first + packet), recorded)
  if (at === undefined) return `its first loud packet is not among the ${recorded.length} samples`
  const offset = at - first
  const lost: number[] = []
  for (let from = 0; from + packet <= said.length; from += packet) {
    const there = recorded.subarray(Math.max(0, offset + from), offset + from + packet)
    if (said.subarray(from, from + packet).some((sample, i) => sample !== there[i])) lost.push(from / packet)
  }
  return `of ${Math.floor(said.length / packet)} packets these are not at offset ${offset}: ${lost.join(' ')}`
}
