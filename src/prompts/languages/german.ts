/** German: units before tens, "ein" within numbers and "eins" at their end, 24 hours. */
import { type Form, type Grammar, numbered, parts } from '../grammar.ts'

const small =
  'null eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf dreizehn vierzehn fünfzehn sechzehn siebzehn achtzehn neunzehn'.split(
    ' ',
  )
const tens = '- - zwanzig dreißig vierzig fünfzig sechzig siebzig achtzig neunzig'.split(' ')
const irregular: Readonly<Record<number, string>> = { 1: 'erste', 3: 'dritte', 7: 'siebte', 8: 'achte' }

/** A digit before something: "ein", not "eins". */
const joined = (value: number): string => (value === 1 ? 'ein' : (small[value] ?? ''))

function cardinal(value: number): string {
  if (value < 20) return small[value] ?? ''
  const ten = tens[Math.floor(value / 10)] ?? ''
  return value % 10 === 0 ? ten : `${joined(value % 10)}und${ten}`
}

const ordinalText = (value: number): string => irregular[value] ?? `${cardinal(value)}${value < 20 ? 'te' : 'ste'}`

/** "ein Tag", "eine Stunde"; any other number is the same before all. */
const one: Readonly<Record<Form, string>> = {
  plain: 'number-1',
  masculine: 'number-1-joined',
  neuter: 'number-1-joined',
  feminine: 'number-1-feminine',
}

function belowThousand(value: number, form: Form): string[] {
  const names: string[] = []
  if (value >= 100) names.push(`hundreds-${Math.floor(value / 100)}`)
  const rest = value % 100
  if (rest === 1) names.push(one[form])
  else if (rest > 0) names.push(`number-${rest}`)
  return names
}

function number(value: number, form: Form): string[] {
  if (value === 0) return ['number-0']
  const { millions, thousands, rest } = parts(value)
  return [
    ...(millions === 1 ? ['number-1-feminine', 'million'] : []),
    ...(millions > 1 ? [...belowThousand(millions, 'masculine'), 'millions'] : []),
    ...(thousands > 0 ? [...belowThousand(thousands, 'masculine'), 'thousand'] : []),
    ...belowThousand(rest, form),
  ]
}

/** 1100 to 1999 in hundreds: "neunzehnhundert neunundneunzig". */
function year(value: number): string[] {
  if (value < 1100 || value > 1999) return number(value, 'plain')
  const rest = value % 100
  return [`number-${Math.floor(value / 100)}`, 'hundred', ...(rest > 0 ? [`number-${rest}`] : [])]
}

export const german: Grammar = {
  number,
  ordinal: (value) => [`ordinal-${value}`],
  date: ({ year: of, month, day }, weekday) => [
    `weekday-${weekday}`,
    'the',
    `ordinal-${day}`,
    `month-${month}`,
    ...year(of),
  ],
  time: (hour, minute) => [...number(hour, 'masculine'), 'oclock', ...(minute === 0 ? [] : [`number-${minute}`])],
  genders: {
    day: 'masculine',
    hour: 'feminine',
    minute: 'feminine',
    second: 'feminine',
    'new-message': 'feminine',
    'old-message': 'feminine',
    participant: 'masculine',
  },
  isSingular: (value) => value === 1,
  texts: {
    ...numbered('number', 0, 99, cardinal),
    ...numbered('hundreds', 1, 9, (value) => `${joined(value)}hundert`),
    ...numbered('ordinal', 1, 99, ordinalText),
    'number-1-joined': 'ein',
    'number-1-feminine': 'eine',
    hundred: 'hundert',
    thousand: 'tausend',
    million: 'Million',
    millions: 'Millionen',
  },
}
