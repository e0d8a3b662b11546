/**
 * `npm run simulate`: worlds by their seeds, over all processors. docs/simulation.md tells of them.
 *
 *   npm run simulate -- --seeds 100000     from seed 1 on, or from --from
 *   npm run simulate -- --seed 123 --verbose
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { runSeeds } from './runner.ts'
import { simulate } from './world.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    seeds: { type: 'string', default: '2000' },
    from: { type: 'string', default: '1' },
    verbose: { type: 'boolean', default: false },
  },
})

if (values.seed === undefined) process.exitCode = await many(Number(values.from), Number(values.seeds))
else process.exitCode = await one(Number(values.seed))

async function one(seed: number): Promise<number> {
  const { problems, calls, ladder } = await simulate(seed)
  if (values.verbose) console.log(ladder())
  console.log(`seed ${seed}: ${calls} sides of calls, ${problems.length === 0 ? 'all is well' : problems.join('\n  ')}`)
  return problems.length === 0 ? 0 : 1
}

async function many(first: number, count: number): Promise<number> {
  const startedAtMs = Date.now()
  const failures = await runSeeds({
    first,
    count,
    threads: availableParallelism(),
    onProgress: (done, failed) => {
      const perSecond = Math.round((done * 1000) / Math.max(1, Date.now() - startedAtMs))
      console.log(`${done} of ${count}, ${failed} failed, ${perSecond} a second`)
    },
    onFailure: ({ seed, problems }) => console.log(`seed ${seed}: ${problems.join('; ')}`),
  })
  console.log(
    failures.length === 0 ? 'all is well' : `${failures.length} failed: ${failures.map(({ seed }) => seed).join(' ')}`,
  )
  return failures.length === 0 ? 0 : 1
}
