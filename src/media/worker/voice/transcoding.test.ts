import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findSine, sine } from '../../../codec/test-support.ts'
import type { PayloadFormat } from '../../types.ts'
import { callOf, codecOf, g722, l16, opus, pcma, pcmu, speak } from './test-support.ts'

const formats = [pcmu, pcma, g722, l16, opus]

/** The noise of a tone in dB below it: what the worse of the two codecs makes of it. */
const worstSnrDb: Readonly<Record<string, number>> = { PCMU: 34, PCMA: 34, G722: 27, L16: 50, opus: 25 }
const worstOf = (a: PayloadFormat, b: PayloadFormat): number =>
  Math.min(worstSnrDb[a.encoding] ?? 0, worstSnrDb[b.encoding] ?? 0) - 2

for (const from of formats) {
  for (const to of formats) {
    if (from === to) continue
    test(`a tone through two ports from ${from.encoding} to ${to.encoding} keeps pitch, level and clarity`, () => {
      const { clock, frames, a, b } = callOf({ formats: [from] }, { formats: [to] })
      const rateHz = codecOf(from).sampleRateHz
      speak(clock, a, sine(1020, 8000, rateHz, 2), rateHz / 50, 20)
      const outHz = codecOf(to).sampleRateHz
      const heard = b.sound(to)
      const middle = heard.subarray(outHz / 2, outHz * 1.5)
      const { peak, snrDb } = findSine(middle, 1020, outHz)
      assert.ok(Math.abs(20 * Math.log10(peak / 8000)) < 0.3, `peak ${peak}`)
      assert.ok(snrDb > worstOf(from, to), `${snrDb} dB`)
      assert.ok(heard.length > outHz * 1.9, `${heard.length} samples`)
      clock.advance(2000)
      assert.equal(frames.sinks, 0, 'nothing runs on after the last packet')
    })
  }
}
