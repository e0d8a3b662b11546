/**
 * Malformed SIP, random bytes, connections that say nothing: the server keeps answering, and afterwards holds no more
 * memory and sockets than before.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { gunzipSync } from 'node:zlib'
import { seededRandom } from '../../src/net/memory-network.ts'
import { extensionsFrom101, registeredPhone } from '../support/phones.ts'
import { needs } from '../support/program.ts'
import { type ServerProcess, startServerProcess, useOf } from '../support/server-process.ts'
import { SipProbe } from '../support/sip-probe.ts'
import { until } from '../support/until.ts'

const data = join(import.meta.dirname, '..', 'data')
const extensions = extensionsFrom101(2)
/** What a run may leave behind: heap that was not collected yet, not something a case costs for ever. */
const memoryBytes = 100 * 2 ** 20
/** Longer than any transaction lives (32 s, RFC 3261 §17) and than a silent connection may stay. */
const quietWithinMs = 90_000

/** Twice what it needs after the start: whoever keeps something of each message ends here. */
const heapLimit = '--max-old-space-size=100'

let server: ServerProcess
let probe: SipProbe
let filesBefore = 0
let bytesBefore = 0
before(async () => {
  server = await startServerProcess({ extensions, env: { LOG_LEVEL: 'silent', NODE_OPTIONS: heapLimit } })
  probe = await SipProbe.open(server.sip)
  await callWorks()
  filesBefore = useOf(server.pid).openFiles
  bytesBefore = useOf(server.pid).residentBytes
})
after(async () => {
  probe.close()
  await server.remove()
})

async function callWorks(): Promise<void> {
  const [from, to] = await Promise.all(extensions.map((extension) => registeredPhone(server, extension)))
  if (!from || !to) throw new Error('a phone is missing')
  const outcome = await from.call(extensions[1]?.number ?? '').outcome
  assert.ok(outcome.answered)
  await outcome.call.hangUp()
  await Promise.all([from.close(), to.close()])
}

async function stillAnswers(what: string): Promise<void> {
  assert.ok(server.running, `${what}: the server ended; it printed:\n${server.output()}`)
  assert.notEqual(await probe.alive(), undefined, `${what}: no answer to OPTIONS`)
}

/** Write these pieces to a new connection and wait a moment for what comes back. */
function overTcp(pieces: readonly Uint8Array[], waitMs = 20): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(server.sip.port, server.sip.ip)
    socket.on('error', () => {}) // the server may hang up on us
    socket.on('close', () => resolve())
    socket.on('data', () => {})
    for (const piece of pieces) socket.write(piece)
    setTimeout(() => socket.destroy(), waitMs)
  })
}

interface FuzzCase {
  readonly seed: number
  readonly transport: 'udp' | 'tcp'
  readonly splits?: readonly number[]
  readonly msg: string
}

function fuzzCases(): FuzzCase[] {
  const lines = gunzipSync(readFileSync(join(data, 'fuzz', 'cases.jsonl.gz')))
    .toString()
    .trim()
    .split('\n')
  return lines.map((line) => JSON.parse(line) as FuzzCase)
}

function cutAt(bytes: Buffer, splits: readonly number[]): Buffer[] {
  const cuts = [0, ...splits, bytes.length]
  return cuts.slice(1).map((end, index) => bytes.subarray(cuts[index], end))
}

test('600 malformed messages of a grammar fuzzer', needs(), async () => {
  for (const { seed, transport, splits = [], msg } of fuzzCases()) {
    const bytes = Buffer.from(msg, 'base64')
    if (transport === 'tcp') await overTcp(cutAt(bytes, splits))
    else probe.send(bytes)
    if (seed % 10 === 0) await stillAnswers(`up to seed ${seed}`)
  }
  await stillAnswers('after all')
})

test('the torture messages of RFC 4475, over UDP and TCP', needs(), async () => {
  const folder = join(data, 'rfc4475')
  for (const name of readdirSync(folder).filter((file) => file.endsWith('.dat'))) {
    const bytes = readFileSync(join(folder, name))
    probe.send(bytes)
    await overTcp([bytes])
    await stillAnswers(name)
  }
})

/** Not ours to give away (GPL): `PROTOS_C07` names its cases.jsonl.gz where somebody has it. */
const protos = process.env['PROTOS_C07']

test('each case of PROTOS c07-sip, over UDP and TCP', {
  ...needs(),
  skip: protos ? false : 'PROTOS_C07 is not set',
}, async () => {
  const lines = gunzipSync(readFileSync(protos ?? ''))
    .toString()
    .trim()
    .split('\n')
  assert.ok(lines.length > 2_000)
  for (const [index, line] of lines.entries()) {
    const { invite } = JSON.parse(line) as { invite: string }
    const bytes = filledIn(Buffer.from(invite, 'base64').toString('latin1'), index)
    probe.send(bytes)
    await overTcp([bytes], 5)
    if (index % 25 === 0) await stillAnswers(`up to case ${index}`)
  }
  await stillAnswers('after all')
})

function filledIn(template: string, index: number): Buffer {
  const values: Readonly<Record<string, string>> = {
    To: '101@127.0.0.1',
    From: '102@127.0.0.1',
    'From-Address': '127.0.0.1',
    'From-IP': '127.0.0.1',
    'Local-Port': '5999',
    'Branch-ID': String(index),
    'Call-ID': String(index),
    CSeq: '1',
    'Teardown-Method': 'CANCEL',
  }
  const filled = template.replaceAll(/<([A-Za-z-]+)>/g, (whole, name: string) => values[name] ?? whole)
  const body = /\r\n\r\n([\s\S]*)$/.exec(filled)?.[1] ?? ''
  return Buffer.from(filled.replaceAll('<Content-Length>', String(body.length)), 'latin1')
}

async function pass(): Promise<void> {
  for (const { msg } of fuzzCases()) probe.send(Buffer.from(msg, 'base64'))
  await stillAnswers('after a pass')
}

test('the same 600 messages, 60 times over, fit into the heap that the server has', needs(), async () => {
  for (let round = 0; round < 60; round++) await pass()
})

test('random bytes, over UDP and TCP', needs(), async () => {
  const next = seededRandom(4_475)
  const random = (below: number) => Math.floor(next() * below)
  for (let round = 0; round < 300; round++) {
    const bytes = Uint8Array.from({ length: 1 + random(1_400) }, () => random(256))
    if (round % 3 === 0) await overTcp([bytes])
    else probe.send(bytes)
    if (round % 20 === 0) await stillAnswers(`round ${round}`)
  }
  await stillAnswers('after all')
})

test('300 connections that stop in the middle of a message', needs(), async () => {
  const head = Buffer.from('INVITE sip:101@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1;branch=z9hG4bKhalf\r\n')
  const sockets: Socket[] = []
  for (let index = 0; index < 300; index++) {
    const socket = connect(server.sip.port, server.sip.ip)
    socket.on('error', () => {}) // refused is a fine answer
    if (index % 2 === 0) socket.write(head)
    sockets.push(socket)
  }
  await stillAnswers('with all of them open')
  await until('the server to drop them', quietWithinMs, () =>
    sockets.every((socket) => socket.closed || socket.destroyed),
  )
})

test('afterwards sockets and memory are where they were, and a call works', needs(), async () => {
  await until('sockets to be closed', quietWithinMs, () => useOf(server.pid).openFiles <= filesBefore)
  const grewBytes = useOf(server.pid).residentBytes - bytesBefore
  assert.ok(grewBytes < memoryBytes, `${Math.round(grewBytes / 2 ** 20)} MiB more`)
  assert.equal((await server.api.liveCalls()).items.length, 0)
  await callWorks()
})
