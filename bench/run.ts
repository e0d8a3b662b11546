/** `npm run bench`: lists the benches; `npm run bench -- NAME [options]` runs one, in a process of its own. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'

const benches: Readonly<Record<string, { readonly file: string; readonly what: string }>> = {
  'sip-parse': { file: 'sip-parse.ts', what: 'parse and print a typical INVITE, µs' },
  media: { file: 'media.ts', what: 'packets through one media worker: relay, record' },
  calls: {
    file: 'calls/calls.ts',
    what: 'calls per second through the B2BUA, driven by sipp; --rates 20,50 --seconds 10',
  },
  'siprec-load': {
    file: 'siprec-load/siprec-load.ts',
    what: 'many SIPREC sessions at once, every file checked bit by bit',
  },
}

const [name = '', ...args] = process.argv.slice(2)
const bench = benches[name]
if (bench) {
  const file = join(import.meta.dirname, bench.file)
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args], { stdio: 'inherit' })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal ? 1 : 0)
  })
} else {
  console.log('npm run bench -- NAME [options]\n')
  for (const [known, { what }] of Object.entries(benches)) console.log(`  ${known.padEnd(12)} ${what}`)
  process.exitCode = name === '' ? 0 : 2
}
