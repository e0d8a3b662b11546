/**
 * How well each leg of a recording was heard, with one plain sentence: kept with the recording, so that who finds it
 * silent years later reads why.
 *
 *   port ── quality while it lives, statistics at its end ─▶  here  ── RecordedLeg ─▶  manifest, fact
 */
import type { LegRole, RecordedLeg } from '../events/catalogue.ts'
import type { MediaPort, PortStats } from '../media/types.ts'
import type { Verdict, VerdictCode } from '../media/verdict.ts'

/** What a sentence begins with, by how bad it is. */
const clauses: Readonly<Record<VerdictCode, string>> = {
  'no-audio': 'sent no audio {about}',
  'one-way-audio': 'sent no audio',
  silence: 'sent nothing but silence',
  'high-loss': 'lost packets on the way: {about}',
  'wrong-key': 'sent packets that could not be decrypted',
  'wrong-codec': 'sent packets of payload type {about}, which nobody had agreed to and which were refused',
  'wrong-address': 'had packets refused that came from another address, {about}',
  clipping: 'was too loud and clipped: {about}',
  'high-jitter': 'came unevenly: {about} of jitter',
  echo: 'sent back an echo: {about}',
  'high-delay': 'had a long way: {about}',
}

/** Why nothing came, when something else was refused meanwhile. */
const causes: Partial<Readonly<Record<VerdictCode, string>>> = {
  'wrong-address': 'RTP came from another address, {about}, and was refused',
  'wrong-codec': 'RTP of payload type {about} came, which nobody had agreed to, and was refused',
  'wrong-key': 'its packets could not be decrypted',
}

export class HeardLeg {
  readonly #legId: string
  readonly #name: string
  readonly #ever = new Map<VerdictCode, Verdict>()

  /** @param label How people know it; else its role. */
  constructor(port: Pick<MediaPort, 'on'>, legId: string, role: LegRole, label: string | undefined) {
    this.#legId = legId
    this.#name = role === 'stream' ? `stream ${label ?? legId}` : role
    port.on('quality', ({ verdicts: found }) => this.#note(found))
  }

  /** @param stats Of the port, as its recording ends. */
  end({ quality, ...stats }: PortStats): RecordedLeg {
    if (quality) this.#note(quality.verdicts)
    return {
      legId: this.#legId,
      verdict: this.#sentence(stats.packetsReceived, stats.packetsRefused),
      codes: [...this.#ever.keys()],
      packetsReceived: stats.packetsReceived,
      packetsLost: stats.packetsLost,
      packetsRefused: stats.packetsRefused,
      jitterMs: Number(stats.jitterMs.toFixed(1)),
      ...(quality && { lossShare: Number(quality.lossShare.toFixed(4)) }),
      ...(quality?.mos !== undefined && { mos: Number(quality.mos.toFixed(2)) }),
    }
  }

  #note(found: readonly Verdict[]): void {
    for (const verdict of found) this.#ever.set(verdict.code, verdict)
  }

  #sentence(received: number, refused: number): string {
    const code = (Object.keys(clauses) as VerdictCode[]).find((each) => this.#ever.has(each))
    if (code === undefined && received === 0)
      return this.#say(`sent no audio${refused > 0 ? `: ${refused} packets came and were refused` : ''}`)
    if (code === undefined) return this.#say('was heard well')
    const cause = code === 'no-audio' || code === 'one-way-audio' ? this.#cause() : undefined
    return this.#say(filled(clauses[code], this.#ever.get(code)) + (cause === undefined ? '' : `: ${cause}`))
  }

  #cause(): string | undefined {
    for (const [code, text] of Object.entries(causes))
      if (this.#ever.has(code as VerdictCode)) return filled(text, this.#ever.get(code as VerdictCode))
    return undefined
  }

  #say(what: string): string {
    return `${this.#name} ${what}`
  }
}

const filled = (text: string, verdict: Verdict | undefined): string =>
  text.replace('{about}', verdict?.about ?? '').trim()
