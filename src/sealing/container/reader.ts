/**
 * Reads a sealed file as if it were the plain one.
 *
 *   recording/, api/, cli/  ── read(position) ─▶  here  ── records of that range ─▶  file
 *
 * Opening looks at the heads of all records and at the end; each record that is read is checked with its tag and that of the
 * record before, so nothing is given that was not written there. `verify` reads them all.
 * A file without its end (a crash, or a call that lives) is read up to the last whole record, each of which is checked.
 */
import { SealingError } from '../failures.ts'
import type { ByteSource } from './byte-source.ts'
import { type FoundKey, findKey, type WrappedKey } from './key-place.ts'
import {
  type About,
  type CipherName,
  type Head,
  headBytes,
  readHead,
  recordHeadBytes,
  recordsAt,
  tagBytes,
} from './layout.ts'
import { openRecord, recordKey, tagBeforeAll } from './record-cipher.ts'
import { type FoundRecord, scanRecords } from './scan.ts'

/** Gets a data key back. @throws {SealingError} `sealing.key-missing`, `sealing.key-refused` */
export type OpenKey = (key: WrappedKey, recordingId: string) => Promise<Uint8Array>

/** Where bytes of the plain file are looked for: records by the 64 KiB that they touch. */
const bucketBytes = 65_536
/** Most of the file that is read at once. */
const runBytes = 1 << 20

/** The records of one key. */
interface Part {
  /** Of its first record. */
  readonly from: number
  readonly key: Uint8Array
}

export class SealedReader {
  readonly about: About
  readonly head: Head
  readonly key: FoundKey
  /** Bytes of the plain file, as far as it can be read. */
  readonly size: number
  /** Why the file is not whole; undefined when it is. */
  readonly problem: string | undefined
  /** Where the next record would begin. */
  readonly readUntil: number
  /** Bytes of the file behind the last record that can be read. */
  readonly leftBytes: number
  readonly #file: ByteSource
  readonly #start: Buffer
  readonly #dataKey: Uint8Array
  readonly #records: readonly FoundRecord[]
  readonly #parts: readonly Part[]
  readonly #buckets = new Map<number, FoundRecord[]>()

  private constructor(found: Found) {
    this.#file = found.file
    this.#start = found.start
    this.#dataKey = found.dataKey
    this.#records = found.records
    this.#parts = found.parts
    this.about = found.head.about
    this.head = found.head
    this.key = found.key
    this.problem = found.problem
    this.readUntil = found.records.at(-1)?.until ?? recordsAt
    this.leftBytes = found.fileBytes - this.readUntil
    this.size = found.records.reduce((end, record) => endAfter(end, record), 0)
    for (const record of found.records) if (record.type === 'data') this.#putIntoBuckets(record)
  }

  /**
   * @param file Closed by whoever opened it.
   * @throws {SealingError} when it is no sealed file, or its key cannot be had, or its front is damaged.
   */
  static async open(file: ByteSource, openKey: OpenKey): Promise<SealedReader> {
    const start = await bytesAt(file, 0, recordsAt)
    const head = readHead(start)
    if (head === 'foreign') throw new SealingError('sealing.not-sealed')
    if (head === 'unknown') throw new SealingError('sealing.unknown-version')
    if (!head || start.length < recordsAt) throw new SealingError('sealing.damaged', 'its head')
    const key = findKey(start)
    if (!key) throw new SealingError('sealing.damaged', 'its key')
    const dataKey = await openKey(key.key, head.about.recordingId)
    const { size: fileBytes } = await file.stat()
    const { records, problem } = await scanRecords(file, fileBytes)
    const found = { file, start, head, key, dataKey, fileBytes, records, problem, parts: [] }
    return new SealedReader(await checked(found))
  }

  /** Fill `target` from `position` of the plain file. Fewer bytes only at its end. @throws {SealingError} `sealing.damaged` */
  async read(target: Uint8Array, offset: number, length: number, position: number): Promise<{ bytesRead: number }> {
    const bytesRead = Math.max(0, Math.min(length, this.size - position))
    const until = position + bytesRead
    const goal = target.subarray(offset, offset + bytesRead)
    goal.fill(0)
    for (const run of runsOf(this.#touching(position, until)))
      for (const { record, text } of await this.#textsOf(run)) {
        const from = Math.max(position, record.position)
        const end = Math.min(until, record.position + record.length)
        goal.set(text.subarray(from - record.position, end - record.position), from - position)
      }
    return { bytesRead }
  }

  /** Check every record. @throws {SealingError} `sealing.damaged`, `sealing.unfinished` */
  async verify(): Promise<void> {
    if (!this.key.alone) throw new SealingError('sealing.damaged', 'both places of its key are in use')
    for (const run of runsOf(this.#records)) await this.#textsOf(run)
    if (this.problem !== undefined) throw new SealingError('sealing.unfinished', this.problem)
  }

  /** What a writer that goes on needs. */
  continuation(): Continuation {
    return {
      head: this.#start.subarray(0, headBytes),
      dataKey: this.#dataKey,
      cipher: this.head.cipher,
      number: this.#records.length,
      at: this.readUntil,
      ended: this.#records.at(-1)?.type === 'end',
    }
  }

  #putIntoBuckets(record: FoundRecord): void {
    const last = Math.floor((record.position + record.length - 1) / bucketBytes)
    for (let bucket = Math.floor(record.position / bucketBytes); bucket <= last; bucket++) {
      const there = this.#buckets.get(bucket)
      if (there) there.push(record)
      else this.#buckets.set(bucket, [record])
    }
  }

  /** In the order of their writing: later ones stand over earlier ones. */
  #touching(from: number, until: number): FoundRecord[] {
    const found = new Set<FoundRecord>()
    for (let bucket = Math.floor(from / bucketBytes); bucket * bucketBytes < until; bucket++)
      for (const record of this.#buckets.get(bucket) ?? [])
        if (record.position < until && record.position + record.length > from) found.add(record)
    return [...found].sort((a, b) => a.number - b.number)
  }

  /** @param run Records that follow one another in the file. */
  async #textsOf(run: readonly FoundRecord[]): Promise<{ record: FoundRecord; text: Buffer }[]> {
    const bytes = await bytesOf(this.#file, run)
    return run.map((record, index) => {
      const text = opened(this.head, this.#start, this.#parts, record, bytes[index] ?? Buffer.alloc(0))
      if (!text) throw new SealingError('sealing.damaged', `record ${record.number}`)
      return { record, text }
    })
  }
}

export interface Continuation {
  /** The first 512 bytes. */
  readonly head: Buffer
  readonly dataKey: Uint8Array
  readonly cipher: CipherName
  /** Of the next record. */
  readonly number: number
  /** Where that begins. */
  readonly at: number
  /** There is an end already. */
  readonly ended: boolean
}

interface Found {
  readonly file: ByteSource
  readonly start: Buffer
  readonly head: Head
  readonly key: FoundKey
  readonly dataKey: Uint8Array
  readonly fileBytes: number
  readonly records: readonly FoundRecord[]
  readonly problem: string | undefined
  readonly parts: readonly Part[]
}

/** How long the plain file is after this record: the end tells it, which may cut off half a sample. */
const endAfter = (end: number, { type, position, length }: FoundRecord): number =>
  type === 'end' ? position : Math.max(end, type === 'data' ? position + length : 0)

/** Find the keys of the parts, check the end, and when there is none every record: what is behind a bad one is not read. */
async function checked(found: Found): Promise<Found> {
  const { file, start, head, dataKey, records } = found
  const front = start.subarray(0, headBytes)
  const parts: Part[] = [{ from: 0, key: recordKey(dataKey, head.salt, front) }]
  const whole = found.problem === undefined
  for (const run of runsOf(whole ? records.filter(({ type }) => type !== 'data') : records)) {
    const bytes = await bytesOf(file, run)
    for (const [index, record] of run.entries()) {
      const own = bytes[index] ?? Buffer.alloc(0)
      if (record.type === 'resume') {
        const bodyAt = tagBytes + recordHeadBytes
        parts.push({
          from: record.number,
          key: recordKey(dataKey, own.subarray(bodyAt, bodyAt + record.length), front),
        })
      }
      if (opened(head, start, parts, record, own)) continue
      const problem = `record ${record.number} was changed or is cut off`
      // The heads told of a whole file: look at every record, for the first bad one.
      if (whole) return checked({ ...found, problem })
      return { ...found, records: records.slice(0, record.number), problem, parts }
    }
  }
  return { ...found, parts }
}

function opened(
  head: Head,
  start: Buffer,
  parts: readonly Part[],
  record: FoundRecord,
  bytes: Buffer,
): Buffer | undefined {
  const part = parts.findLast(({ from }) => from <= record.number)
  if (!part) return undefined
  if (record.number > 0) return openRecord(head.cipher, part.key, record, bytes)
  const first = Buffer.from(bytes)
  tagBeforeAll(start.subarray(0, headBytes)).copy(first)
  return openRecord(head.cipher, part.key, record, first)
}

/** Records that follow one another in the file, as many as are read at once. */
function* runsOf(records: readonly FoundRecord[]): Generator<FoundRecord[]> {
  let run: FoundRecord[] = []
  for (const record of records) {
    const before = run.at(-1)
    const first = run[0]
    const follows = before?.number === record.number - 1 && first && record.until - first.at <= runBytes
    if (before && !follows) {
      yield run
      run = []
    }
    run.push(record)
  }
  if (run.length > 0) yield run
}

/** Of each of them, with the tag before it. */
async function bytesOf(file: ByteSource, run: readonly FoundRecord[]): Promise<Buffer[]> {
  const from = (run[0]?.at ?? 0) - tagBytes
  const bytes = await bytesAt(file, from, (run.at(-1)?.until ?? from) - from)
  return run.map(({ at, until }) => bytes.subarray(at - tagBytes - from, until - from))
}

async function bytesAt(file: ByteSource, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await file.read(bytes, done, length - done, position + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}
