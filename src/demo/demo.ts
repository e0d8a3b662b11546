/**
 * The demo: a whole platform on free loopback ports, two phones that talk, a recording client, and the proof.
 *
 *   cli  ── runDemo ─▶  here  ── startDemoServer ─▶  main.ts
 *                        │ ├─── SIP, RTP ─────────▶  (demo-call.ts: two phones and a recording client)
 *                        │ └─── HTTP ──────────────▶  its API, as any program would use it
 *                        ▼
 *                     progress and proof on standard output
 *
 * Everything it makes is in a temporary folder that goes when it ends.
 */
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newPassword } from '../core/random.ts'
import { ApiClient } from './api-client.ts'
import { holdConversation } from './demo-call.ts'
import { proveRecordings } from './demo-proof.ts'
import { type DemoServer, startDemoServer } from './demo-server.ts'
import { Steps } from './steps.ts'

export interface DemoOptions {
  /** End by itself after the proof. Otherwise the console stays open until Ctrl-C. */
  readonly once: boolean
  /** Where lines go; standard output unless given. */
  readonly print?: (line: string) => void
}

/** @returns The exit status: 0 when everything was proved. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const print = options.print ?? console.log
  const interrupted = whenInterrupted()
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-demo-'))
  let demo: DemoServer | undefined
  try {
    const steps = new Steps(print, { signal: interrupted })
    const adminPassword = newPassword()
    demo = await steps.take('Start the server', () => startDemoServer({ folder, adminPassword }))
    const server = demo.running
    const api = new ApiClient(server.url)
    await api.signIn('admin', adminPassword)
    const conversation = await holdConversation(steps, api)
    const proved = await proveRecordings(steps, api, conversation, demo.recordingDir)
    for (const line of proved) print(line)
    if (options.once) {
      print('')
      print('The demo ends and removes its files; without --once it keeps them, and the console, until Ctrl-C.')
      return 0
    }
    await server.consoleReady
    print('')
    print(`Console       ${server.url}`)
    print(`Sign in with  ${await server.oneTimeCode()}   (a code that works once, for ten minutes)`)
    print('')
    print('Ctrl-C ends the demo and removes its files.')
    if (!interrupted.aborted) await once(interrupted, 'abort')
    return 0
  } catch (error) {
    print('')
    print(`The demo failed. ${error instanceof Error ? error.message : String(error)}`)
    return 1
  } finally {
    await demo?.running.stop()
    await rm(folder, { recursive: true, force: true })
  }
}

/** Aborted by Ctrl-C or a polite kill, at any time: what was started is then stopped, not left. */
function whenInterrupted(): AbortSignal {
  const interrupted = new AbortController()
  for (const signal of ['SIGINT', 'SIGTERM'] as const)
    process.once(signal, () => interrupted.abort(new Error('it was interrupted')))
  return interrupted.signal
}
