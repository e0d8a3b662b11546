/** Times of metadata: RFC 3339 by the RFC (RFC 7865 §6), in the field without a zone, or with `+0000`. */

const time = /^(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?\s*(?:Z|([+-])(\d\d):?(\d\d))?$/i

/** Milliseconds since 1970; a time without a zone is UTC. Undefined when it cannot be read. */
export function parseTime(text: string): number | undefined {
  const found = time.exec(text.trim())
  if (!found) return undefined
  const [, year, month, day, hour, minute, second, fraction = '', sign, zoneHour, zoneMinute] = found
  const local = Date.UTC(Number(year), Number(month) - 1, Number(day), Number(hour), Number(minute), Number(second))
  const zoneMs = sign === undefined ? 0 : (Number(zoneHour) * 60 + Number(zoneMinute)) * 60_000
  return local + Math.trunc(Number(`0.${fraction || '0'}`) * 1_000) - (sign === '-' ? -zoneMs : zoneMs)
}
