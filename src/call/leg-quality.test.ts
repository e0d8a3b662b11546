import assert from 'node:assert/strict'
import { test } from 'node:test'
import { goodQuality } from '../media/test-support.ts'
import { LegQuality } from './leg-quality.ts'

const good = { ...goodQuality, mos: 4.38012, rating: 91.9999, lossShare: 1 / 3, jitterMs: 1.26, delayMs: 60.4 }

test('figures are rounded, and verdicts become sentences with advice', () => {
  const { verdicts, ...figures } = new LegQuality().hear({ ...good, verdicts: [{ code: 'high-loss', about: '5.0 %' }] })
  assert.deepEqual(figures, {
    mos: 4.38,
    rating: 92,
    scale: 'narrowband',
    lossShare: 0.3333,
    discardShare: 0,
    burstRatio: 1,
    jitterMs: 1.3,
    delayMs: 60,
  })
  assert.deepEqual(
    verdicts.map(({ code, text }) => [code, text]),
    [['high-loss', 'Packets are lost or too late: 5.0 %']],
  )
  assert.ok((verdicts[0]?.advice.length ?? 0) > 20)
})

test('the whole leg has every verdict that ever was, once, with what was seen last', () => {
  const quality = new LegQuality()
  quality.hear({ ...good, verdicts: [{ code: 'high-loss', about: '5.0 %' }] })
  quality.hear({ ...good, verdicts: [{ code: 'high-loss', about: '7.0 %' }, { code: 'silence' }] })
  quality.hear(good)
  assert.deepEqual(quality.last?.verdicts, [])
  assert.deepEqual(
    quality.whole(good).verdicts.map(({ text }) => text),
    ['Packets are lost or too late: 7.0 %', 'Packets come, but only silence is in them'],
  )
})
