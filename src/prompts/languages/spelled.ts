/** For a language that brings sounds and no grammar: numbers digit by digit, which every language understands. */
import type { Grammar } from '../grammar.ts'

const digits = (value: number): string[] => Array.from(String(value), (digit) => `number-${digit}`)
const twoDigits = (value: number): string[] => Array.from(String(value).padStart(2, '0'), (digit) => `number-${digit}`)

export const spelled: Grammar = {
  number: digits,
  ordinal: digits,
  date: ({ year, month, day }, weekday) => [`weekday-${weekday}`, ...digits(day), `month-${month}`, ...digits(year)],
  time: (hour, minute) => [...twoDigits(hour), ...twoDigits(minute)],
  genders: {
    day: 'plain',
    hour: 'plain',
    minute: 'plain',
    second: 'plain',
    'new-message': 'plain',
    'old-message': 'plain',
    participant: 'plain',
  },
  isSingular: (value) => value === 1,
  texts: {},
}
