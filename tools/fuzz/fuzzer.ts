/**
 * Feeds a target with grown and damaged inputs, keeps those that reach new code, and minimises what breaks it.
 *
 *   grammar, seeds, kept ─▶ mutate ─▶ target.check ─▶ findings
 *                  ▲                      │ new blocks
 *                  └──────────────────────┘
 */
import { type Chance, chanceFrom } from './chance.ts'
import type { Coverage } from './coverage.ts'
import { grow } from './grammar.ts'
import { mutate } from './mutate.ts'
import type { FuzzTarget } from './targets.ts'

export interface Finding {
  readonly target: string
  readonly input: Buffer
  readonly why: string
}

/** 64 KiB are read in a few milliseconds, in some tens while coverage is counted; what takes longer is measured closely. */
const slowMs = 250
/** Twice the input takes twice the time, four times where it is squared. */
const steep = 3
/** Inputs between two questions about coverage, which are slow. */
const batch = 64
const maxKept = 5_000

export class Fuzzer {
  readonly #target: FuzzTarget
  readonly #chance: Chance
  readonly #coverage: Coverage | undefined
  readonly #corpus: Buffer[]
  #recent: Buffer[] = []
  runs = 0

  /** @param coverage Without it inputs are not chosen by what they reach. */
  constructor(target: FuzzTarget, seed: number, coverage?: Coverage) {
    this.#target = target
    this.#chance = chanceFrom(seed)
    this.#coverage = coverage
    this.#corpus = [...target.seeds()]
  }

  /** Inputs that are kept, the seeds among them. */
  get kept(): number {
    return this.#corpus.length
  }

  /** One input more; what it broke, minimised. */
  step(): Finding | undefined {
    const input = this.#next()
    this.runs++
    const why = problemWith(this.#target, input)
    if (why !== undefined) return minimised({ target: this.#target.name, input, why }, this.#target)
    this.#note(input)
    return undefined
  }

  #next(): Buffer {
    const { below, pick } = this.#chance
    const grown = below(3) === 0
    const base = grown ? Buffer.from(grow(this.#target.rule, this.#chance)) : pick(this.#corpus)
    return grown && below(2) === 0 ? base : mutate(base, this.#corpus, this.#chance)
  }

  /** The whole batch is kept when it reached something: which of them did is not worth asking one by one. */
  #note(input: Buffer): void {
    if (!this.#coverage) return
    this.#recent.push(input)
    if (this.#recent.length < batch) return
    const inputs = this.#recent
    this.#recent = []
    if (this.#coverage.news() === 0 || this.#corpus.length >= maxKept) return
    for (const each of inputs) {
      problemWith(this.#target, each)
      if (each.length < 8_000) this.#corpus.push(each)
    }
  }
}

/** What does not hold for this input: the error's text. */
export function problemWith(target: FuzzTarget, input: Buffer): string | undefined {
  try {
    if (takes(target, input) < slowMs || fastest(target, input) < slowMs) return undefined
    const half = input.subarray(0, input.length >> 1)
    if (fastest(target, input) < steep * fastest(target, half)) return undefined
    return `slow: ${input.length} octets take more than ${steep} times as long as half of them`
  } catch (error) {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
  }
}

/** Milliseconds of the processor: what else the machine does is none of the parser's fault. */
function takes(target: FuzzTarget, input: Buffer): number {
  const before = process.threadCpuUsage()
  target.check(Buffer.from(input))
  return process.threadCpuUsage(before).user / 1_000
}

const fastest = (target: FuzzTarget, input: Buffer): number =>
  Math.min(...Array.from({ length: 3 }, () => takes(target, input)))

/** A slow input takes its time each time it is tried. */
const minimiseMs = 5_000

const kindOf = (why: string): string => why.slice(0, 20)

/** Take away what is not needed for the same fault: halves, quarters, … single octets, as long as something goes. */
function minimised(finding: Finding, target: FuzzTarget): Finding {
  let { input, why } = finding
  const kind = kindOf(why)
  const untilMs = performance.now() + minimiseMs
  for (let size = Math.max(1, input.length >> 1); size >= 1; size >>= 1) {
    for (let at = 0; at < input.length && performance.now() < untilMs; ) {
      const without = Buffer.concat([input.subarray(0, at), input.subarray(at + size)])
      const still = problemWith(target, without)
      if (still !== undefined && kindOf(still) === kind) [input, why] = [without, still]
      else at += size
    }
  }
  return { ...finding, input, why }
}
