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
