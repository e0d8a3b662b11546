/** French as spoken in France: soixante-dix, quatre-vingts, quatre-vingt-dix; hyphens as the spelling of 1990 has them. */
import { type Form, type Grammar, numbered, parts } from '../grammar.ts'

const small =
  'zéro un deux trois quatre cinq six sept huit neuf dix onze douze treize quatorze quinze seize dix-sept dix-huit dix-neuf'.split(
    ' ',
  )
const tens = '- - vingt trente quarante cinquante soixante'.split(' ')

function cardinal(value: number): string {
  if (value < 20) return small[value] ?? ''
  if (value >= 80) return value === 80 ? 'quatre-vingts' : `quatre-vingt-${cardinal(value - 80)}`
  if (value === 71) return 'soixante-et-onze'
  if (value > 69) return `soixante-${cardinal(value - 60)}`
  const ten = tens[Math.floor(value / 10)] ?? ''
  if (value % 10 === 0) return ten
  return value % 10 === 1 ? `${ten}-et-un` : `${ten}-${small[value % 10]}`
}

/** "une", "vingt-et-une", "quatre-vingt-une": those that end in "un". */
const hasFeminine = (value: number): boolean => cardinal(value).endsWith('un')
const feminineText = (value: number): string => `${cardinal(value)}e`
const withFeminine = Array.from({ length: 100 }, (_, value) => value).filter(hasFeminine)

function ordinalText(value: number): string {
  if (value === 1) return 'premier'
  const text = cardinal(value).replace(/s$/, (s) => (value === 80 ? '' : s))
  if (text.endsWith('cinq')) return `${text}uième`
  if (text.endsWith('neuf')) return `${text.slice(0, -1)}vième`
  return `${text.replace(/e$/, '')}ième`
}

/** @param before Something follows that is no noun: "cent" and "quatre-vingt" lose their s (it is not heard). */
function belowThousand(value: number, form: Form, before: boolean): string[] {
  const names: string[] = []
  const [hundreds, rest] = [Math.floor(value / 100), value % 100]
  if (hundreds > 0) names.push(`hundreds-${hundreds}${hundreds > 1 && (before || rest > 0) ? '-joined' : ''}`)
  if (rest === 80 && before) names.push('number-80-joined')
  else if (rest > 0) names.push(`number-${rest}${form === 'feminine' && hasFeminine(rest) ? '-feminine' : ''}`)
  return names
}

function number(value: number, form: Form): string[] {
  if (value === 0) return ['number-0']
  const { millions, thousands, rest } = parts(value)
  return [
    ...(millions > 0 ? [...belowThousand(millions, 'masculine', false), millions === 1 ? 'million' : 'millions'] : []),
    ...(thousands > 1 ? belowThousand(thousands, 'masculine', true) : []),
    ...(thousands > 0 ? ['thousand'] : []),
    ...belowThousand(rest, form, false),
  ]
}

const isSingular = (value: number): boolean => value < 2

export const french: Grammar = {
  number,
  ordinal: (value, form) => [value === 1 && form === 'feminine' ? 'ordinal-1-feminine' : `ordinal-${value}`],
  date: ({ year, month, day }, weekday) => [
    `weekday-${weekday}`,
    'the',
    day === 1 ? 'ordinal-1' : `number-${day}`,
    `month-${month}`,
    ...number(year, 'plain'),
  ],
  time: (hour, minute) => [
    ...number(hour, 'feminine'),
    isSingular(hour) ? 'hour' : 'hours',
    ...(minute === 0 ? [] : number(minute, 'feminine')),
  ],
  genders: {
    day: 'masculine',
    hour: 'feminine',
    minute: 'feminine',
    second: 'feminine',
    'new-message': 'masculine',
    'old-message': 'masculine',
    participant: 'masculine',
  },
  isSingular,
  texts: {
    ...numbered('number', 0, 99, cardinal),
    ...Object.fromEntries(withFeminine.map((value) => [`number-${value}-feminine`, feminineText(value)])),
    'number-80-joined': 'quatre-vingt',
    'hundreds-1': 'cent',
    ...numbered('hundreds', 2, 9, (value) => `${small[value]} cents`),
    ...Object.fromEntries(
      [2, 3, 4, 5, 6, 7, 8, 9].map((value) => [`hundreds-${value}-joined`, `${small[value]} cent`]),
    ),
    ...numbered('ordinal', 1, 99, ordinalText),
    'ordinal-1-feminine': 'première',
    thousand: 'mille',
    million: 'million',
    millions: 'millions',
  },
}
