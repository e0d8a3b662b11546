import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { Worker } from 'node:worker_threads'
import { chooseIo, loadNative } from './native-addon.ts'
import type { OpenPort, WorkerStart } from './protocol.ts'
import { Pulse } from './pulse.ts'

const loaded = loadNative()
const skip = 'missing' in loaded && `the addon cannot be used: ${loaded.missing}`

test('without the addon node:dgram does the work, and it is said why and what to do', () => {
  const missing = chooseIo('auto', () => loadNative('/nowhere/media-io.node'))
  assert.equal(missing.kind, 'dgram')
  assert.match(missing.missing ?? '', /npm run native|Linux/)
})

test('what is no addon is not used', () => {
  assert.equal(chooseIo('native', () => loadNative(import.meta.filename)).kind, 'dgram')
})

test('the addon is used when it is there, unless the setting says otherwise', { skip }, () => {
  assert.deepEqual(chooseIo('auto'), { kind: 'native' })
  assert.deepEqual(chooseIo('dgram'), { kind: 'dgram' })
})

async function free(port: number): Promise<boolean> {
  const socket = createSocket('udp4')
  socket.bind({ address: '127.0.0.1', port, exclusive: true })
  const bound = await once(socket, 'listening').then(
    () => true,
    () => false,
  )
  socket.close()
  return bound
}

test('the end of a thread frees its ports, and no port of another thread', { skip, timeout: 20_000 }, async () => {
  const start: WorkerStart = { io: 'native', pollMs: 5, jitter: { minMs: 40, maxMs: 200 }, pulse: new Pulse().memory }
  const open = {
    port: 1,
    bindIp: '127.0.0.1',
    cname: 'c',
    inactiveAfterMs: 0,
    recordedLater: false,
    qualityEveryMs: 0,
    relay: false,
    muxed: false,
  }
  const ports: number[] = []
  const workers = [0, 1].map(() => new Worker(new URL('./worker/main.ts', import.meta.url), { workerData: start }))
  for (const worker of workers) {
    for (let rtpPort = 31_000 + ports.length * 2; ; rtpPort += 2) {
      const ask: OpenPort = { ...open, rtpPort }
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread, not a window
      worker.postMessage([{ type: 'open-port', request: 1, ...ask }])
      const [[answer]] = (await once(worker, 'message')) as [[{ value: string }]]
      if (answer.value !== 'open') continue
      ports.push(rtpPort)
      break
    }
  }
  const [first, second] = ports as [number, number]
  assert.ok(!(await free(first)))
  await workers[0]?.terminate()
  assert.ok(await free(first))
  assert.ok(await free(first + 1))
  assert.ok(!(await free(second)))
  await workers[1]?.terminate()
})
