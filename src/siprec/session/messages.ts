/**
 * The requests that told who is in a session, the INVITE first: kept as they came, to be read again after a restart
 * rather than what was made of them.
 */
import { parseMessage } from '../../sip/message/parse.ts'
import { printMessage } from '../../sip/message/print.ts'
import type { SipRequest } from '../../sip/message/types.ts'
import { readBody } from '../body.ts'
import { metadataOf } from '../metadata/from-request.ts'
import type { MetadataDocument } from '../metadata/model.ts'
import type { Checkpoint } from '../survival/checkpoint.ts'

/** Of one session. */
const mostMessages = 64

type Kept = Checkpoint['messages']

export const messageAt = (atMs: number, request: SipRequest): Kept[number] => ({
  atMs,
  text: printMessage(request).toString('latin1'),
})

/** With one more; of very many the oldest are left out, but never the INVITE. */
export function withMessage(kept: Kept, atMs: number, request: SipRequest): Kept {
  const [first, ...later] = kept
  const more = [...later.slice(2 - mostMessages), messageAt(atMs, request)]
  return first ? [first, ...more] : more
}

/** What each told, if anything, and when. */
export const documentsIn = (kept: Kept): { readonly atMs: number; readonly document?: MetadataDocument }[] =>
  kept.map(({ atMs, text }) => {
    const parsed = parseMessage(Buffer.from(text, 'latin1'))
    if (!parsed.ok || parsed.message.kind !== 'request') return { atMs }
    const document = metadataOf(parsed.message, readBody(parsed.message).metadata)
    return document ? { atMs, document } : { atMs }
  })
