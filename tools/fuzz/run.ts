/**
 * `npm run fuzz -- --seconds 60 --seed 7 [--target uri] [--out folder]`: looks for inputs that break a parser.
 *
 * What it finds is printed, minimised, and saved; put the file into test/data/fuzz/found and mend the parser: test/sip-fuzz.test.ts
 * keeps it. The same seed repeats the same inputs as long as time allows. Exits with 1 when it found something.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { Coverage } from './coverage.ts'
import { Fuzzer } from './fuzzer.ts'
import { targets } from './targets.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    target: { type: 'string' },
    out: { type: 'string', default: 'fuzz-findings' },
  },
})
const seconds = Number(values.seconds)
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31))
const chosen = targets.filter(({ name }) => values.target === undefined || name === values.target)
if (!(seconds > 0) || !Number.isInteger(seed) || chosen.length === 0) {
  console.error(`--seconds N, --seed N, --target ${targets.map(({ name }) => name).join('|')}`)
  process.exit(2)
}

console.log(`seed ${seed}, ${seconds} s for ${chosen.length} targets`)
/** Enough of one fault. */
const maxFindings = 5
let found = 0
const coverage = new Coverage()
for (const target of chosen) {
  coverage.forget()
  const fuzzer = new Fuzzer(target, seed, coverage)
  const kinds = new Set<string>()
  const untilMs = performance.now() + (seconds * 1_000) / chosen.length
  while (performance.now() < untilMs && kinds.size < maxFindings) {
    const finding = fuzzer.step()
    if (!finding || kinds.has(finding.why)) continue
    kinds.add(finding.why)
    found++
    const name = `${target.name}-${createHash('sha256').update(finding.input).digest('hex').slice(0, 8)}.bin`
    mkdirSync(values.out, { recursive: true })
    writeFileSync(join(values.out, name), finding.input)
    console.log(
      `\n${target.name}: ${finding.why}\n  ${JSON.stringify(finding.input.toString('latin1').slice(0, 300))}\n  ${name}`,
    )
  }
  console.log(`${target.name.padEnd(14)} ${fuzzer.runs} inputs, ${fuzzer.kept} kept, ${coverage.size} blocks reached`)
}
coverage.close()
console.log(found === 0 ? 'nothing found' : `${found} found`)
process.exit(found === 0 ? 0 : 1)
