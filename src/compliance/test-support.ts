/** Calls of a person in a database file, with recordings on disk and all that may be known of them. For tests. */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TestContext } from 'node:test'
import { inflateRawSync } from 'node:zlib'
import { Audit } from '../audit/audit.ts'
import { silentLogger } from '../core/logger.ts'
import { databaseFile, ended, keepFacts, legStarted, message, started, wav } from '../database/test-support.ts'
import type { FactOf } from '../events/catalogue.ts'
import { Jobs } from '../jobs/runner.ts'
import { joinLife, type LifeParts } from '../join-life.ts'
import { SipTrace } from '../sip/trace.ts'

export const erika = { uri: 'sip:+493012345678@carrier.example', name: 'Erika Mustermann' }
export const number = '493012345678'
export const asker = { who: 'dpo', via: 'session', source: '192.0.2.7' } as const
export const sound = Buffer.from('RIFF and so on, the voice of Erika')

export async function withCallsOf(t: TestContext) {
  const path = databaseFile(t)
  const folder = dirname(path)
  const recordingDir = join(folder, 'recordings')
  mkdirSync(join(recordingDir, 'unfinished'), { recursive: true })
  const kept = await keepFacts(t, path)
  const { database, bus, clock } = kept
  const trace = new SipTrace(clock)
  const parts = {
    settings: { cleanupDays: 0, cleanupEvery: 0, exportDir: '', exportKeepDays: 7 },
    dataDir: folder,
    clock,
    log: silentLogger,
    bus,
    database,
    archive: { remove: () => Promise.resolve([]), open: () => Promise.resolve(undefined) },
    recordingDir,
    openKey: () => Promise.reject(new Error('no keys here')),
  }
  const audit = new Audit({ store: database.audit, clock, log: silentLogger })
  /** The server as far as this goes; again after a crash. */
  const serve = (
    exportKeepDays = 7,
    archive: LifeParts['archive'] = parts.archive,
    openKey: LifeParts['openKey'] = parts.openKey,
  ) => {
    const jobs = new Jobs({ store: database.jobs, clock, log: silentLogger, bus })
    const settings = { ...parts.settings, exportKeepDays }
    const life = joinLife({ ...parts, settings, jobs, archive, openKey })
    life.onErased((texts) => trace.forget(texts))
    t.after(() => jobs.close())
    return { ...life, jobs }
  }
  const tell = (callId: string, to: typeof erika, atMs: number): void => {
    const from = { uri: 'sip:101@pbx.example', name: 'Alice', extension: '101' }
    bus.publish({ ...started(callId, atMs), from, to })
    bus.publish({ ...legStarted(callId, `${callId}-l`, atMs), party: to, sipCallId: `${callId}@peer` })
    const baseName = `2026-11-20_${callId}_101_${/\d+/.exec(to.uri)?.[0]}`
    const files = [{ ...wav(`${baseName}.wav`), kind: 'combined' as const }, wav(`${baseName}_caller.wav`)]
    const stored: FactOf<'recording.stored'> = {
      name: 'recording.stored',
      atMs: atMs + 8_000,
      callId,
      recordingId: `${callId}-r`,
      baseName,
      files,
      participants: [{ uri: to.uri, name: to.name, channel: 1 }],
      durationMs: 8_000,
      interrupted: false,
    }
    bus.publish(stored)
    bus.publish({ name: 'call.traced', atMs: atMs + 8_500, callId, messages: [message(`INVITE ${to.uri} SIP/2.0`)] })
    bus.publish(ended(callId, atMs + 8_000))
    for (const name of [...files.map((file) => file.name), `${baseName}.json`, `${baseName}.wav.locations`])
      writeFileSync(join(recordingDir, name), sound)
  }
  const bob = { uri: 'sip:102@pbx.example', name: 'Bob' }
  tell('c1', erika, 1_000)
  tell('c2', bob, 20_000)
  tell('c3', { ...erika, uri: `tel:+49-30-12345678` }, 40_000)
  // Bob's call was sent on from Erika: her number stands in its messages.
  bus.publish({ ...started('c4', 28_000), from: bob, to: bob })
  bus.publish(ended('c4', 29_000))
  bus.publish({
    name: 'call.traced',
    atMs: 29_000,
    callId: 'c4',
    messages: [message('INVITE sip:102@pbx SIP/2.0'), message(`Diversion: <${erika.uri}>`)],
  })
  await database.history.call('c1')
  await database.labels.addNote('c1', { id: 'n', atMs: 1, who: 'alice', text: `ring ${number} back` })
  await database.labels.tagCall('c1', ['vip'])
  return { ...kept, path, folder, recordingDir, audit, trace, serve }
}

/** Every file below the folder that holds the text, in its bytes or its name. */
export function whoNames(folder: string, text: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => {
    const path = join(folder, name)
    if (name.includes(text)) return true
    return existsSync(path) && statSync(path).isFile() && readFileSync(path).includes(text)
  })
}

/** What a zip holds, by name: its central directory, and what that leads to (APPNOTE 4.3). */
export function unzip(zip: Buffer): Map<string, Buffer> {
  const files = new Map<string, Buffer>()
  const end = zip.lastIndexOf(Buffer.from('PK\x05\x06', 'latin1'))
  let at = zip.readUInt32LE(end + 16)
  for (let left = zip.readUInt16LE(end + 10); left > 0; left--) {
    const [method, bytes] = [zip.readUInt16LE(at + 10), zip.readUInt32LE(at + 20)]
    const [nameLength, extra, comment] = [28, 30, 32].map((offset) => zip.readUInt16LE(at + offset)) as [
      number,
      number,
      number,
    ]
    const name = zip.toString('utf8', at + 46, at + 46 + nameLength)
    const local = zip.readUInt32LE(at + 42)
    const data = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
    const packed = zip.subarray(data, data + bytes)
    files.set(name, method === 0 ? packed : inflateRawSync(packed))
    at += 46 + nameLength + extra + comment
  }
  return files
}
