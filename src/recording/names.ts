/**
 * File names of recordings: readable, safe on every file system, whatever a stranger put into a Call-ID or a label.
 *
 * A safe name is injective up to its length: two texts give one name only when both are longer than the bound and
 * their SHA-256 begins alike. That a name is not taken yet is checked by whoever makes the file.
 */
import { createHash } from 'node:crypto'
import type { Party } from '../events/catalogue.ts'

/** File systems take 255 bytes; room is left for a label, a number and the extension. */
export const maxNameLength = 120
export const maxLabelLength = 60

/** Names Windows keeps for devices, with any extension. */
const reserved = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i

/**
 * Letters, digits and `-_.@` stay, the rest is percent-encoded as UTF-8. No leading dot (hidden), no trailing dot
 * (Windows drops it), no device name. What is too long ends in `~` and 16 hex digits of its hash.
 */
export function safeName(text: string, maxLength = maxNameLength): string {
  let name = text
    .replaceAll(/[^A-Za-z0-9_.@-]/gu, encode)
    .replace(/^\./, '%2E')
    .replace(/\.$/, '%2E')
  if (reserved.test(name)) name = encode(name.slice(0, 1)) + name.slice(1)
  if (name === '') name = '_'
  if (name.length <= maxLength) return name
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 16)
  return `${name.slice(0, maxLength - hash.length - 1)}~${hash}`
}

function encode(character: string): string {
  return [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')
}

/** `2026-11-20_073437_101_102_Xk3v9QbA`: when (UTC), who called whom, and the beginning of the call's id. */
export function callRecordingName(call: { callId: string; startedAtMs: number; from: Party; to: Party }): string {
  const [day, time] = new Date(call.startedAtMs).toISOString().slice(0, 19).replaceAll(':', '').split('T')
  return [day, time, numberOf(call.from), numberOf(call.to), call.callId.slice(0, 8)].join('_')
}

/** The extension, else the user part of the URI; at most 32 characters, so that the id stays in the name. */
function numberOf(party: Party): string {
  const user = /^(?:sips?|tel):([^@;?]+)/i.exec(party.uri)?.[1]
  return (party.extension ?? user ?? 'unknown').slice(0, 32)
}
