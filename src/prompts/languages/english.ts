/** English as spoken in America: no "and" within numbers, twelve hours a.m. and p.m. */
import { type Grammar, noGenders, numbered, parts } from '../grammar.ts'

const small =
  'zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen'.split(
    ' ',
  )
const tens = '- - twenty thirty forty fifty sixty seventy eighty ninety'.split(' ')
const irregular: Readonly<Record<string, string>> = {
  one: 'first',
  two: 'second',
  three: 'third',
  five: 'fifth',
  eight: 'eighth',
  nine: 'ninth',
  twelve: 'twelfth',
}

function cardinal(value: number): string {
  const unit = value % 10
  if (value < 20) return small[value] ?? ''
  return unit === 0 ? (tens[value / 10] ?? '') : `${tens[Math.floor(value / 10)]}-${small[unit]}`
}

function ordinalText(value: number): string {
  const words = cardinal(value).split('-')
  const last = words.pop() ?? ''
  return [...words, irregular[last] ?? `${last.replace(/y$/, 'ie')}th`].join('-')
}

function belowThousand(value: number): string[] {
  const names: string[] = []
  if (value >= 100) names.push(`hundreds-${Math.floor(value / 100)}`)
  if (value % 100 > 0) names.push(`number-${value % 100}`)
  return names
}

function number(value: number): string[] {
  if (value === 0) return ['number-0']
  const { millions, thousands, rest } = parts(value)
  return [
    ...(millions > 0 ? [...belowThousand(millions), 'million'] : []),
    ...(thousands > 0 ? [...belowThousand(thousands), 'thousand'] : []),
    ...belowThousand(rest),
  ]
}

/** 1999 in two halves, 1905 with an "oh"; 2000 to 2009 and what is no year of four digits as a number. */
function year(value: number): string[] {
  const [century, rest] = [Math.floor(value / 100), value % 100]
  if (value < 1100 || value > 9999 || (value % 1000 < 10 && rest < 10)) return number(value)
  if (rest === 0) return [`number-${century}`, 'hundred']
  return [`number-${century}`, ...(rest < 10 ? ['oh'] : []), `number-${rest}`]
}

function time(hour: number, minute: number): string[] {
  if (minute === 0 && hour % 12 === 0) return [hour === 0 ? 'midnight' : 'noon']
  const minutes = minute === 0 ? [] : minute < 10 ? ['oh', `number-${minute}`] : [`number-${minute}`]
  return [`number-${hour % 12 || 12}`, ...minutes, hour < 12 ? 'a-m' : 'p-m']
}

export const english: Grammar = {
  number,
  ordinal: (value) => [`ordinal-${value}`],
  date: ({ year: of, month, day }, weekday) => [`weekday-${weekday}`, `month-${month}`, `ordinal-${day}`, ...year(of)],
  time,
  genders: noGenders,
  isSingular: (value) => value === 1,
  texts: {
    ...numbered('number', 0, 99, cardinal),
    ...numbered('hundreds', 1, 9, (value) => `${small[value]} hundred`),
    ...numbered('ordinal', 1, 99, ordinalText),
    hundred: 'hundred',
    thousand: 'thousand',
    million: 'million',
  },
}
