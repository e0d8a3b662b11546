/** What the generator is told, and what it tells. */
import type { Address } from '../../src/sip/stack.types.ts'
import type { LoadReport } from '../native/generator.ts'

export interface Load {
  readonly server: Address
  readonly sessions: number
  readonly seconds: number
  /** INVITEs a second. */
  readonly rate: number
  /** RTCP comes by the port of RTP (RFC 5761): a session takes two sockets, not four. */
  readonly muxed: boolean
  /** Packets may be put on the interface raw (isolate.ts). */
  readonly raw: boolean
}

export type FromGenerator =
  | { readonly type: 'up'; readonly callIds: readonly string[]; readonly problems: readonly string[] }
  | { readonly type: 'sent'; readonly report: LoadReport }
  | { readonly type: 'ended' }

export type ToGenerator = 'send' | 'end'

export const labels = ['1', '2'] as const
