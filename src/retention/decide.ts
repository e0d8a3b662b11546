/**
 * How long one recording is kept, and why.
 *
 * Everything that applies is looked at: the rules that match, and what the call itself asked for. The longest counts,
 * and for ever is longer than any number: a recording is never deleted because of the order of rules, or because one
 * was forgotten to exclude it. The setting RECORDING_CLEANUP_DAYS counts only where nothing else applies.
 */
import type { RetentionCase, RetentionRule, RuleMatch } from './types.ts'

export const dayMs = 86_400_000

export interface Reason {
  readonly by: 'rule' | 'call' | 'setting'
  readonly ruleId?: string
  /** Name of the rule. */
  readonly name?: string
  /** After the end of the recording; absent: for ever. */
  readonly days?: number
}

export interface Decision {
  /** The longest of them. */
  readonly counts: Reason
  /** All that apply. */
  readonly reasons: readonly Reason[]
  /** It may be deleted from then on; absent: never. */
  readonly keepUntilMs?: number
}

/** @param settingDays 0: for ever. */
export function decide(recording: RetentionCase, rules: readonly RetentionRule[], settingDays: number): Decision {
  const reasons: Reason[] = rules.filter((rule) => matches(rule, recording)).map(reasonOf)
  if (recording.retentionDays !== undefined) reasons.push({ by: 'call', days: recording.retentionDays })
  if (reasons.length === 0) reasons.push({ by: 'setting', ...(settingDays > 0 && { days: settingDays }) })
  const counts = reasons.reduce((longest, reason) => (daysOf(reason) > daysOf(longest) ? reason : longest))
  return {
    counts,
    reasons,
    ...(counts.days !== undefined && { keepUntilMs: recording.endedAtMs + counts.days * dayMs }),
  }
}

/** Days after which the first recording could be due; undefined when none ever is. */
export function shortestDays(
  rules: readonly Pick<RetentionRule, 'days'>[],
  shortestAsked: number | undefined,
  settingDays: number,
): number | undefined {
  const all = rules.flatMap(({ days }) => (days === undefined ? [] : [days]))
  if (shortestAsked !== undefined) all.push(shortestAsked)
  if (settingDays > 0) all.push(settingDays)
  return all.length === 0 ? undefined : Math.min(...all)
}

const reasonOf = ({ id, name, days }: RetentionRule): Reason => ({
  by: 'rule',
  ruleId: id,
  name,
  ...(days !== undefined && { days }),
})

const daysOf = ({ days = Infinity }: Reason): number => days

const matches = (rule: RuleMatch, recording: RetentionCase): boolean =>
  (rule.kind === undefined || rule.kind === recording.kind) &&
  (rule.peer === undefined || rule.peer === recording.peer) &&
  (rule.tag === undefined || recording.tags.includes(rule.tag)) &&
  (rule.extension === undefined || recording.extensions.includes(rule.extension))
