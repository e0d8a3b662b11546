/** The outline of a recording's file, growing while the file is read. */
import { useEffect, useRef, useState } from 'react'
import { ApiError } from '../api/client.ts'
import { isTooLong, isWav, peaksOfFile, type SoundFile } from './decoded.ts'
import { type Peaks, PeaksReader, peaksOf } from './peaks.ts'

export interface PeaksState {
  /** Undefined until the header has come; complete when `done`. */
  readonly peaks: Peaks | undefined
  readonly done: boolean
  /** 0..1 */
  readonly progress: number
  readonly error: unknown
}

const nothing: PeaksState = { peaks: undefined, done: false, progress: 0, error: undefined }
/** How often the progress is shown. */
const tellMs = 200

export function usePeaks(address: string, file: SoundFile | undefined): PeaksState {
  const [state, setState] = useState<PeaksState>(nothing)
  const wanted = useRef(file)
  wanted.current = file
  useEffect(() => {
    const controller = new AbortController()
    setState(nothing)
    if (!wanted.current) return undefined
    readPeaks(address, wanted.current, controller.signal, setState).catch((error: unknown) => {
      if (!controller.signal.aborted) setState({ ...nothing, error })
    })
    return () => controller.abort()
  }, [address])
  return state
}

async function readPeaks(
  address: string,
  file: SoundFile,
  signal: AbortSignal,
  tell: (state: PeaksState) => void,
): Promise<void> {
  const isSamples = isWav(file)
  if (!isSamples && isTooLong(file)) return tell({ peaks: peaksOf(file), done: true, progress: 1, error: undefined })
  const response = await fetch(address, { signal })
  if (!response.ok || !response.body) {
    const title = response.status === 404 ? 'The file is no longer there' : 'The recording could not be read'
    throw new ApiError({ title, status: response.status, code: 'console.no-audio' })
  }
  const totalBytes = Number(response.headers.get('content-length'))
  const reader = new PeaksReader()
  const kept: Uint8Array<ArrayBuffer>[] = []
  let bytes = 0
  let toldAt = performance.now()
  for await (const chunk of chunksOf(response.body)) {
    if (isSamples) reader.push(chunk)
    else kept.push(chunk)
    bytes += chunk.length
    if (performance.now() - toldAt > tellMs) {
      toldAt = performance.now()
      tell({ peaks: undefined, done: false, progress: totalBytes > 0 ? bytes / totalBytes : 0, error: undefined })
    }
  }
  const peaks = isSamples ? reader.peaks() : await peaksOfFile(file, await new Blob(kept).arrayBuffer())
  if (signal.aborted) return
  tell({ peaks, done: true, progress: 1, error: undefined })
}

/** Safari cannot iterate a stream with `for await`. */
async function* chunksOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  const reader = stream.getReader()
  for (;;) {
    const { value, done } = await reader.read()
    if (done) return
    yield value
  }
}
