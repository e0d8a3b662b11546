/** The devices of bench/media: our worker over both kinds of packet input and output, the C floor, rtpengine. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pinned } from '../isolate.ts'
import { buildTool } from '../native/build.ts'
import { said } from '../native/generator.ts'
import type { Device, Job } from './kinds.ts'
import { startRtpengine } from './rtpengine.ts'
import type { WorkerJob } from './worker-device.ts'

export const deviceNames = ['floor', 'native', 'dgram', 'rtpengine'] as const
export type DeviceName = (typeof deviceNames)[number]

/** @returns undefined when it cannot do that, or not here. */
export async function startDevice(name: DeviceName, job: Job, pollMs: number): Promise<Device | undefined> {
  if (name === 'rtpengine') return startRtpengine(job)
  if (name === 'floor') return startFloor(job)
  return startWorker({ ...job, io: name, pollMs })
}

/** What its row says of it. */
export const titles: Readonly<Record<DeviceName, string>> = {
  floor: 'C floor',
  native: 'Patchbay, native',
  dgram: 'Patchbay, dgram',
  rtpengine: 'rtpengine, user space',
}

async function startWorker(job: WorkerJob): Promise<Device | undefined> {
  const file = join(import.meta.dirname, 'worker-device.ts')
  return startProgram([process.execPath, '--disable-warning=ExperimentalWarning', file, JSON.stringify(job)])
}

async function startFloor({ kind, streams, peerPort, folder }: Job): Promise<Device | undefined> {
  const program = buildTool('floor')
  return program === undefined ? undefined : startProgram([program, kind, String(streams), String(peerPort), folder])
}

/** A program that says its ports on a line and ends with its input. */
async function startProgram(command: readonly string[]): Promise<Device> {
  const [file = '', ...args] = pinned(0, command)
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'inherit'] })
  const ended = once(child, 'exit')
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const { ports } = await said<{ ports: number[] }>(lines)
  return {
    pid: child.pid ?? 0,
    ports,
    async stop() {
      child.stdin.end()
      await ended
    },
  }
}
