import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { languages } from './catalogue.ts'
import type { Form, Grammar } from './grammar.ts'
import { spelled } from './languages/spelled.ts'
import { sayCount, sayDate, sayDigits, sayDuration, sayNumber, sayOrdinal, sayTime } from './say.ts'

/** What is heard when these prompts are played. */
function heard(language: string, names: readonly string[]): string {
  const texts = languages[language]?.texts ?? {}
  return names
    .map((name) => {
      assert.ok(name in texts, `${language} has no prompt ${name}`)
      return texts[name]
    })
    .join(' ')
}

const grammarOf = (language: string): Grammar => languages[language]?.grammar ?? spelled

const numbers: Readonly<Record<string, Readonly<Record<number, string>>>> = {
  en: {
    0: 'zero',
    13: 'thirteen',
    21: 'twenty-one',
    40: 'forty',
    100: 'one hundred',
    101: 'one hundred one',
    999: 'nine hundred ninety-nine',
    1000: 'one thousand',
    1001: 'one thousand one',
    12_345: 'twelve thousand three hundred forty-five',
    100_000: 'one hundred thousand',
    1_000_000: 'one million',
    21_000_021: 'twenty-one million twenty-one',
  },
  de: {
    0: 'null',
    1: 'eins',
    16: 'sechzehn',
    17: 'siebzehn',
    21: 'einundzwanzig',
    30: 'dreißig',
    77: 'siebenundsiebzig',
    100: 'einhundert',
    101: 'einhundert eins',
    121: 'einhundert einundzwanzig',
    1000: 'ein tausend',
    1001: 'ein tausend eins',
    21_000: 'einundzwanzig tausend',
    101_001: 'einhundert ein tausend eins',
    1_000_000: 'eine Million',
    2_000_001: 'zwei Millionen eins',
  },
  fr: {
    0: 'zéro',
    17: 'dix-sept',
    21: 'vingt-et-un',
    61: 'soixante-et-un',
    70: 'soixante-dix',
    71: 'soixante-et-onze',
    77: 'soixante-dix-sept',
    80: 'quatre-vingts',
    81: 'quatre-vingt-un',
    91: 'quatre-vingt-onze',
    99: 'quatre-vingt-dix-neuf',
    100: 'cent',
    101: 'cent un',
    200: 'deux cents',
    201: 'deux cent un',
    1000: 'mille',
    1980: 'mille neuf cent quatre-vingts',
    80_000: 'quatre-vingt mille',
    200_000: 'deux cent mille',
    21_000: 'vingt-et-un mille',
    1_000_000: 'un million',
    200_000_000: 'deux cents millions',
  },
  es: {
    0: 'cero',
    1: 'uno',
    16: 'dieciséis',
    21: 'veintiuno',
    22: 'veintidós',
    31: 'treinta y uno',
    100: 'cien',
    101: 'ciento uno',
    200: 'doscientos',
    500: 'quinientos',
    1000: 'mil',
    1021: 'mil veintiuno',
    21_000: 'veintiún mil',
    31_001: 'treinta y un mil uno',
    100_000: 'cien mil',
    101_000: 'ciento un mil',
    1_000_000: 'un millón',
    2_000_000: 'dos millones',
  },
}

for (const [language, expected] of Object.entries(numbers)) {
  test(`numbers are said right in ${language}`, () => {
    const said = Object.keys(expected).map((value) => [
      value,
      heard(language, sayNumber(grammarOf(language), Number(value))),
    ])
    assert.deepEqual(Object.fromEntries(said), expected)
  })
}

test('every number, ordinal, time and day of a year has prompts for all it needs, in each language and gender', () => {
  const forms: readonly Form[] = ['plain', 'masculine', 'feminine', 'neuter']
  for (const [language, { grammar }] of Object.entries(languages)) {
    for (const form of forms) {
      for (let value = 0; value <= 1_000_000; value += value < 2200 ? 1 : 997)
        heard(language, sayNumber(grammar, value, form))
      for (let value = 1; value < 100; value++) heard(language, sayOrdinal(grammar, value, form))
    }
    for (let minute = 0; minute < 1440; minute++)
      heard(language, sayTime(grammar, Math.floor(minute / 60), minute % 60))
    for (let day = 1; day < 366; day++) {
      const at = new Date(Date.UTC(1900 + day, 0, day))
      const date = { year: at.getUTCFullYear(), month: at.getUTCMonth() + 1, day: at.getUTCDate() }
      heard(language, sayDate(grammar, date))
    }
  }
})

test('no two numbers up to 2,200 sound the same', () => {
  for (const [language, { grammar }] of Object.entries(languages)) {
    const all = Array.from({ length: 2200 }, (_, value) => heard(language, sayNumber(grammar, value)))
    assert.equal(new Set(all).size, all.length, language)
  }
})

describe('things counted', () => {
  for (const [language, value, noun, expected] of [
    ['en', 1, 'new-message', 'one new message'],
    ['en', 0, 'new-message', 'zero new messages'],
    ['de', 1, 'new-message', 'eine neue Nachricht'],
    ['de', 1, 'day', 'ein Tag'],
    ['de', 21, 'new-message', 'einundzwanzig neue Nachrichten'],
    ['de', 101, 'hour', 'einhundert eine Stunden'],
    ['fr', 1, 'minute', 'une minute'],
    ['fr', 0, 'minute', 'zéro minute'],
    ['fr', 21, 'minute', 'vingt-et-une minutes'],
    ['fr', 71, 'minute', 'soixante-et-onze minutes'],
    ['fr', 81, 'hour', 'quatre-vingt-une heures'],
    ['fr', 1, 'new-message', 'un nouveau message'],
    ['es', 1, 'hour', 'una hora'],
    ['es', 1, 'new-message', 'un mensaje nuevo'],
    ['es', 21, 'new-message', 'veintiún mensajes nuevos'],
    ['es', 31, 'hour', 'treinta y una horas'],
    ['es', 200, 'hour', 'doscientas horas'],
    ['es', 200_001, 'hour', 'doscientas mil una horas'],
    ['es', 521, 'minute', 'quinientos veintiún minutos'],
  ] as const) {
    test(`${language}: ${expected}`, () => {
      assert.equal(heard(language, sayCount(grammarOf(language), value, noun)), expected)
    })
  }
})

describe('times of the day', () => {
  for (const [language, hour, minute, expected] of [
    ['en', 0, 0, 'twelve midnight'],
    ['en', 12, 0, 'twelve noon'],
    ['en', 0, 5, 'twelve oh five a.m.'],
    ['en', 14, 30, 'two thirty p.m.'],
    ['en', 21, 0, 'nine p.m.'],
    ['de', 0, 0, 'null Uhr'],
    ['de', 1, 0, 'ein Uhr'],
    ['de', 13, 1, 'dreizehn Uhr eins'],
    ['de', 21, 30, 'einundzwanzig Uhr dreißig'],
    ['fr', 0, 30, 'zéro heure trente'],
    ['fr', 1, 0, 'une heure'],
    ['fr', 21, 1, 'vingt-et-une heures une'],
    ['es', 1, 0, 'la una de la madrugada'],
    ['es', 13, 30, 'la una y media de la tarde'],
    ['es', 14, 15, 'las dos y cuarto de la tarde'],
    ['es', 12, 5, 'las doce y cinco del mediodía'],
    ['es', 0, 0, 'las doce de la noche'],
  ] as const) {
    test(`${language} ${hour}:${minute} is ${expected}`, () => {
      assert.equal(heard(language, sayTime(grammarOf(language), hour, minute)), expected)
    })
  }
})

describe('dates', () => {
  for (const [language, year, month, day, expected] of [
    ['en', 2026, 11, 20, 'Friday November twentieth twenty twenty-six'],
    ['en', 1905, 1, 1, 'Sunday January first nineteen oh five'],
    ['en', 2000, 2, 29, 'Tuesday February twenty-ninth two thousand'],
    ['en', 2005, 3, 3, 'Thursday March third two thousand five'],
    ['en', 1900, 12, 31, 'Monday December thirty-first nineteen hundred'],
    ['de', 2026, 11, 20, 'Freitag der zwanzigste November zwei tausend sechsundzwanzig'],
    ['de', 1999, 5, 1, 'Samstag der erste Mai neunzehn hundert neunundneunzig'],
    ['fr', 2026, 11, 1, 'dimanche le premier novembre deux mille vingt-six'],
    ['fr', 1971, 8, 21, 'samedi le vingt-et-un août mille neuf cent soixante-et-onze'],
    ['es', 2026, 11, 20, 'viernes veinte de noviembre de dos mil veintiséis'],
    ['es', 2021, 3, 1, 'lunes primero de marzo de dos mil veintiuno'],
  ] as const) {
    test(`${language} ${year}-${month}-${day} is ${expected}`, () => {
      assert.equal(heard(language, sayDate(grammarOf(language), { year, month, day })), expected)
    })
  }

  test('the thirtieth of February is a mistake', () => {
    assert.throws(() => sayDate(grammarOf('en'), { year: 2026, month: 2, day: 30 }), RangeError)
  })
})

test('durations name what is not zero, the last with "and"', () => {
  assert.equal(heard('en', sayDuration(grammarOf('en'), 3661)), 'one hour one minute and one second')
  assert.equal(heard('en', sayDuration(grammarOf('en'), 0)), 'zero seconds')
  assert.equal(heard('de', sayDuration(grammarOf('de'), 86_400 + 7260)), 'ein Tag zwei Stunden und eine Minute')
  assert.equal(heard('fr', sayDuration(grammarOf('fr'), 81)), 'une minute et vingt-et-une secondes')
  assert.equal(heard('es', sayDuration(grammarOf('es'), 21 * 60)), 'veintiún minutos')
})

test('ordinals have a gender where the language has one', () => {
  assert.equal(heard('fr', sayOrdinal(grammarOf('fr'), 1, 'feminine')), 'première')
  assert.equal(heard('fr', sayOrdinal(grammarOf('fr'), 80)), 'quatre-vingtième')
  assert.equal(heard('fr', sayOrdinal(grammarOf('fr'), 91)), 'quatre-vingt-onzième')
  assert.equal(heard('es', sayOrdinal(grammarOf('es'), 3, 'masculine')), 'tercer')
  assert.equal(heard('es', sayOrdinal(grammarOf('es'), 21, 'feminine')), 'vigésima primera')
  assert.equal(heard('de', sayOrdinal(grammarOf('de'), 21)), 'einundzwanzigste')
  assert.equal(heard('en', sayOrdinal(grammarOf('en'), 22)), 'twenty-second')
})

test('digits of a telephone number are said one by one, with its signs and without its blanks', () => {
  assert.equal(heard('en', sayDigits('+49 (30) 12-0#')), 'plus four nine three zero one two zero pound')
  assert.throws(() => sayDigits('12a'), RangeError)
})

test('what nobody can say is a mistake', () => {
  assert.throws(() => sayNumber(grammarOf('en'), 1.5), RangeError)
  assert.throws(() => sayOrdinal(grammarOf('en'), 0), RangeError)
  assert.equal(heard('de', sayNumber(grammarOf('de'), -1)), 'minus eins')
})

test('a language without a grammar spells its numbers', () => {
  assert.deepEqual(sayNumber(spelled, 105), ['number-1', 'number-0', 'number-5'])
  assert.deepEqual(sayTime(spelled, 9, 5), ['number-0', 'number-9', 'number-0', 'number-5'])
})

test('each language says all that English says', () => {
  const ofEnglish = new Set(['oh', 'a-m', 'p-m', 'noon', 'midnight'])
  const phrases = Object.keys(languages['en']?.texts ?? {}).filter((name) => !ofEnglish.has(name))
  for (const [language, { texts }] of Object.entries(languages)) {
    const missing = phrases.filter((name) => !(name in texts))
    assert.deepEqual(
      missing,
      language === 'fr' || language === 'es' ? missing.filter((name) => name === 'hundred') : [],
    )
  }
})
