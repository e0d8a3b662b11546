/**
 * An S3 server that checks signatures, for tests: OpenStack Swift with its s3api, from Debian's packages, on one device
 * in a folder. Started in seconds, stopped and started again over the same data.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { answers, freePort } from './ports.ts'

const run = promisify(execFile)

export interface S3Server {
  readonly endpoint: string
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string }
  /** SIGKILL to all of it, in the middle of whatever it does. */
  kill(): Promise<void>
  /** Over what it had. */
  start(): Promise<void>
}

const parts = ['proxy', 'account', 'container', 'object'] as const

export async function startSwift(t: TestContext): Promise<S3Server> {
  const folder = await mkdtemp(join(tmpdir(), 'patchbay-swift-'))
  const ports = await Promise.all([...parts, 'memcached'].map(freePort))
  const [proxy = 0, account = 0, container = 0, object = 0, memcached = 0] = ports
  const endpoint = `http://127.0.0.1:${proxy}`
  await mkdir(join(folder, 'devices', 'd1'), { recursive: true })
  for (const [name, port] of [
    ['account', account],
    ['container', container],
    ['object', object],
  ] as const) {
    const builder = join(folder, `${name}.builder`)
    const ring = (...args: string[]) => run('swift-ring-builder', [builder, ...args]).catch(warned)
    await ring('create', '4', '1', '0')
    await ring('add', `r1z1-127.0.0.1:${port}/d1`, '1')
    await ring('rebalance')
    await writeFile(
      join(folder, `${name}.conf`),
      `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
devices = ${join(folder, 'devices')}
mount_check = false
swift_dir = ${folder}
user = ${process.env['USER'] ?? 'root'}
workers = 0
${name === 'object' ? `\nfallocate_reserve = 0` : ''}
[pipeline:main]
pipeline = ${name}-server
[app:${name}-server]
use = egg:swift#${name}
allow_versions = true
`,
    )
  }
  await writeFile(join(folder, 'proxy.conf'), proxyConf(folder, proxy, memcached))
  let running: ChildProcess[] = []
  const server: S3Server = {
    endpoint,
    credentials: { accessKeyId: 'patchbay:recorder', secretAccessKey: 'patchbaysecret' },
    async start() {
      running = [
        spawn('memcached', ['-l', '127.0.0.1', '-p', String(memcached), '-u', 'nobody'], { stdio: 'ignore' }),
        ...parts.map((name) =>
          spawn(`swift-${name}-server`, [join(folder, `${name}.conf`)], {
            stdio: 'ignore',
            env: { ...process.env, SWIFT_DIR: folder },
          }),
        ),
      ]
      // The proxy answers before those behind it do.
      await Promise.all(
        [endpoint, ...[account, container, object].map((port) => `http://127.0.0.1:${port}`)].map(answers),
      )
    },
    async kill() {
      const ended = running.filter(({ exitCode }) => exitCode === null).map((child) => once(child, 'exit'))
      for (const child of running) child.kill('SIGKILL')
      await Promise.all(ended)
      running = []
    },
  }
  t.after(async () => {
    await server.kill()
    await rm(folder, { recursive: true })
  })
  await server.start()
  return server
}

const proxyConf = (folder: string, port: number, memcached: number): string => `[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port}
swift_dir = ${folder}
user = ${process.env['USER'] ?? 'root'}
workers = 0
[pipeline:main]
pipeline = catch_errors cache listing_formats s3api tempauth copy slo dlo versioned_writes symlink proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
allow_account_management = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
use = egg:swift#memcache
memcache_servers = 127.0.0.1:${memcached}
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:s3api]
use = egg:swift#s3api
location = eu-central-1
[filter:tempauth]
use = egg:swift#tempauth
user_patchbay_recorder = patchbaysecret .admin
user_patchbay_stranger = another
[filter:copy]
use = egg:swift#copy
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_object_versioning = true
[filter:symlink]
use = egg:swift#symlink
`

/** swift-ring-builder ends with status 1 after a warning. */
function warned(error: Error & { code?: number }): void {
  if (error.code !== 1) throw error
}
