/** Builds the C programs of this folder when they are needed: generator and floor. */
import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'

const folder = join(import.meta.dirname, '..', '..', 'native', 'build')

/** @returns The program; undefined where there is no C compiler. */
export function buildTool(name: 'load' | 'floor'): string | undefined {
  if (process.platform !== 'linux') return undefined
  mkdirSync(folder, { recursive: true })
  const program = join(folder, `bench-${name}`)
  const source = join(import.meta.dirname, `${name}.c`)
  const { status, stderr, error } = spawnSync(process.env['CC'] ?? 'cc', [
    '-O2',
    '-Wall',
    '-o',
    program,
    source,
    '-lpthread',
  ])
  if (error) return undefined
  if (status !== 0) throw new Error(`${source} was not compiled:\n${stderr.toString()}`)
  return program
}
