/** The SIP messages of a call as arrows between the devices and Patchbay; a click shows the whole message. */
import { Group, Text } from '@mantine/core'
import { useMemo, useState } from 'react'
import type { Call } from '../../../src/api/schemas/calls.ts'
import { useMessages } from '../api/queries.ts'
import { HistoryIcon } from '../ui/icons.tsx'
import { Empty, ErrorNote, Loading } from '../ui/notes.tsx'
import { type Arrow, type Column, ladderOf } from './ladder-model.ts'
import { MessageFiles } from './message-files.tsx'
import { MessageText } from './message-text.tsx'

export function Ladder({ call }: { readonly call: Call }) {
  const messages = useMessages(call.id)
  const model = useMemo(() => ladderOf(messages.data?.items ?? [], call.legs), [messages.data, call.legs])
  const [opened, setOpened] = useState<number>()
  if (messages.error) return <ErrorNote error={messages.error} onRetry={() => void messages.refetch()} />
  if (!messages.data) return <Loading what="SIP messages" />
  if (model.arrows.length === 0) {
    return (
      <Empty icon={<HistoryIcon size={26} />} title="No messages are kept for this call">
        They are kept for a bounded number of calls while the server runs, and stored when the call ends.
      </Empty>
    )
  }
  const { columns, arrows } = model
  return (
    <>
      <Group justify="space-between" gap="xs">
        <Text size="sm" c="dimmed">
          {arrows.length} messages. Select one to read it. Passwords and keys are removed.
        </Text>
        <MessageFiles address={(ending) => `/api/calls/${encodeURIComponent(call.id)}/sip.${ending}`} />
      </Group>
      <div className="ladder">
        <div className="ladder-inner">
          <LadderHead columns={columns} />
          {arrows.map((arrow, index) => (
            // Messages only ever get appended, so the position is a stable key.
            <div key={index}>
              <LadderRow
                arrow={arrow}
                columns={columns.length}
                opened={opened === index}
                onToggle={() => setOpened(opened === index ? undefined : index)}
              />
              {opened === index ? <MessageText message={arrow.message} /> : null}
            </div>
          ))}
        </div>
      </div>
    </>
  )
}

function LadderHead({ columns }: { readonly columns: readonly Column[] }) {
  return (
    <div className="ladder-head">
      <div />
      <div className="ladder-names" style={{ gridTemplateColumns: `repeat(${columns.length}, minmax(0, 1fr))` }}>
        {columns.map(({ name, address }) => (
          <div key={address}>
            <Text size="sm" fw={600} truncate>
              {name}
            </Text>
            <Text size="xs" c="dimmed" className="mono" truncate title={address}>
              {address}
            </Text>
          </div>
        ))}
      </div>
    </div>
  )
}

interface LadderRowProps {
  readonly arrow: Arrow
  /** How many. */
  readonly columns: number
  readonly opened: boolean
  readonly onToggle: () => void
}

function LadderRow({ arrow, columns, opened, onToggle }: LadderRowProps) {
  const centre = (column: number) => ((column + 0.5) / columns) * 100
  const leftmost = Math.min(arrow.from, arrow.to)
  const widthPercent = centre(Math.max(arrow.from, arrow.to)) - centre(leftmost)
  const { direction, remote } = arrow.message
  const said = `${arrow.label}, ${direction === 'in' ? 'from' : 'to'} ${remote}, after ${seconds(arrow.afterMs)}`
  return (
    <button type="button" className="ladder-row" aria-expanded={opened} aria-label={said} onClick={onToggle}>
      <span className="ladder-time tabular">{seconds(arrow.afterMs)}</span>
      <span className="ladder-lanes">
        {Array.from({ length: columns }, (_, column) => (
          <span key={column} className="ladder-line" style={{ left: `${centre(column)}%` }} />
        ))}
        <span
          className="ladder-arrow"
          data-to={arrow.to > arrow.from ? 'right' : 'left'}
          data-class={arrow.class}
          style={{ left: `${centre(leftmost)}%`, width: `${widthPercent}%` }}
        >
          <span>{arrow.label}</span>
        </span>
      </span>
    </button>
  )
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(3)} s`
}
