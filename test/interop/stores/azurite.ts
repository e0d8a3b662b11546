/** Microsoft's own emulator of Azure Blob Storage, for tests: azurite (npm, MIT), stopped and started again over the same data. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { answers, freePort } from './ports.ts'

export interface Azurite {
  readonly endpoint: string
  readonly account: string
  readonly accessKey: string
  kill(): Promise<void>
  start(): Promise<void>
}

export async function startAzurite(t: TestContext): Promise<Azurite> {
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-azurite-'))
  const port = await freePort()
  const account = 'patchbay'
  const accessKey = Buffer.from('a key for tests alone').toString('base64')
  let running: ChildProcess | undefined
  const server: Azurite = {
    endpoint: `http://127.0.0.1:${port}/${account}`,
    account,
    accessKey,
    async start() {
      const options = ['--blobHost', '127.0.0.1', '--blobPort', String(port), '--location', folder]
      running = spawn('azurite-blob', [...options, '--silent', '--disableTelemetry', '--skipApiVersionCheck'], {
        stdio: 'ignore',
        env: { ...process.env, AZURITE_ACCOUNTS: `${account}:${accessKey}` },
      })
      await answers(server.endpoint)
    },
    async kill() {
      const child = running
      running = undefined
      if (!child || child.exitCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
  }
  t.after(async () => {
    await server.kill()
    await rm(folder, { recursive: true })
  })
  await server.start()
  return server
}
