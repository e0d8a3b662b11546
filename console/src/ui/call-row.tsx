/** One line of a list of calls or recordings: who, when, how long; leads to the page of the call. */
import { Text } from '@mantine/core'
import type { ReactNode } from 'react'
import { Link } from 'react-router'
import type { Call } from '../../../src/api/schemas/calls.ts'
import { clockTime, fullTime, shortTime } from '../format.ts'
import { KindIcon } from './badges.tsx'
import { FromTo } from './party.tsx'

interface CallRowProps {
  readonly callId: string
  readonly call: Pick<Call, 'kind' | 'from' | 'to'>
  readonly startedAtMs: number
  /** Of the talk or the recording; absent when there was none. */
  readonly lengthMs: number | undefined
  /** Marks between who and when. */
  readonly children: ReactNode
}

export function CallRow({ callId, call, startedAtMs, lengthMs, children }: CallRowProps) {
  return (
    <Link className="row" to={`/calls/${encodeURIComponent(callId)}`}>
      <span className="row-icon">
        <KindIcon kind={call.kind} />
      </span>
      <div className="row-who">
        <FromTo from={call.from} to={call.to} />
      </div>
      <span className="row-badges">{children}</span>
      <span className="row-when">
        <Text size="sm" component="time" dateTime={new Date(startedAtMs).toISOString()} title={fullTime(startedAtMs)}>
          {shortTime(startedAtMs, Date.now())}
        </Text>
        <Text size="sm" c="dimmed" className="row-length tabular" component="span">
          {lengthMs === undefined ? '' : clockTime(lengthMs)}
        </Text>
      </span>
    </Link>
  )
}
