/**
 * Whom somebody speaks with: how phones and trunks are told, and what their answers say of themselves.
 *
 *   call/  ── who answered, who took over ─▶  here  ── headers ─▶  180, 200, UPDATE, re-INVITE
 *          ◀─ who it is, private or not ───        ◀─ 180, 200 ──
 *
 * Phones read P-Asserted-Identity or Remote-Party-ID: they get both. Of trunks those with `trustIdentity` are told, and
 * believed. RFC 3325 §9.1, RFC 5876.
 */
import type { Presenter } from '../call/leg.ts'
import { addressAt, partyAt } from '../call/party.ts'
import type { Party } from '../events/catalogue.ts'
import type { SipResponse } from '../sip/message/types.ts'
import type { ExtraHeaders } from '../sip/stack.types.ts'
import { assertedIn, hidesIdentity } from './caller-id.ts'
import { addressOf, nobody, numberOf, telephoneOf } from './introduction.ts'
import type { Trunk } from './trunks.ts'

/** To a phone of ours; somebody private is somebody anonymous. */
export const presentToPhone: Presenter = (who, host) => {
  const { private: hidden = false } = who
  const identity = hidden ? nobody : addressAt(host, who)
  return {
    'P-Asserted-Identity': identity,
    'Remote-Party-ID': remoteParty(identity, hidden),
    ...(hidden && { Privacy: 'id' }),
  }
}

const remoteParty = (identity: string, hidden: boolean): string =>
  `${identity};screen=yes;privacy=${hidden ? 'full' : 'off'}`

/** To a trunk: the number it knows the other by. A trunk that is not trusted is told nothing. */
export function presenterFor(trunk: Trunk): Presenter | undefined {
  if (!trunk.trustIdentity) return undefined
  return (who, host): ExtraHeaders => {
    const number = who.extension === undefined ? telephoneOf(who) : numberOf(trunk, who.extension)
    if (number === undefined) return {}
    const identity = addressOf(number, trunk.fromDomain ?? host, who.name)
    const { private: hidden = false } = who
    const told: ExtraHeaders =
      trunk.callerIdIn === 'remote-party-id'
        ? { 'Remote-Party-ID': remoteParty(identity, hidden) }
        : { 'P-Asserted-Identity': identity }
    return { ...told, ...(hidden && { Privacy: 'id' }) }
  }
}

/** A phone is who the directory says; that it wants to be private, its answer says. */
export const reachedPhone = (party: Party, { headers }: SipResponse): Party | undefined =>
  hidesIdentity(headers) ? { ...party, private: true } : undefined

/** Behind a trusted trunk is whom its answer asserts. */
export function reachedByTrunk({ trustIdentity }: Trunk, party: Party, { headers }: SipResponse): Party | undefined {
  const asserted = trustIdentity ? assertedIn(headers, 'called') : undefined
  const who = asserted && partyAt(asserted)
  return hidesIdentity(headers) ? { ...(who ?? party), private: true } : who
}
