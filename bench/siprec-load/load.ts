/** What the generator is told, and what it tells. */
import type { Address } from '../../src/sip/stack.types.ts'
import type { Pacing } from './pacer.ts'

export interface Load {
  readonly server: Address
  readonly sessions: number
  readonly seconds: number
  /** INVITEs a second. */
  readonly rate: number
}

export type FromGenerator =
  | { readonly type: 'up'; readonly callIds: readonly string[]; readonly problems: readonly string[] }
  | { readonly type: 'sent'; readonly pacing: Pacing }
  | { readonly type: 'ended' }

export type ToGenerator = 'send' | 'end'

export const labels = ['1', '2'] as const
