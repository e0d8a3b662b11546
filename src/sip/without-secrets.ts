/** What must not be kept of a SIP message: whoever may read a trace must not be able to call as somebody else. */

/**
 * Digest answers, which a guessed password explains (RFC 7616 §5), those of servers among them; keys of SDES (RFC 4568),
 * MIKEY (RFC 4567), SDP (RFC 4566 §5.12) and ICE (RFC 8839 §5.4).
 */
const secretLines =
  /^((?:(?:proxy-)?authorization[ \t]*:[ \t]*\w*)|(?:proxy-)?authentication-info[ \t]*:|a=crypto:\d{1,9}[ \t]+\S+|a=key-mgmt:\w+|k=\w+:|a=ice-pwd:)[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*/gim
/** Takes what has no `@` too: a text full of beginnings must not be read once for each. */
const userInfos = /\b(sips?:)([^\s@<>]*)@?/gi

/** The message without digest answers, keys of media and passwords in URIs. */
export function withoutSecrets(text: string): string {
  return text.replaceAll(secretLines, '$1 (removed)').replaceAll(userInfos, withoutPassword)
}

function withoutPassword(found: string, scheme: string, userInfo: string): string {
  const colon = userInfo.indexOf(':')
  return colon < 1 || !found.endsWith('@') ? found : `${scheme}${userInfo.slice(0, colon)}:(removed)@`
}

/** A MESSAGE without what a person wrote (RFC 3428); everything else as it is. */
export function withoutWords(text: string): string {
  if (!text.startsWith('MESSAGE ')) return text
  const end = /\r?\n\r?\n/.exec(text)
  return end && end.index + end[0].length < text.length ? `${text.slice(0, end.index)}${end[0]}(removed)` : text
}

/** An INFO without the digits that it tells (`Signal=5`, or a bare one): each is an `x`, and the length stays. */
export function withoutDigits(text: string): string {
  const end = /\r?\n\r?\n/.exec(text)
  if (!end) return text
  const body = text.slice(end.index)
  return text.slice(0, end.index) + body.replaceAll(/[0-9*#]|(?<=signal\s{0,9}=\s{0,9})[a-d]/gi, 'x')
}
