/**
 * SIP messages as a ladder: who stands where, and one arrow a message. Pure.
 *
 *   caller's device    Patchbay    called devices…
 *
 * A message belongs to the leg with its Call-ID; the caller stands left of Patchbay and everybody else right. Messages
 * of no known leg get a place by their address.
 */
import type { Leg, TracedMessage } from '../../../src/api/schemas/calls.ts'
import { partyName } from '../format.ts'

export interface Column {
  readonly name: string
  /** `192.0.2.1:5060`; empty for Patchbay itself. */
  readonly address: string
}

/** What a message means for the one who reads the ladder. */
export type MessageClass = 'request' | 'progress' | 'success' | 'failure'

export interface Arrow {
  readonly message: TracedMessage
  /** Index of a column. */
  readonly from: number
  readonly to: number
  /** `INVITE`, `200 OK`. */
  readonly label: string
  readonly class: MessageClass
  /** Since the first message. */
  readonly afterMs: number
}

export interface LadderModel {
  readonly columns: readonly Column[]
  readonly arrows: readonly Arrow[]
}

export function ladderOf(messages: readonly TracedMessage[], legs: readonly Leg[]): LadderModel {
  const left: Column[] = []
  const right: Column[] = []
  const place = (message: TracedMessage): Column => {
    const leg = legOf(message, legs)
    const isLeft = leg ? leg.role !== 'callee' : legs.length === 0
    const side = isLeft ? left : right
    const known = side.find(({ address }) => address === message.remote)
    if (known) return known
    const column = { name: leg ? columnName(leg) : 'Other', address: message.remote }
    side.push(column)
    return column
  }

  const sorted = [...messages].sort((a, b) => a.atMs - b.atMs)
  const placed = sorted.map((message) => ({ message, column: place(message) }))
  const columns = [...left, { name: 'Patchbay', address: '' }, ...right]
  const here = left.length
  const firstAtMs = sorted[0]?.atMs ?? 0
  const arrows = placed.map(({ message, column }) => {
    const there = columns.indexOf(column)
    const incoming = message.direction === 'in'
    return {
      message,
      from: incoming ? there : here,
      to: incoming ? here : there,
      label: labelOf(message.summary),
      class: classOf(message.summary),
      afterMs: message.atMs - firstAtMs,
    }
  })
  return { columns, arrows }
}

/** Several contacts of one extension share no Call-ID; a retried leg may share its device's address. */
function legOf(message: TracedMessage, legs: readonly Leg[]): Leg | undefined {
  const ofCallId = legs.filter(({ sipCallId }) => sipCallId === message.sipCallId)
  return ofCallId.find(({ remote }) => remote === message.remote) ?? ofCallId[0]
}

/** All streams of a SIPREC session come from one device, which is none of the participants. */
function columnName(leg: Leg): string {
  return leg.role === 'stream' ? 'Recording client' : partyName(leg.party)
}

const statusLine = /^SIP\/2\.0 (\d{3})\s*(.*)$/

function labelOf(summary: string): string {
  const status = statusLine.exec(summary)
  if (status) return `${status[1]} ${status[2]}`.trim()
  return summary.split(' ')[0] ?? summary
}

function classOf(summary: string): MessageClass {
  const code = Number(statusLine.exec(summary)?.[1])
  if (Number.isNaN(code)) return 'request'
  if (code < 200) return 'progress'
  return code < 300 ? 'success' : 'failure'
}
