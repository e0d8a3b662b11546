/**
 * What is to be said, as names of prompts: numbers, digits, dates, times, durations, things counted.
 *
 *   voicemail, queue, conference  ── sayCount(german, 21, 'new-message') ─▶ here ─▶ number-21, new-messages ─▶ player
 *
 * Pure functions; a `Grammar` knows the language. A value that nobody can say is a mistake of the caller: RangeError.
 */
import type { CalendarDay, Form, Grammar, Noun } from './grammar.ts'

export const mostNumber = 999_999_999

function checked(value: number, least: number, most: number): number {
  if (!Number.isSafeInteger(value) || value < least || value > most)
    throw new RangeError(`cannot say ${value}: a whole number from ${least} to ${most}`)
  return value
}

/** A whole number from -999,999,999 to 999,999,999. */
export function sayNumber(grammar: Grammar, value: number, form: Form = 'plain'): readonly string[] {
  checked(value, -mostNumber, mostNumber)
  return value < 0 ? ['minus', ...grammar.number(-value, form)] : grammar.number(value, form)
}

/** First, second, third: 1 to 99. */
export const sayOrdinal = (grammar: Grammar, value: number, form: Form = 'plain'): readonly string[] =>
  grammar.ordinal(checked(value, 1, 99), form)

const signs: Readonly<Record<string, string>> = { '*': 'star', '#': 'pound', '+': 'plus' }

/** One after the other: telephone numbers, extensions, codes. Of 0 to 9, *, # and +; blanks, dots, dashes and brackets are not said. */
export function sayDigits(digits: string): readonly string[] {
  return Array.from(digits.replaceAll(/[\s().-]/g, ''), (sign) => {
    const name = /\d/.test(sign) ? `number-${sign}` : signs[sign]
    if (name === undefined) throw new RangeError(`cannot say "${sign}" as a digit`)
    return name
  })
}

/** So many of something, each language with its plural and its genders: "veintiún mensajes nuevos". */
export const sayCount = (grammar: Grammar, value: number, noun: Noun): readonly string[] => [
  ...sayNumber(grammar, value, grammar.genders[noun]),
  grammar.isSingular(value) ? noun : `${noun}s`,
]

/** Weekday, day, month and year. @throws {RangeError} for a day that no calendar has. */
export function sayDate(grammar: Grammar, date: CalendarDay): readonly string[] {
  const { year, month, day } = date
  const at = new Date(0)
  at.setUTCFullYear(year, month - 1, day)
  if (year < 1 || year > 9999 || at.getUTCMonth() !== month - 1 || at.getUTCDate() !== day)
    throw new RangeError(`cannot say ${year}-${month}-${day}: no such day`)
  return grammar.date(date, at.getUTCDay() || 7)
}

/** A time of the day; hour 0 to 23. */
export const sayTime = (grammar: Grammar, hour: number, minute: number): readonly string[] =>
  grammar.time(checked(hour, 0, 23), checked(minute, 0, 59))

const units = [
  { noun: 'day', seconds: 86_400 },
  { noun: 'hour', seconds: 3600 },
  { noun: 'minute', seconds: 60 },
  { noun: 'second', seconds: 1 },
] as const

/** Days, hours, minutes and seconds, those that are not 0, with "and" before the last. @param seconds Whole. */
export function sayDuration(grammar: Grammar, seconds: number): readonly string[] {
  let left = checked(seconds, 0, mostNumber)
  const said: (readonly string[])[] = []
  for (const unit of units) {
    const count = Math.floor(left / unit.seconds)
    left %= unit.seconds
    if (count > 0 || (seconds === 0 && unit.noun === 'second')) said.push(sayCount(grammar, count, unit.noun))
  }
  if (said.length > 1) said.splice(-1, 0, ['and'])
  return said.flat()
}
