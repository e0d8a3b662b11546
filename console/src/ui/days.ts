/** Days as a date field gives them, `2026-11-20`, in the reader's time zone. Pure. */

/** First millisecond of a day; undefined when there is no such day. */
export function dayStartMs(day: string): number | undefined {
  const at = /^\d{4}-\d{2}-\d{2}$/.test(day) ? new Date(`${day}T00:00:00`).getTime() : Number.NaN
  return Number.isNaN(at) ? undefined : at
}

/** First millisecond of the day after. A day is not always 24 hours long. */
export function dayEndMs(day: string): number | undefined {
  const start = dayStartMs(day)
  if (start === undefined) return undefined
  const next = new Date(start)
  next.setDate(next.getDate() + 1)
  return next.getTime()
}
