/** The table of docs/siprec/environment.md: each variable of loreste/siprec and what becomes of it. */
import { settingLeaves } from '../src/core/settings/load.ts'
import { fateOf } from '../src/core/settings/siprec/fates.ts'
import { siprecNames } from '../src/core/settings/siprec/names.ts'

export function siprecNameRows(): string[] {
  const leaves = settingLeaves()
  const ours = new Set(leaves.map(({ env }) => env))
  return [...siprecNames]
    .map(([name, theirDefault]) => `| \`${name}\` | ${theirDefault ? `\`${theirDefault}\`` : ''} | ${becomes(name)} |`)
    .sort()

  function becomes(name: string): string {
    const fate = fateOf(name, ours)
    if (fate?.kind === 'rule') return fate.rule.becomes
    if (fate?.kind === 'unsupported')
      return `${fate.group.protects ? '**not supported**' : 'no effect'}: ${fate.group.why}`
    return `\`${leaves.find(({ env }) => env === name)?.path.join('.')}\``
  }
}
