/**
 * How well one leg is heard, in words for facts, history and console.
 *
 *   MediaPort  ── StreamQuality ─▶  here  ── Quality ─▶  facts while it lives, the leg's summary at its end
 *
 * Remembers each verdict that ever was, with what was seen last: at the end of a call one wants to know of the echo in
 * its first minute too.
 */
import type { Quality, QualityVerdict } from '../events/catalogue.ts'
import type { StreamQuality } from '../media/types.ts'
import { sentence, type Verdict, type VerdictCode, verdicts } from '../media/verdict.ts'

export class LegQuality {
  readonly #ever = new Map<VerdictCode, Verdict>()
  #last: Quality | undefined

  /** As told last. */
  get last(): Quality | undefined {
    return this.#last
  }

  hear(quality: StreamQuality): Quality {
    for (const verdict of quality.verdicts) this.#ever.set(verdict.code, verdict)
    this.#last = inWords(quality, quality.verdicts)
    return this.#last
  }

  /** Of the whole leg, with all verdicts that ever were. */
  whole(quality: StreamQuality): Quality {
    this.hear(quality)
    return inWords(quality, [...this.#ever.values()])
  }
}

function inWords(quality: StreamQuality, found: readonly Verdict[]): Quality {
  const { mos, rating, scale, roundTripMs, levelDbov, heardByPeer, concealedShare } = quality
  return {
    ...(mos !== undefined && { mos: rounded(mos, 2) }),
    ...(rating !== undefined && { rating: rounded(rating, 1) }),
    ...(scale && { scale }),
    lossShare: rounded(quality.lossShare, 4),
    discardShare: rounded(quality.discardShare, 4),
    ...(concealedShare !== undefined && { concealedShare: rounded(concealedShare, 4) }),
    burstRatio: rounded(quality.burstRatio, 2),
    jitterMs: rounded(quality.jitterMs, 1),
    delayMs: rounded(quality.delayMs, 0),
    ...(roundTripMs !== undefined && { roundTripMs: rounded(roundTripMs, 1) }),
    ...(levelDbov !== undefined && { levelDbov: rounded(levelDbov, 1) }),
    ...(heardByPeer && {
      heardByPeer: {
        lossShare: rounded(heardByPeer.lossShare, 4),
        jitterMs: rounded(heardByPeer.jitterMs, 1),
        ...(heardByPeer.mos !== undefined && { mos: heardByPeer.mos }),
      },
    }),
    verdicts: found.map(verdictInWords),
  }
}

const verdictInWords = (verdict: Verdict): QualityVerdict => ({
  code: verdict.code,
  text: sentence(verdict),
  advice: verdicts[verdict.code].advice,
})

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))
