/** Spanish: "uno" alone, "un" and "una" before what is counted, hundreds with a gender, "cien" when nothing follows. */
import { type Form, type Grammar, numbered, parts } from '../grammar.ts'

const small =
  'cero uno dos tres cuatro cinco seis siete ocho nueve diez once doce trece catorce quince dieciséis diecisiete dieciocho diecinueve veinte veintiuno veintidós veintitrés veinticuatro veinticinco veintiséis veintisiete veintiocho veintinueve'.split(
    ' ',
  )
const tens = '- - - treinta cuarenta cincuenta sesenta setenta ochenta noventa'.split(' ')
const hundreds =
  '- ciento doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos'.split(' ')
const ordinals =
  '- primero segundo tercero cuarto quinto sexto séptimo octavo noveno décimo undécimo duodécimo decimotercero decimocuarto decimoquinto decimosexto decimoséptimo decimoctavo decimonoveno'.split(
    ' ',
  )
const ordinalTens =
  '- - vigésimo trigésimo cuadragésimo quincuagésimo sexagésimo septuagésimo octogésimo nonagésimo'.split(' ')

function cardinal(value: number): string {
  if (value < 30) return small[value] ?? ''
  const ten = tens[Math.floor(value / 10)] ?? ''
  return value % 10 === 0 ? ten : `${ten} y ${small[value % 10]}`
}

const endsInOne = (value: number): boolean => value % 10 === 1 && value !== 11
const withOne = Array.from({ length: 100 }, (_, value) => value).filter(endsInOne)
const masculineText = (value: number): string => (value === 21 ? 'veintiún' : cardinal(value).replace(/uno$/, 'un'))
const feminineText = (text: string): string => text.replaceAll(/o(?= |$)/g, 'a')

function ordinalText(value: number): string {
  if (value < 20) return ordinals[value] ?? ''
  const ten = ordinalTens[Math.floor(value / 10)] ?? ''
  return value % 10 === 0 ? ten : `${ten} ${ordinals[value % 10]}`
}

/** Before a noun that is masculine "primero" and "tercero" are "primer" and "tercer". */
const shortOrdinal = (value: number): boolean => (value % 10 === 1 || value % 10 === 3) && value !== 11

function belowThousand(value: number, form: Form): string[] {
  if (value === 100) return ['hundred']
  return [...hundredsOf(value, form), ...belowHundred(value % 100, form)]
}

function hundredsOf(value: number, form: Form): string[] {
  const hundred = Math.floor(value / 100)
  if (hundred === 0) return []
  return [`hundreds-${hundred}${form === 'feminine' && hundred > 1 ? '-feminine' : ''}`]
}

function belowHundred(value: number, form: Form): string[] {
  if (value === 0) return []
  const gendered = form === 'masculine' || form === 'feminine'
  return [`number-${value}${gendered && endsInOne(value) ? `-${form}` : ''}`]
}

/** Before "mil" hundreds have the gender of what is counted, but one is "un": "doscientas veintiún mil personas". */
function thousandsOf(value: number, form: Form): string[] {
  if (value < 2) return []
  if (value === 100) return ['hundred']
  return [...hundredsOf(value, form), ...belowHundred(value % 100, 'masculine')]
}

function number(value: number, form: Form): string[] {
  if (value === 0) return ['number-0']
  const { millions, thousands, rest } = parts(value)
  return [
    ...(millions > 0 ? [...belowThousand(millions, 'masculine'), millions === 1 ? 'million' : 'millions'] : []),
    ...(thousands > 0 ? [...thousandsOf(thousands, form), 'thousand'] : []),
    ...belowThousand(rest, form),
  ]
}

/** "las dos y cuarto de la tarde". */
function time(hour: number, minute: number): string[] {
  const twelve = hour % 12 || 12
  const minutes: Readonly<Record<number, string>> = { 15: 'quarter', 30: 'half' }
  return [
    ...(twelve === 1 ? ['the-one'] : ['las', `number-${twelve}`]),
    ...(minute === 0 ? [] : ['and', minutes[minute] ?? `number-${minute}`]),
    partOfDay(hour),
  ]
}

function partOfDay(hour: number): string {
  if (hour === 0 || hour >= 20) return 'at-night'
  if (hour < 6) return 'before-dawn'
  if (hour < 12) return 'in-the-morning'
  return hour === 12 ? 'at-noon' : 'in-the-afternoon'
}

function ordinal(value: number, form: Form): string[] {
  if (form === 'feminine') return [`ordinal-${value}-feminine`]
  return [form === 'masculine' && shortOrdinal(value) ? `ordinal-${value}-short` : `ordinal-${value}`]
}

const upTo99 = Array.from({ length: 99 }, (_, index) => index + 1)

export const spanish: Grammar = {
  number,
  ordinal,
  date: ({ year, month, day }, weekday) => [
    `weekday-${weekday}`,
    day === 1 ? 'ordinal-1' : `number-${day}`,
    'of',
    `month-${month}`,
    'of',
    ...number(year, 'plain'),
  ],
  time,
  genders: {
    day: 'masculine',
    hour: 'feminine',
    minute: 'masculine',
    second: 'masculine',
    'new-message': 'masculine',
    'old-message': 'masculine',
    participant: 'masculine',
  },
  isSingular: (value) => value === 1,
  texts: {
    ...numbered('number', 0, 99, cardinal),
    ...Object.fromEntries(withOne.map((value) => [`number-${value}-masculine`, masculineText(value)])),
    ...Object.fromEntries(withOne.map((value) => [`number-${value}-feminine`, feminineText(cardinal(value))])),
    hundred: 'cien',
    ...numbered('hundreds', 1, 9, (value) => hundreds[value] ?? ''),
    ...Object.fromEntries(
      [2, 3, 4, 5, 6, 7, 8, 9].map((value) => [
        `hundreds-${value}-feminine`,
        (hundreds[value] ?? '').replace(/os$/, 'as'),
      ]),
    ),
    ...numbered('ordinal', 1, 99, ordinalText),
    ...Object.fromEntries(upTo99.map((value) => [`ordinal-${value}-feminine`, feminineText(ordinalText(value))])),
    ...Object.fromEntries(
      upTo99.filter(shortOrdinal).map((value) => [`ordinal-${value}-short`, ordinalText(value).slice(0, -1)]),
    ),
    thousand: 'mil',
    million: 'millón',
    millions: 'millones',
  },
}
