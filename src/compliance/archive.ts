/**
 * Everything of some calls as one zip, written as a stream: sound is copied from disk or an archive as it is taken, and
 * what is in the database is read when its turn comes. Memory holds names alone. A file that cannot be read is told of in
 * index.json, which is written last; the others are there all the same.
 *
 *   index.json, README.txt, cdr.csv, audit.jsonl
 *   calls/0001_<id>/call.json, sip.txt, metadata-1.xml…, notes.json, <files of its recordings>
 */
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { Readable, Transform } from 'node:stream'
import { finished, pipeline } from 'node:stream/promises'
import yazl from 'yazl'
import type { AuditRecord } from '../audit/types.ts'
import type { CallHistory } from '../call/history.ts'
import type { LabelStore } from '../call/labels.ts'
import { csvHeader, csvLine } from '../cdr/print.ts'
import type { CdrStore } from '../cdr/types.ts'
import { textOf } from '../trace/export.ts'
import { isLasting, type MissingFile, nowhere, type SoundDeps, type SoundFile, soundOf, whyUnread } from './sound.ts'

export interface ArchiveDeps extends SoundDeps {
  readonly history: Pick<CallHistory, 'call' | 'messages' | 'metadata'>
  readonly cdr: CdrStore
  readonly labels: LabelStore
  readonly auditOf: (subject: string) => Promise<readonly AuditRecord[]>
}

export interface ArchiveRequest {
  /** Where to write it. */
  readonly path: string
  readonly callIds: readonly string[]
  /** What stands at the head of index.json. */
  readonly about: Readonly<Record<string, unknown>>
  readonly progress: (done: number, total: number) => void
  /** Nobody tries again: also what might be read another time (a store does not answer) is left out and told of. */
  readonly last: boolean
  readonly signal: AbortSignal
}

export interface WrittenArchive {
  readonly bytes: number
  readonly sha256: string
  /** Sound that it lacks, in whole or in part. */
  readonly missing: readonly MissingFile[]
}

interface Part {
  readonly name: string
  readonly compress: boolean
  /** @returns undefined when there is nothing to give. */
  readonly read: () => Promise<Readable | undefined>
}

const readme = `What is kept of these calls.

index.json     what is here, and what could not be given and why ("incomplete", "missing")
cdr.csv        one line a call: who, when, how long
audit.jsonl    what was done with the calls and their recordings, by whom
calls/         a folder for each call: call.json (parties, legs, recordings), sip.txt (SIP messages),
               metadata-N.xml (what the recording client sent), notes.json, and the files of its recordings, decrypted
`

/** @throws {Error} What the disk throws, or a file that may be read another time; and the reason of the signal. */
export async function writeArchive(request: ArchiveRequest, deps: ArchiveDeps): Promise<WrittenArchive> {
  const hash = createHash('sha256')
  let bytes = 0
  const count = new Transform({
    transform(chunk: Buffer, _encoding, next) {
      bytes += chunk.length
      hash.update(chunk)
      next(null, chunk)
    },
  })
  const missing: MissingFile[] = []
  const zip = new yazl.ZipFile()
  const output = zip.outputStream as Readable
  // A part that cannot be read ends the archive, not the process.
  zip.on('error', (error: Error) => output.destroy(error))
  const stop = new AbortController()
  const filled = fill(zip, request, deps, missing, AbortSignal.any([request.signal, stop.signal])).catch(
    (error: unknown) => void output.destroy(error instanceof Error ? error : new Error(String(error))),
  )
  try {
    await pipeline(output, count, createWriteStream(request.path, { mode: 0o600 }), { signal: request.signal })
  } finally {
    stop.abort()
    await filled
  }
  return { bytes, sha256: hash.digest('hex'), missing }
}

/** One part after the other; the index knows at the end what was missing. */
async function fill(
  zip: yazl.ZipFile,
  request: ArchiveRequest,
  deps: ArchiveDeps,
  missing: MissingFile[],
  signal: AbortSignal,
): Promise<void> {
  const { parts, calls } = await plan(request, deps, missing)
  for (const [index, { name, compress, read }] of parts.entries()) {
    signal.throwIfAborted()
    const stream = await read()
    if (stream) {
      zip.addReadStream(stream, name, { compress, mode: 0o100_600 })
      await finished(stream, { signal })
    }
    request.progress(index + 1, parts.length)
  }
  const index = { ...request.about, incomplete: missing.length > 0, calls, missing }
  zip.addBuffer(Buffer.from(`${JSON.stringify(index, undefined, 1)}\n`), 'index.json')
  zip.addBuffer(Buffer.from(readme), 'README.txt')
  zip.end()
}

async function plan({ callIds, last }: ArchiveRequest, deps: ArchiveDeps, missing: MissingFile[]) {
  const parts: Part[] = [
    { name: 'cdr.csv', compress: true, read: () => fromLines(cdrLines(deps, callIds)) },
    { name: 'audit.jsonl', compress: true, read: () => fromLines(auditLines(deps, callIds)) },
  ]
  const calls: { readonly callId: string; readonly folder: string }[] = []
  for (const [index, callId] of callIds.entries()) {
    const folder = `calls/${String(index + 1).padStart(4, '0')}_${callId.replaceAll(/[^A-Za-z0-9_-]/g, '_')}`
    parts.push(...(await partsOf(callId, folder, deps)))
    for (const recording of (await deps.history.call(callId))?.recordings ?? [])
      for (const file of soundOf(recording, deps)) parts.push(soundPart(file, folder, missing, last))
    calls.push({ callId, folder })
  }
  return { parts, calls }
}

/** Notes what it cannot give. */
function soundPart({ name, open }: SoundFile, folder: string, missing: MissingFile[], last: boolean): Part {
  const file = `${folder}/${name}`
  const unread = (error: unknown): void => {
    if (!last && !isLasting(error)) throw error
    missing.push({ file, why: whyUnread(error) })
  }
  /** What was read so far stays: of a damaged file the beginning. */
  async function* untilFault(sound: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    try {
      yield* sound
    } catch (error) {
      unread(error)
    }
  }
  const read = async (): Promise<Readable | undefined> => {
    try {
      const sound = await open()
      if (sound) return Readable.from(untilFault(sound), { objectMode: false })
      missing.push({ file, why: nowhere })
    } catch (error) {
      unread(error)
    }
    return undefined
  }
  return { name: file, compress: false, read }
}

async function partsOf(callId: string, folder: string, { history, labels }: ArchiveDeps): Promise<Part[]> {
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
  return parts
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
