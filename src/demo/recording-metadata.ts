/** The metadata document of a recording session: who takes part, and who speaks on which stream. RFC 7865 §6, §8. */
import { randomBytes } from 'node:crypto'

export interface MetadataParty {
  readonly label: string
  readonly uri: string
  readonly name: string
}

/** Ids in metadata are 16 random bytes in base64 (RFC 7865 §6.10). */
const newMetadataId = (): string => randomBytes(16).toString('base64')

/**
 * @param sessionId Names the communication session, for whoever compares it with the PBX's own records.
 * @param associatedAt When the parties joined.
 */
export function recordingMetadata(sessionId: string, parties: readonly MetadataParty[], associatedAt: Date): string {
  const session = newMetadataId()
  const time = associatedAt.toISOString()
  const people = parties.map((party) => ({ ...party, id: newMetadataId(), stream: newMetadataId() }))
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<recording xmlns="urn:ietf:params:xml:ns:recording:1">',
    '  <datamode>complete</datamode>',
    `  <session session_id="${session}"><sipSessionID>${escapeXml(sessionId)}</sipSessionID></session>`,
    ...people.map(
      ({ id, uri, name }) =>
        `  <participant participant_id="${id}"><nameID aor="${escapeXml(uri)}"><name>${escapeXml(name)}</name></nameID></participant>`,
    ),
    ...people.map(
      ({ stream, label }) =>
        `  <stream stream_id="${stream}" session_id="${session}"><label>${escapeXml(label)}</label></stream>`,
    ),
    `  <sessionrecordingassoc session_id="${session}"><associate-time>${time}</associate-time></sessionrecordingassoc>`,
    ...people.map(
      ({ id }) =>
        `  <participantsessionassoc participant_id="${id}" session_id="${session}"><associate-time>${time}</associate-time></participantsessionassoc>`,
    ),
    ...people.map(({ id, stream }) => {
      const heard = people.filter((other) => other.id !== id).map((other) => `<recv>${other.stream}</recv>`)
      return `  <participantstreamassoc participant_id="${id}"><send>${stream}</send>${heard.join('')}</participantstreamassoc>`
    }),
    '</recording>',
  ]
  return lines.join('\n')
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escapeXml = (text: string): string => text.replace(/[&<>"]/g, (character) => entities[character] ?? character)
