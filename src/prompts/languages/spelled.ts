/** For a language that brings sounds and no grammar: numbers digit by digit, which every language understands. */
import { type Grammar, noGenders } from '../grammar.ts'

const digits = (value: number): string[] => Array.from(String(value), (digit) => `number-${digit}`)
const twoDigits = (value: number): string[] => Array.from(String(value).padStart(2, '0'), (digit) => `number-${digit}`)

export const spelled: Grammar = {
  number: digits,
  ordinal: digits,
  date: ({ year, month, day }, weekday) => [`weekday-${weekday}`, ...digits(day), `month-${month}`, ...digits(year)],
  time: (hour, minute) => [...twoDigits(hour), ...twoDigits(minute)],
  genders: noGenders,
  isSingular: (value) => value === 1,
  texts: {},
}
