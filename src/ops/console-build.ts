/**
 * The web console, built when it is missing or older than its sources.
 *
 *   main ── ensureConsoleBuilt ─▶ here ── child process ─▶ console/build.ts (Vite)
 *        ◀─ folder to serve ─────
 *
 * The build carries a hash of its sources, so a checkout of another version builds again and a touched file does not.
 * A server without the builder (installed with --omit=dev) still starts: it serves the build that is there, or a page
 * that says what to do.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { promisify } from 'node:util'
import type { Logger } from '../core/logger.ts'
import { randomHex } from '../core/random.ts'

/** A build takes 2 to 10 s; a machine that needs longer than this is stuck. */
const buildTimeoutMs = 180_000
const hashFile = 'source-hash.txt'
const run = promisify(execFile)

export interface ConsoleBuildOptions {
  readonly log: Logger
  /** Gives up a build that is under way: the server stops. */
  readonly signal?: AbortSignal
  /** The console's folder, for tests. */
  readonly folder?: string
  /** Build into `outDir`; rejects when it cannot. For tests. */
  readonly build?: (outDir: string, signal?: AbortSignal) => Promise<unknown>
}

/** The folder to serve as `/`: the fresh build, else an older one, else the page that says how to get one. Never rejects. */
export async function ensureConsoleBuilt(options: ConsoleBuildOptions): Promise<string> {
  const { log, signal } = options
  const folder = options.folder ?? join(import.meta.dirname, '..', '..', 'console')
  const dist = join(folder, 'dist')
  const fresh = join(folder, `dist-${randomHex(8)}`)
  const present = await readFile(join(dist, hashFile), 'utf8').catch(() => undefined)
  try {
    const wanted = await sourceHash(folder)
    if (present === wanted) return dist
    log.info('Building the console')
    await removeLeftovers(folder)
    await (options.build ?? ((outDir) => runBuilder(folder, outDir, signal)))(fresh, signal)
    await writeFile(join(fresh, hashFile), wanted)
    await replaceFolder(dist, fresh)
    return dist
  } catch (cause) {
    await rm(fresh, { recursive: true, force: true }).catch(() => {})
    const reason = reasonOf(cause)
    if (present === undefined) {
      if (!signal?.aborted) log.error('The console could not be built; run "npm install" and restart', { reason })
      return join(folder, 'fallback')
    }
    if (!signal?.aborted) log.warn('The console could not be built; an older build is served', { reason })
    return dist
  }
}

/** Builds of servers that were killed meanwhile. Younger folders may belong to a build under way. */
async function removeLeftovers(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!name.startsWith('dist-')) continue
    const path = join(folder, name)
    const changed = await stat(path).catch(() => undefined)
    if (changed && Date.now() - changed.mtimeMs > buildTimeoutMs) await rm(path, { recursive: true, force: true })
  }
}

async function runBuilder(folder: string, outDir: string, signal: AbortSignal | undefined): Promise<void> {
  const script = join(folder, 'build.ts')
  const env = { ...process.env, NODE_ENV: 'production' }
  await run(process.execPath, ['--disable-warning=ExperimentalWarning', script, outDir], {
    cwd: folder,
    env,
    timeout: buildTimeoutMs,
    ...(signal && { signal }),
  })
}

/** Put `fresh` where `target` is. Two servers may do this at once: whoever comes last wins, and both have a whole build. */
async function replaceFolder(target: string, fresh: string): Promise<void> {
  const old = `${fresh}-old`
  await rename(target, old).catch(() => {})
  try {
    await rename(fresh, target)
  } catch (error) {
    const other = await readFile(join(target, hashFile), 'utf8').catch(() => undefined)
    if (other === undefined) throw error
    await rm(fresh, { recursive: true, force: true })
  }
  await rm(old, { recursive: true, force: true })
}

/** SHA-256 over the names and bytes of everything that goes into the build. */
async function sourceHash(folder: string): Promise<string> {
  const hash = createHash('sha256')
  const files = ['index.html', 'package.json', 'vite.config.ts', ...(await filesBelow(folder, 'src'))]
  files.push(...(await filesBelow(folder, 'public')))
  for (const file of files) hash.update(`${file}\0`).update(await readFile(join(folder, file)))
  return hash.digest('hex')
}

async function filesBelow(folder: string, below: string): Promise<string[]> {
  const entries = await readdir(join(folder, below), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && !entry.name.endsWith('.test.ts'))
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort()
}

/** The builder's last words, in one line. */
function reasonOf(cause: unknown): string {
  const stderr = typeof cause === 'object' && cause !== null && 'stderr' in cause ? String(cause.stderr) : ''
  const text = stderr.trim() || (cause instanceof Error ? cause.message : String(cause))
  const line = text.split('\n').find((each) => /error/i.test(each)) ?? text
  return line.trim().slice(0, 300)
}
