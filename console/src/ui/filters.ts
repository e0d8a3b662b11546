/** Filters of a list, kept in the address: a filtered list can be sent to somebody, and "back" works. */
import { useSearchParams } from 'react-router'

export interface Filters {
  readonly get: (name: string) => string
  /** An empty value removes the filter. */
  readonly set: (name: string, value: string | null) => void
  readonly clear: () => void
  readonly any: boolean
}

export function useFilters(): Filters {
  const [parameters, setParameters] = useSearchParams()
  return {
    get: (name) => parameters.get(name) ?? '',
    set: (name, value) =>
      setParameters(
        (before) => {
          const next = new URLSearchParams(before)
          if (value) next.set(name, value)
          else next.delete(name)
          return next
        },
        { replace: true },
      ),
    clear: () => setParameters({}, { replace: true }),
    any: parameters.size > 0,
  }
}

/** First millisecond of a day `2026-11-20` in the reader's zone; undefined when there is no such day. */
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
