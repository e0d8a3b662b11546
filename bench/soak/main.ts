/** `npm run bench -- soak [--calls 10000]`: what is left of many short calls. */
import { parseArgs } from 'node:util'
import { type Standing, soak } from './soak.ts'

const { values } = parseArgs({
  options: {
    calls: { type: 'string', default: '10000' },
    together: { type: 'string', default: '20' },
    warmUp: { type: 'string', default: '1000' },
  },
})
const calls = Number(values.calls)

const { before, after, failed, seconds } = await soak({
  calls,
  together: Number(values.together),
  warmUp: Number(values.warmUp),
  progress: (done) => process.stderr.write(`\r${done} calls`),
})
process.stderr.write('\n')

const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`
const rows: readonly (readonly [string, (standing: Standing) => string])[] = [
  ['open files and sockets', ({ openFiles }) => String(openFiles)],
  ['threads', ({ threads }) => String(threads)],
  ['live calls', ({ liveCalls }) => String(liveCalls)],
  ['held by the main thread', ({ mainBytes }) => mib(mainBytes)],
  ['held by the media workers', ({ workerBytes }) => mib(workerBytes)],
  ['resident memory', ({ residentBytes }) => mib(residentBytes)],
]
console.log(`${calls} calls in ${seconds.toFixed(0)} s, ${failed} failed\n`)
console.log('| | before | after |\n|---|---|---|')
for (const [name, of] of rows) console.log(`| ${name} | ${of(before)} | ${of(after)} |`)
