/**
 * Everything of some calls as one zip, written as a stream: sound is copied from disk or archive as it is taken, and what is in the
 * database is read when its turn comes. Memory holds names alone.
 *
 *   index.json, README.txt, cdr.csv, audit.jsonl
 *   calls/0001_<id>/call.json, sip.txt, metadata-1.xml…, notes.json, <files of its recordings>
 */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { join } from 'node:path'
import { Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import yazl from 'yazl'
import type { AuditRecord } from '../audit/types.ts'
import type { CallHistory, RecordingRecord } from '../call/history.ts'
import type { LabelStore } from '../call/labels.ts'
import { csvHeader, csvLine } from '../cdr/print.ts'
import type { CdrStore } from '../cdr/types.ts'
import type { ByteSource } from '../sealing/container/byte-source.ts'
import type { OpenKey } from '../sealing/container/reader.ts'
import { findStored, openSource, openStored, plainName, type StoredFile, streamStored } from '../sealing/stored-file.ts'
import { textOf } from '../trace/export.ts'

export interface ArchiveDeps {
  readonly history: Pick<CallHistory, 'call' | 'messages' | 'metadata'>
  readonly cdr: CdrStore
  readonly labels: LabelStore
  readonly auditOf: (subject: string) => Promise<readonly AuditRecord[]>
  readonly recordingDir: string
  readonly openKey: OpenKey
  /** Of a file that is not in the folder any more. */
  readonly copyOf: (recordingId: string, name: string) => Promise<ByteSource | undefined>
}

export interface ArchiveRequest {
  /** Where to write it. */
  readonly path: string
  readonly callIds: readonly string[]
  /** What stands at the head of index.json. */
  readonly about: Readonly<Record<string, unknown>>
  readonly progress: (done: number, total: number) => void
  readonly signal: AbortSignal
}

export interface WrittenArchive {
  readonly bytes: number
  readonly sha256: string
}

interface Part {
  readonly name: string
  readonly compress: boolean
  readonly read: () => Promise<Readable>
}

const readme = `What is kept of these calls.

index.json     what is here, and what could not be given
cdr.csv        one line a call: who, when, how long
audit.jsonl    what was done with the calls and their recordings, by whom
calls/         a folder for each call: call.json (parties, legs, recordings), sip.txt (SIP messages),
               metadata-N.xml (what the recording client sent), notes.json, and the sound, decrypted
`

/** @throws {Error} What the disk or a damaged file throws; and the reason of the signal. */
export async function writeArchive(request: ArchiveRequest, deps: ArchiveDeps): Promise<WrittenArchive> {
  const { parts, index } = await plan(request, deps)
  const zip = new yazl.ZipFile()
  let done = 0
  for (const { name, compress, read } of parts)
    zip.addReadStreamLazy(name, { compress, mode: 0o100_600 }, (give) => {
      void open(read, give).then(() => request.progress(++done, parts.length))
    })
  zip.addBuffer(Buffer.from(`${JSON.stringify(index, undefined, 1)}\n`), 'index.json')
  zip.addBuffer(Buffer.from(readme), 'README.txt')
  zip.end()
  const hash = createHash('sha256')
  let bytes = 0
  const count = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      bytes += chunk.length
      hash.update(chunk)
      next(null, chunk)
    },
  })
  const output = zip.outputStream as Readable
  // A part that cannot be read ends the archive, not the process.
  zip.on('error', (error: Error) => output.destroy(error))
  await pipeline(output, count, createWriteStream(request.path, { mode: 0o600 }), { signal: request.signal })
  return { bytes, sha256: hash.digest('hex') }
}

/** Never rejects: what cannot be read ends the archive. */
async function open(read: Part['read'], give: (error: unknown, stream: Readable) => void): Promise<void> {
  try {
    give(null, await read())
  } catch (error) {
    give(error, Readable.from([]))
  }
}

async function plan({ callIds, about }: ArchiveRequest, deps: ArchiveDeps) {
  const parts: Part[] = [
    { name: 'cdr.csv', compress: true, read: () => fromLines(cdrLines(deps, callIds)) },
    { name: 'audit.jsonl', compress: true, read: () => fromLines(auditLines(deps, callIds)) },
  ]
  const calls: { callId: string; folder: string; missing?: readonly string[] }[] = []
  for (const [index, callId] of callIds.entries()) {
    const folder = `calls/${String(index + 1).padStart(4, '0')}_${callId.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`
    const { parts: own, missing } = await partsOf(callId, folder, deps)
    parts.push(...own)
    calls.push({ callId, folder, ...(missing.length > 0 && { missing }) })
  }
  return { parts, index: { ...about, calls } }
}

async function partsOf(callId: string, folder: string, deps: ArchiveDeps) {
  const { history, labels } = deps
  const json = (name: string, read: () => Promise<unknown>): Part => ({
    name: `${folder}/${name}`,
    compress: true,
    read: async () => Readable.from([`${JSON.stringify(await read(), undefined, 1)}\n`]),
  })
  const parts: Part[] = [
    json('call.json', () => history.call(callId)),
    json('notes.json', () => labels.ofCall(callId)),
    {
      name: `${folder}/sip.txt`,
      compress: true,
      read: async () => Readable.from([textOf(await history.messages(callId))]),
    },
  ]
  const documents = (await history.metadata(callId))?.documents.length ?? 0
  for (let number = 0; number < documents; number++)
    parts.push({
      name: `${folder}/metadata-${number + 1}.xml`,
      compress: true,
      read: async () => Readable.from([(await history.metadata(callId))?.documents[number]?.raw ?? '']),
    })
  const missing: string[] = []
  for (const recording of (await history.call(callId))?.recordings ?? [])
    for (const { name, open } of await soundOf(recording, deps))
      if (open === undefined) missing.push(name)
      else parts.push({ name: `${folder}/${name}`, compress: false, read: async () => streamStored(await open()) })
  return { parts, missing }
}

interface Sound {
  readonly name: string
  /** undefined: it is neither here nor in an archive. */
  readonly open: (() => Promise<StoredFile>) | undefined
}

async function soundOf({ id, files }: RecordingRecord, deps: ArchiveDeps): Promise<Sound[]> {
  const found: Sound[] = []
  for (const { name } of files)
    found.push({ name: plainName(name.slice(name.lastIndexOf('/') + 1)), open: await opener(id, name, deps) })
  return found
}

/** The file here, else its copy in an archive. */
async function opener(
  recordingId: string,
  name: string,
  { recordingDir, openKey, copyOf }: ArchiveDeps,
): Promise<Sound['open']> {
  if (name.split('/').includes('..')) return undefined
  const path = await findStored(join(recordingDir, name))
  if (path !== undefined) return () => openStored(path, { openKey })
  const copy = await copyOf(recordingId, name)
  return copy && (() => openSource(copy, { openKey }))
}

const fromLines = (lines: AsyncGenerator<string>): Promise<Readable> =>
  Promise.resolve(Readable.from(lines, { objectMode: false }))

async function* cdrLines({ cdr }: ArchiveDeps, callIds: readonly string[]): AsyncGenerator<string> {
  yield csvHeader
  for (const callId of callIds) {
    const record = await cdr.one(callId)
    if (record) yield csvLine(record)
  }
}

async function* auditLines({ history, auditOf }: ArchiveDeps, callIds: readonly string[]): AsyncGenerator<string> {
  for (const callId of callIds) {
    const recordings = (await history.call(callId))?.recordings ?? []
    for (const subject of [`call:${callId}`, ...recordings.map(({ id }) => `recording:${id}`)])
      for (const record of await auditOf(subject)) yield `${JSON.stringify(record)}\n`
  }
}
