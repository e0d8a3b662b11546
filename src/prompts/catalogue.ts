/**
 * The prompts of the languages that come with us: names and what each says.
 *
 * Phrases are in texts/<language>.json; numbers and what is made by rule come from the language's grammar. All
 * languages have the phrases of English, and each its own little words ("Uhr", "de la tarde").
 */
import type { Grammar } from './grammar.ts'
import { english } from './languages/english.ts'
import { french } from './languages/french.ts'
import { german } from './languages/german.ts'
import { spanish } from './languages/spanish.ts'
import de from './texts/de.json' with { type: 'json' }
import en from './texts/en.json' with { type: 'json' }
import es from './texts/es.json' with { type: 'json' }
import fr from './texts/fr.json' with { type: 'json' }

export interface SpokenLanguage {
  readonly grammar: Grammar
  /** What each prompt says, by its name. */
  readonly texts: Readonly<Record<string, string>>
}

/** By the first part of the language tag (BCP 47). */
export const languages: Readonly<Record<string, SpokenLanguage>> = {
  en: { grammar: english, texts: { ...english.texts, ...en } },
  de: { grammar: german, texts: { ...german.texts, ...de } },
  fr: { grammar: french, texts: { ...french.texts, ...fr } },
  es: { grammar: spanish, texts: { ...spanish.texts, ...es } },
}

/** `de` for `de`, `de-AT` and `de_AT`. */
export const primaryTag = (language: string): string => language.toLowerCase().split(/[-_]/)[0] ?? ''
