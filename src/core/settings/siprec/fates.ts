/**
 * What becomes of a variable of loreste/siprec: a setting of ours, a rule, or nothing, with the reason.
 *
 *   names.ts (all of them) ─▶ here ─▶ report at the start, `patchbay config check`, docs/siprec/environment.md
 */
import { siprecNames } from './names.ts'
import { type Given, type Rule, rules } from './rules.ts'
import { type Group, unsupported } from './unsupported.ts'

export type Fate =
  | { readonly kind: 'setting' }
  | { readonly kind: 'rule'; readonly rule: Rule }
  | { readonly kind: 'unsupported'; readonly group: Group }

/**
 * @param ours Names of our variables.
 * @returns Undefined for what is no variable of loreste/siprec.
 */
export function fateOf(name: string, ours: ReadonlySet<string>): Fate | undefined {
  if (!siprecNames.has(name)) return undefined
  const rule = rules.find(
    (one) => one.names.includes(name) && (one.to.length === 0 || one.to.some((to) => ours.has(to))),
  )
  if (rule) return { kind: 'rule', rule }
  if (ours.has(name)) return { kind: 'setting' }
  const group = unsupported.find(({ names }) => names.split(' ').some((pattern) => fits(name, pattern)))
  return { kind: 'unsupported', group: group ?? { names: name, why: 'nothing here is like it' } }
}

const fits = (name: string, pattern: string): boolean =>
  pattern.endsWith('*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern

/** Values by the name of our variable, and by which variable of theirs each came. */
export function readRules(given: Given): Map<string, { readonly value: unknown; readonly from: string }> {
  const found = new Map<string, { value: unknown; from: string }>()
  for (const { names, read } of rules) {
    const from = names.find((name) => given(name) !== undefined)
    if (from === undefined) continue
    for (const [name, value] of Object.entries(read(given))) found.set(name, { value, from })
  }
  return found
}

/** Variables that were given and have no effect, with why. */
export interface Unsupported {
  readonly why: string
  readonly names: readonly string[]
  readonly protects: boolean
}

/** Asks for nothing: what it would switch on is not there anyway. */
const asksForNothing = (value: string): boolean => /^(?:|0|0s|f|false|no|off|none|memory)$/i.test(value)

/**
 * @param given What was given, by name.
 * @param meant Whether this name was meant for a server like this one: in a file of settings it is, in an environment
 *   that many programs read, not every name is.
 */
export function findUnsupported(
  given: ReadonlyMap<string, string>,
  ours: ReadonlySet<string>,
  meant: (name: string) => boolean,
): Unsupported[] {
  const groups = new Map<string, { names: string[]; protects: boolean }>()
  for (const [name, value] of given) {
    const fate = fateOf(name, ours)
    if (fate?.kind !== 'unsupported' || asksForNothing(value)) continue
    const { why, protects = false, shared = false } = fate.group
    if (shared && !meant(name)) continue
    const group = groups.get(why) ?? { names: [], protects }
    group.names.push(name)
    groups.set(why, { ...group, protects: group.protects || protects })
  }
  return [...groups].map(([why, { names, protects }]) => ({ why, names: names.sort(), protects }))
}
