/**
 * What sealing costs: µs for each 20 ms of a leg as it is written in blocks of half a second, opening and reading again.
 *
 *   npm run bench -- sealing --seconds 600
 */
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { availableParallelism, cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type CipherName, ciphers } from '../src/sealing/container/layout.ts'
import { Sealer } from '../src/sealing/container/sealer.ts'
import { openStored } from '../src/sealing/stored-file.ts'
import { opensWith, testMaster, testSeal } from '../src/sealing/test-support.ts'

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '600' } } })
const seconds = Number(values.seconds)
const frames = seconds * 50
const rounds = 4
const master = testMaster()
const openKey = opensWith(master)
const folder = mkdtempSync(join(tmpdir(), 'patchbay-sealing-bench-'))
const path = join(folder, 'x.wav.sealed')

const legs = { 'G.711, 8 kHz': 8_000, 'G.722, 16 kHz': 16_000, 'Opus, 48 kHz, stereo': 96_000 }

/** µs a frame: the best round, the first of which only warms up. */
async function best(round: () => Promise<number> | number): Promise<number> {
  const took: number[] = []
  for (let i = 0; i < rounds; i++) took.push(await round())
  return Math.min(...took.slice(1))
}

const since = (startMs: number): number => ((performance.now() - startMs) * 1000) / frames

async function measure(cipher: CipherName, samplesPerSecond: number) {
  const seal = testSeal(master, cipher)
  const block = randomBytes(samplesPerSecond)
  const write = await best(() => {
    const start = performance.now()
    const sealer = new Sealer(seal, 'x.wav', 0)
    for (let half = 0; half < seconds * 2; half++) sealer.write(block, half * block.length)
    return since(start)
  })
  const sealer = new Sealer(seal, 'x.wav', 0)
  const parts = [sealer.start]
  for (let half = 0; half < seconds * 2; half++) parts.push(sealer.write(block, half * block.length))
  parts.push(sealer.end())
  await writeFile(path, Buffer.concat(parts))
  const open = await best(async () => {
    const start = performance.now()
    await (await openStored(path, { openKey })).close()
    return (performance.now() - start) / 1000
  })
  const target = Buffer.alloc(65_536)
  const read = await best(async () => {
    const file = await openStored(path, { openKey })
    const start = performance.now()
    for (let at = 0; at < file.size; at += target.length) await file.read(target, 0, target.length, at)
    const took = since(start)
    await file.close()
    return took
  })
  const more = Buffer.concat(parts).length / (seconds * 2 * block.length) - 1
  return [write.toFixed(2), read.toFixed(2), (open * 1000).toFixed(1), `${(more * 100).toFixed(2)} %`]
}

console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.version}; legs of ${seconds} s\n`)
console.log('| leg | cipher | seal, µs/20 ms | read, µs/20 ms | open, ms | larger by |\n|---|---|---|---|---|---|')
for (const [leg, samplesPerSecond] of Object.entries(legs))
  for (const cipher of Object.keys(ciphers) as CipherName[])
    console.log(`| ${[leg, cipher, ...(await measure(cipher, samplesPerSecond))].join(' | ')} |`)
rmSync(folder, { recursive: true })
