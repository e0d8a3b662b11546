/** Running recording sessions kept in a real Redis. */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { silentLogger } from '../../src/core/logger.ts'
import { RedisSessions } from '../../src/siprec/survival/redis-store.ts'
import { sessionStoreContract } from '../../src/siprec/survival/store-contract.ts'
import { freePort } from '../support/free-port.ts'
import { needs, startProgram } from '../support/program.ts'
import { until } from '../support/until.ts'

async function startRedis(folder: string, port: number) {
  const args = [
    '--port',
    String(port),
    '--bind',
    '127.0.0.1',
    '--save',
    '',
    '--requirepass',
    'for-tests',
    '--dir',
    folder,
  ]
  const redis = startProgram('redis-server', args, { cwd: folder, timeoutMs: 60_000 })
  await until('Redis', 10_000, () => Promise.resolve(redis.output().includes('Ready to accept connections')))
  return redis
}

test(
  'Redis keeps the contract of a session store, and is found again after it was away',
  needs('redis-server'),
  async (context) => {
    const folder = mkdtempSync(join(tmpdir(), 'patchbay-redis-'))
    const port = await freePort()
    let redis = await startRedis(folder, port)
    context.after(async () => {
      await redis.stop('SIGKILL')
      rmSync(folder, { recursive: true, force: true })
    })
    const options = { address: `127.0.0.1:${port}`, password: 'for-tests', database: 0 }
    await sessionStoreContract(context, () => RedisSessions.open(options, silentLogger))

    const store = await RedisSessions.open(options, silentLogger)
    await redis.stop('SIGKILL')
    await assert.rejects(store.write([{ id: 'a', sealed: new Uint8Array([1]) }]))
    redis = await startRedis(folder, port)
    await until('Redis to be found again', 10_000, () =>
      store.write([{ id: 'a', sealed: new Uint8Array([2]) }]).then(
        () => true,
        () => false,
      ),
    )
    assert.deepEqual(
      (await store.all()).map(({ id, sealed }) => [id, sealed[0]]),
      [['a', 2]],
    )
    await store.close()
  },
)
