/** Whom an export or an erasure is about. */
import { personKey } from '../core/person.ts'
import { ComplianceError } from './failures.ts'
import type { Subject } from './types.ts'

/** One of the two. */
export interface WantedSubject {
  readonly callId?: string | undefined
  /** Several: the same person under each of them. */
  readonly person?: string | readonly string[] | undefined
}

/** @throws {ComplianceError} `compliance.bad-person` */
export function subjectOf({ callId, person }: WantedSubject): Subject {
  if (callId !== undefined) return { kind: 'call', callId }
  const asked = typeof person === 'string' ? [person] : (person ?? [])
  const keys = asked.map((one) => {
    const key = personKey(one)
    if (key === undefined) throw new ComplianceError('compliance.bad-person')
    return key
  })
  if (keys.length === 0) throw new ComplianceError('compliance.bad-person')
  return { kind: 'person', keys: [...new Set(keys)] }
}

/** Shorter ones stand in every second line by chance: an extension is not looked for in texts. */
const shortestText = 6

/** Texts that name the person wherever they stand. */
export const textsOf = (subject: Subject): string[] =>
  subject.kind === 'call'
    ? []
    : subject.keys.map((key) => key.slice(key.indexOf(':') + 1)).filter((text) => text.length >= shortestText)
