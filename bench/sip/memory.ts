/** What a server process of a bench says of its memory, after garbage collection (start it with --expose-gc). */
import type { SipStack } from '../../src/sip/stack.types.ts'

export interface Memory {
  /** Heap in use and buffers outside it. */
  readonly heapBytes: number
  readonly residentBytes: number
  readonly dialogs: number
  readonly transactions: number
}

export function memoryOf(stack: SipStack): Memory {
  globalThis.gc?.()
  const { heapUsed, external, rss } = process.memoryUsage()
  const { dialogs, transactions } = stack.counts()
  return { heapBytes: heapUsed + external, residentBytes: rss, dialogs, transactions }
}

export const bytesEach = (from: number, to: number, count: number): string => ((to - from) / count).toFixed(0)
