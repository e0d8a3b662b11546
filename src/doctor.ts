/**
 * `patchbay doctor`: looks at everything a start needs before there is one, or beside a server that runs, and says what to do.
 *
 *   settings ─▶ here ── binds and lets go, reads, writes nothing but a probe in each archive ─▶ findings, one line each
 */
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { dirname, resolve } from 'node:path'
import { mediaSettings, sipSockets } from './addresses.ts'
import { ownFormats, usualRules } from './call/codec-rules.ts'
import { daysLeft, tlsIdentityFrom } from './certificates.ts'
import { endpointText, isIPv6 } from './core/ip.ts'
import type { Settings } from './core/settings/schema.ts'
import { archiveFindings, conversionFindings } from './doctor-archive.ts'
import { keysFinding } from './doctor-keys.ts'
import { isRnnoiseInstalled } from './dsp/rnnoise.ts'
import { findHoldMusic } from './hold-music.ts'
import { chooseIo } from './media/native-addon.ts'

export interface Finding {
  readonly level: 'ok' | 'warn' | 'fail'
  readonly what: string
  /** What was found and, unless it is well, what to do. */
  readonly text: string
}

/** RTP pairs that are tried, spread over their range. */
const triedPairs = 20
/** Leg files and the combined one of a call of two: 16-bit samples at 8 kHz, each twice. */
const recordedBytesPerSecond = 4 * 16_000
const leastFreeBytes = 64 * 2 ** 20
const littleFreeBytes = 2 ** 30
const warnDays = 14
/** Files that are open beside those of calls. */
const otherFiles = 200

export async function examine(settings: Settings): Promise<readonly Finding[]> {
  const runs = await isRunning(settings)
  return [
    { level: 'ok', what: 'node', text: process.version }, // bin/require-node.js has looked
    { level: 'ok', what: 'settings', text: 'valid; `patchbay config` shows them' },
    ...(await sipFindings(settings, runs)),
    await httpFinding(settings, runs),
    ...(await mediaFindings(settings)),
    ioFinding(settings),
    codecsFinding(settings),
    await musicFinding(settings),
    ...(await conversionFindings(settings)),
    ...denoiseFindings(settings),
    ...tlsFindings(settings),
    await folderFinding('recordings', settings.recording.dir, 'RECORDING_DIR'),
    await folderFinding('data', settings.data.dir, 'DATA_DIR'),
    await keysFinding(settings),
    ...(await archiveFindings(settings)),
    filesFinding(settings),
  ]
}

/** A server with these settings answers already: its ports are in use, and well so. */
async function isRunning({ http }: Settings): Promise<boolean> {
  if (http.port === 0) return false
  const host = http.host === '0.0.0.0' ? '127.0.0.1' : http.host === '::' ? '::1' : http.host
  const url = `http://${endpointText(host, http.port)}/health/live`
  return fetch(url, { signal: AbortSignal.timeout(1000) }).then(
    async (answer) => answer.ok && (await answer.text()).includes('alive'),
    () => false,
  )
}

async function sipFindings(settings: Settings, runs: boolean): Promise<Finding[]> {
  const wanted = sipSockets(settings)
  const findings = wanted.map(async ({ transport, ip, port }): Promise<Finding> => {
    const refusal = await (transport === 'udp' ? tryUdp(ip, port) : tryTcp(ip, port))
    return portFinding(`sip ${transport}`, ip, port, refusal, runs, 'PORTS')
  })
  return Promise.all(findings)
}

async function httpFinding({ http }: Settings, runs: boolean): Promise<Finding> {
  return portFinding('http', http.host, http.port, await tryTcp(http.host, http.port), runs, 'HTTP_PORT')
}

function portFinding(
  what: string,
  ip: string,
  port: number,
  refusal: string | undefined,
  runs: boolean,
  env: string,
): Finding {
  const place = endpointText(ip, port)
  if (refusal === undefined) return { level: 'ok', what, text: `${place} is free` }
  if (refusal === 'EADDRINUSE' && runs) return { level: 'ok', what, text: `${place} is in use by the server that runs` }
  const text =
    refusal === 'EADDRINUSE'
      ? `${place} is in use by another program: choose another (${env})`
      : `${place} cannot be used: ${refusal}`
  return { level: 'fail', what, text }
}

async function mediaFindings(settings: Settings): Promise<Finding[]> {
  const what = 'rtp'
  const { bindIp, portMin, portMax } = mediaSettings(settings)
  const refusal = await tryUdp(bindIp, 0)
  if (refusal !== undefined)
    return [{ level: 'fail', what, text: `${bindIp} is no address of this machine (${refusal}): set RTP_BIND_IP` }]
  const first = portMin + (portMin % 2)
  const pairs = Math.floor((portMax - first + 1) / 2)
  const step = Math.max(1, Math.floor(pairs / triedPairs))
  const tried = Array.from({ length: Math.min(pairs, triedPairs) }, (_, i) => first + 2 * i * step)
  const refusals = await Promise.all(tried.map((port) => tryUdp(bindIp, port)))
  const taken = refusals.filter(Boolean).length
  const range = `${portMin} to ${portMax}, ${pairs} ports for calls`
  if (pairs === 0) return [{ level: 'fail', what, text: `${range}: raise RTP_PORT_MAX` }]
  return [
    taken === 0
      ? { level: 'ok', what, text: range }
      : {
          level: 'warn',
          what,
          text: `${range}; ${taken} of ${tried.length} tried are in use, by calls or by other programs`,
        },
    ...ephemeralFindings(portMin, portMax),
  ]
}

/** Programs that ask for any port get one of these, in the middle of our range too. */
function ephemeralFindings(portMin: number, portMax: number): Finding[] {
  const file = '/proc/sys/net/ipv4/ip_local_port_range'
  if (!existsSync(file)) return []
  const [low = 0, high = 0] = readFileSync(file, 'utf8').trim().split(/\s+/).map(Number)
  if (portMax < low || portMin > high) return []
  const text = `${portMin} to ${portMax} overlaps the ports that Linux gives to other programs (${low} to ${high}): set RTP_PORT_MIN and RTP_PORT_MAX outside, or net.ipv4.ip_local_port_range`
  return [{ level: 'warn', what: 'rtp', text }]
}

function ioFinding({ rtp }: Settings): Finding {
  const what = 'media io'
  const { kind, missing } = chooseIo(rtp.io)
  if (rtp.io === 'native' && missing)
    return { level: 'fail', what, text: `MEDIA_IO is native, but the addon cannot be used: ${missing}` }
  if (missing) return { level: 'ok', what, text: `${kind}; the addon would take less of the processor, but ${missing}` }
  return { level: 'ok', what, text: kind }
}

/** A name that is misspelled looks like that of a codec which is only passed on. */
function codecsFinding({ rtp: { codecs } }: Settings): Finding {
  const what = 'codecs'
  const own = ownFormats({ ...usualRules, codecs }).map(({ encoding }) => encoding)
  const known = new Set(['others', ...own.map((name) => name.toLowerCase())])
  const others = codecs.filter((name) => !known.has(name.toLowerCase()))
  const passed =
    others.length === 0 ? '' : `; ${others.join(', ')}: known to phones alone, passed on between two that have it`
  if (own.length === 0)
    return {
      level: 'warn',
      what,
      text: `none of ${codecs.join(', ')} is offered or heard by the server (CODECS)${passed}`,
    }
  return { level: 'ok', what, text: `${own.join(', ')}${passed}` }
}

async function musicFinding({ calls }: Settings): Promise<Finding> {
  const what = 'music'
  try {
    const [music] = await findHoldMusic(calls.musicOnHold)
    if (!music) return { level: 'ok', what, text: 'none: who is held hears silence' }
    return { level: 'ok', what, text: 'file' in music ? music.file : 'a piece that the server makes' }
  } catch (error) {
    return { level: 'fail', what, text: error instanceof Error ? error.message : String(error) }
  }
}

function denoiseFindings(settings: Settings): Finding[] {
  const what = 'denoise'
  if (!mediaSettings(settings).loadDenoise) return []
  if (isRnnoiseInstalled()) return [{ level: 'ok', what, text: 'RNNoise is installed' }]
  return [
    {
      level: 'warn',
      what,
      text: 'RNNoise is not installed, so noise stays: run "npm install" without --omit=optional',
    },
  ]
}

function tlsFindings(settings: Settings): Finding[] {
  const what = 'tls'
  try {
    const { certificates } = tlsIdentityFrom(settings)
    if (certificates.length === 0) return [{ level: 'ok', what, text: 'off (ENABLE_TLS)' }]
    return certificates.map((one) => {
      const days = Math.floor(daysLeft(one, Date.now()))
      if (days < 0) return { level: 'fail', what, text: `${one.path} has expired: renew it` }
      const text = `${one.path}, ${days} days left`
      return days < warnDays ? { level: 'warn', what, text: `${text}: renew it` } : { level: 'ok', what, text }
    })
  } catch (error) {
    return [{ level: 'fail', what, text: error instanceof Error ? error.message : String(error) }]
  }
}

async function folderFinding(what: string, folder: string, env: string): Promise<Finding> {
  const path = resolve(folder)
  let there = path
  while (!existsSync(there) && dirname(there) !== there) there = dirname(there)
  try {
    accessSync(there, constants.W_OK | constants.X_OK)
    if (!statSync(there).isDirectory()) throw new Error('it is a file')
  } catch {
    return { level: 'fail', what, text: `${path} cannot be made or written by this user: change ${there}, or ${env}` }
  }
  const { bavail, bsize } = await statfs(there)
  const free = bavail * bsize
  const hours = Math.floor(free / recordedBytesPerSecond / 3600)
  const text = `${path}, ${(free / 2 ** 30).toFixed(1)} GiB free${what === 'recordings' ? `: ${hours} hours of calls` : ''}`
  if (free < leastFreeBytes) return { level: 'fail', what, text: `${text}: make room` }
  return { level: free < littleFreeBytes ? 'warn' : 'ok', what, text }
}

/** A port of a call takes two sockets and, while it is recorded, a file. */
function filesFinding(settings: Settings): Finding {
  const what = 'open files'
  const limit = Number(
    /^Max open files\s+(\d+)/m.exec(
      existsSync('/proc/self/limits') ? readFileSync('/proc/self/limits', 'utf8') : '',
    )?.[1],
  )
  if (Number.isNaN(limit)) return { level: 'ok', what, text: 'not known on this system' }
  const { portMin, portMax } = mediaSettings(settings)
  const ports = Math.floor((portMax - portMin + 1) / 2)
  const needed = 3 * ports + otherFiles
  if (limit >= needed) return { level: 'ok', what, text: `${limit} allowed, ${needed} at most needed` }
  const calls = Math.max(0, Math.floor((limit - otherFiles) / 6))
  const text = `${limit} allowed: enough for ${calls} recorded calls of two, though the RTP ports are enough for ${Math.floor(ports / 2)}; raise it (ulimit -n, LimitNOFILE)`
  return { level: 'warn', what, text }
}

/** @returns The host's refusal. */
async function tryUdp(ip: string, port: number): Promise<string | undefined> {
  const socket = createSocket(isIPv6(ip) ? 'udp6' : 'udp4')
  const heard = once(socket, 'listening')
  socket.bind({ address: ip, port, exclusive: true })
  const refusal = await heard.then(() => undefined, codeOf)
  socket.close()
  return refusal
}

/** @returns The host's refusal. */
async function tryTcp(ip: string, port: number): Promise<string | undefined> {
  const server = createServer()
  const heard = once(server, 'listening')
  server.listen({ host: ip, port, exclusive: true })
  const refusal = await heard.then(() => undefined, codeOf)
  server.close()
  return refusal
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)
