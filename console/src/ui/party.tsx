/** Someone at an end of a call: name, and the number where it says more. */
import { Text } from '@mantine/core'
import type { Party } from '../../../src/api/schemas/common.ts'
import { partyName, partyNumber } from '../format.ts'

export function PartyText({ party }: { readonly party: Party }) {
  const number = partyNumber(party)
  return (
    <span title={party.uri}>
      <Text component="span" fw={550}>
        {partyName(party)}
      </Text>
      {number ? (
        <Text component="span" c="dimmed" size="sm" ml={6}>
          {number}
        </Text>
      ) : null}
      {party.private ? (
        <Text component="span" c="dimmed" size="xs" ml={6} title="Asked not to be named to who is called">
          private
        </Text>
      ) : null}
    </span>
  )
}

/** `Alice 101 → Bob 102` on one line, cut off where it is too long. */
export function FromTo({ from, to }: { readonly from: Party; readonly to: Party }) {
  return (
    <div className="truncate">
      <PartyText party={from} />
      <Text component="span" c="dimmed" mx={8} aria-label="to">
        →
      </Text>
      <PartyText party={to} />
    </div>
  )
}
