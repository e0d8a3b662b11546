/**
 * rtpengine (Debian: rtpengine-daemon) in user space as a relay, asked over its ng protocol: a bencoded dictionary after a
 * cookie, by UDP (https://rtpengine.readthedocs.io, "The ng Control Protocol").
 */
import { spawn, spawnSync } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { pinned } from '../isolate.ts'
import type { Device, Job } from './kinds.ts'

const ip = '127.0.0.1'
const controlPort = 2223

/** @returns undefined when it is not installed, or the job is more than to relay. */
export async function startRtpengine({ kind, streams, peerPort }: Job): Promise<Device | undefined> {
  if (kind !== 'relay' || spawnSync('rtpengine', ['--version']).error) return undefined
  const options = [
    '--config-file=none',
    '--table=-1',
    '--foreground',
    '--log-stderr',
    '--log-level=1',
    '--num-threads=1',
    '--endpoint-learning=off',
    `--interface=${ip}`,
    `--listen-ng=${ip}:${controlPort}`,
    '--port-min=10000',
    '--port-max=32000',
  ]
  const [file = '', ...args] = pinned(0, ['rtpengine', ...options])
  const child = spawn(file, args, { stdio: 'ignore' })
  const ended = once(child, 'exit')
  const control = createSocket('udp4')
  control.on('error', () => {}) // it does not listen yet
  control.connect(controlPort, ip)
  await once(control, 'connect')
  const ports: number[] = []
  const sdp = `v=0\r\no=- 1 1 IN IP4 ${ip}\r\ns=-\r\nc=IN IP4 ${ip}\r\nt=0 0\r\nm=audio ${peerPort} RTP/AVP 0\r\n`
  const common = { sdp, ICE: 'remove', 'from-tag': 'a' }
  await ask(control, { command: 'ping' })
  for (let call = 0; call < streams / 2; call++) {
    const offered = await ask(control, { ...common, command: 'offer', 'call-id': String(call) })
    const answered = await ask(control, { ...common, command: 'answer', 'call-id': String(call), 'to-tag': 'b' })
    // The answer says where the caller sends to, the offer where the callee does.
    ports.push(portOf(answered), portOf(offered))
  }
  return {
    pid: child.pid ?? 0,
    ports,
    async stop() {
      control.close()
      child.kill('SIGKILL')
      await ended
    },
  }
}

const portOf = (answer: string): number => {
  const port = /m=audio (\d+)/.exec(answer)?.[1]
  if (port === undefined) throw new Error(`rtpengine answered ${answer}`)
  return Number(port)
}

let cookie = 0

/** Asks again until it is answered: the daemon has just been started. */
async function ask(control: ReturnType<typeof createSocket>, what: Readonly<Record<string, string>>): Promise<string> {
  const request = `${++cookie} ${bencode(what)}`
  for (let tries = 0; tries < 50; tries++, await sleep(100)) {
    const answered = once(control, 'message', { signal: AbortSignal.timeout(200) })
    control.send(request)
    const answer = await answered.then(
      ([bytes]) => String(bytes),
      () => '',
    )
    if (answer.startsWith(`${cookie} `)) return answer
  }
  throw new Error('rtpengine does not answer')
}

const text = (value: string): string => `${Buffer.byteLength(value)}:${value}`
/** A dictionary of texts; its keys in order. */
const bencode = (dictionary: Readonly<Record<string, string>>): string =>
  `d${Object.entries(dictionary)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => text(key) + text(value))
    .join('')}e`
