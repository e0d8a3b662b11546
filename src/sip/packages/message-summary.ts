/** The event package `message-summary`: how many messages wait in a mailbox. RFC 3842. */
import { isDeepStrictEqual } from 'node:util'
import type { EventPackage } from '../subscription/types.ts'

export const messageSummaryType = 'application/simple-message-summary'

/** Voice messages of one mailbox. */
export interface MessageCounts {
  readonly fresh: number
  readonly old: number
  readonly urgentFresh: number
  readonly urgentOld: number
}

export interface MessageSummary extends MessageCounts {
  /** Whom to call to hear them. */
  readonly account?: string
}

/** The package, given who may ask and what waits now. */
export const messageSummaryPackage = (
  source: Pick<EventPackage<MessageSummary>, 'admit' | 'state'>,
): EventPackage<MessageSummary> => ({
  ...source,
  name: 'message-summary',
  contentType: messageSummaryType,
  spacingMs: 1_000, // §3.10
  write: (summary, { told }) => (told && isDeepStrictEqual(summary, told) ? undefined : writeMessageSummary(summary)),
})

export function writeMessageSummary({ fresh, old, urgentFresh, urgentOld, account }: MessageSummary): string {
  const to = account === undefined ? '' : `Message-Account: ${account}\r\n`
  return `Messages-Waiting: ${fresh > 0 ? 'yes' : 'no'}\r\n${to}Voice-Message: ${fresh}/${old} (${urgentFresh}/${urgentOld})\r\n`
}

/** undefined without the one line that must be there. Other kinds of messages than voice are not counted. */
export function readMessageSummary(body: Uint8Array): MessageSummary | undefined {
  const lines = Buffer.from(body).toString().split(/\r?\n/)
  const valueOf = (name: string): string | undefined =>
    lines
      .find((line) => line.toLowerCase().startsWith(`${name}:`))
      ?.slice(name.length + 1)
      .trim()
  const waiting = valueOf('messages-waiting')?.toLowerCase()
  if (waiting !== 'yes' && waiting !== 'no') return undefined
  const counts = /^(\d{1,10})\s*\/\s*(\d{1,10})(?:\s*\(\s*(\d{1,10})\s*\/\s*(\d{1,10})\s*\))?/.exec(
    valueOf('voice-message') ?? '',
  )
  const [fresh = waiting === 'yes' ? 1 : 0, old = 0, urgentFresh = 0, urgentOld = 0] =
    counts?.slice(1).map((count) => Number(count ?? 0)) ?? []
  const account = valueOf('message-account')
  return { fresh, old, urgentFresh, urgentOld, ...(account && { account }) }
}
