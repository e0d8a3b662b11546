/** Why a recording stays or goes, in words. Pure. */
import type { Hold, NewRetentionRule, RecordingRetention } from '../../../src/api/schemas/retention.ts'
import { fullTime } from '../format.ts'

type Due = Pick<RecordingRetention, 'keepUntilMs' | 'counts' | 'holds'>

/** `Kept until 3 Mar 2027, 10:00:00: the rule "Sales" says 90 days.` */
export function keepText({ keepUntilMs, counts, holds }: Due): string {
  const cause = causeText(counts)
  if (holds.length > 0) return `Kept while a legal hold stands. Without it: ${cause}.`
  return keepUntilMs === undefined ? `Kept for ever: ${cause}.` : `Kept until ${fullTime(keepUntilMs)}: ${cause}.`
}

export function causeText({ by, name, days }: RecordingRetention['counts']): string {
  const long = days === undefined ? 'for ever' : days === 1 ? '1 day' : `${days} days`
  if (by === 'rule') return `the rule "${name ?? ''}" says ${long}`
  if (by === 'call') return `the call itself asked for ${long}`
  return `the settings say ${long}`
}

export function holdText({ kind, subject, why, placedBy }: Hold): string {
  const of =
    kind === 'person' ? subject.slice(subject.indexOf(':') + 1) : kind === 'call' ? 'the call' : 'the recording'
  return `Hold on ${of}, by ${placedBy}: ${why}`
}

/** `90 days: SIPREC sessions, of Frankfurt SBC, tagged sales` */
export function ruleText({ kind, peer, tag, extension, days }: NewRetentionRule): string {
  const long = days === undefined ? 'For ever' : days === 1 ? '1 day' : `${days} days`
  const which = [
    kind === undefined ? 'calls and SIPREC sessions' : kind === 'siprec' ? 'SIPREC sessions' : 'calls',
    ...(peer === undefined ? [] : [`of ${peer}`]),
    ...(tag === undefined ? [] : [`tagged ${tag}`]),
    ...(extension === undefined ? [] : [`with extension ${extension}`]),
  ]
  return `${long}: ${which.join(', ')}`
}
