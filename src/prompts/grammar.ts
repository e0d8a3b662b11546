/**
 * What a language has to know to speak numbers, dates and times: each function answers with names of prompts, in the
 * order in which they are played.
 *
 *   sayNumber(21) ─▶ number-21        whose text is "twenty-one", "einundzwanzig", "vingt-et-un", "veintiuno"
 *
 * Languages of ours are in languages/; a folder of PROMPTS_DIR may bring its own as `grammar.ts` or `grammar.js`.
 */

/** How a number stands beside what it counts: alone, or as the gender of a noun asks. */
export type Form = 'plain' | 'masculine' | 'feminine' | 'neuter'

/** What can be counted. The prompts are `<noun>` and `<noun>s`. */
export const nouns = ['day', 'hour', 'minute', 'second', 'new-message', 'old-message', 'participant'] as const
export type Noun = (typeof nouns)[number]

/** A day of the calendar people use (Gregorian). */
export interface CalendarDay {
  readonly year: number
  /** 1 to 12. */
  readonly month: number
  /** 1 to 31. */
  readonly day: number
}

export interface Grammar {
  /** A whole number, 0 to 999,999,999. */
  number(value: number, form: Form): readonly string[]
  /** First, second: 1 to 99. */
  ordinal(value: number, form: Form): readonly string[]
  /** Weekday (1 is Monday), day, month and year. */
  date(date: CalendarDay, weekday: number): readonly string[]
  /** A time of the day as people say it, hour 0 to 23. */
  time(hour: number, minute: number): readonly string[]
  readonly genders: Readonly<Record<Noun, Form>>
  /** Whether so many take the singular: 1 alone, in French also 0. */
  isSingular(value: number): boolean
  /** Texts of the prompts whose names are made by rule: `number-0` to `number-99` and their like. */
  readonly texts: Readonly<Record<string, string>>
}

/** Of a language whose numbers are the same beside every noun. */
export const noGenders = {
  day: 'plain',
  hour: 'plain',
  minute: 'plain',
  second: 'plain',
  'new-message': 'plain',
  'old-message': 'plain',
  participant: 'plain',
} as const satisfies Grammar['genders']

/** Names `<kind>-<first>` to `<kind>-<last>` with their texts. */
export function numbered(
  kind: string,
  first: number,
  last: number,
  text: (value: number) => string,
): Readonly<Record<string, string>> {
  const entries: [string, string][] = []
  for (let value = first; value <= last; value++) entries.push([`${kind}-${value}`, text(value)])
  return Object.fromEntries(entries)
}

/** Millions, thousands, and what is below a thousand. */
export const parts = (value: number) => ({
  millions: Math.floor(value / 1_000_000),
  thousands: Math.floor(value / 1000) % 1000,
  rest: value % 1000,
})
