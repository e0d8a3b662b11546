/** The records of a sealed file by their heads, nothing opened: where each one is, and where the file stops making sense. */
import type { ByteSource } from './byte-source.ts'
import { type RecordHead, readRecordHead, recordHeadBytes, recordsAt, saltBytes, tagBytes } from './layout.ts'

export interface FoundRecord extends RecordHead {
  /** Where its head begins. */
  readonly at: number
  /** Just behind its tag. */
  readonly until: number
}

export interface Scan {
  readonly records: readonly FoundRecord[]
  /** What is wrong behind them; undefined when the last one is the end, and the file ends with it. */
  readonly problem: string | undefined
}

/** Read at once: many records, so that a long file takes few reads. */
const windowBytes = 1 << 20

export async function scanRecords(file: ByteSource, fileBytes: number): Promise<Scan> {
  const records: FoundRecord[] = []
  const window = Buffer.alloc(Math.min(windowBytes, Math.max(0, fileBytes - recordsAt)))
  let windowAt = 0
  let filled = 0
  const stop = (problem: string | undefined): Scan => ({ records, problem })
  for (let at = recordsAt; ; ) {
    if (at + recordHeadBytes > fileBytes) return stop(at === fileBytes ? 'it has no end' : 'its last record is cut off')
    if (filled === 0 || at + recordHeadBytes > windowAt + filled) {
      windowAt = at
      filled = (await file.read(window, 0, window.length, at)).bytesRead
      if (filled < recordHeadBytes) return stop('its last record is cut off')
    }
    const head = readRecordHead(window, at - windowAt)
    const number = records.length
    if (!head || !hasItsForm(head)) return stop(`record ${number} is none`)
    if (head.number !== number) return stop(`record ${head.number} stands where record ${number} belongs`)
    const until = at + recordHeadBytes + head.length + tagBytes
    if (until > fileBytes) return stop(`record ${number} is cut off`)
    records.push({ ...head, at, until })
    if (head.type === 'end') return stop(until === fileBytes ? undefined : 'something stands behind its end')
    at = until
  }
}

function hasItsForm({ type, position, length }: RecordHead): boolean {
  if (type === 'resume') return length === saltBytes && position === 0
  return type === 'data' || length === 0
}
