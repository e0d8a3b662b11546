/**
 * `.env` of the working directory, into the environment: as loreste/siprec and many others read it.
 *
 * What the environment has already stays. Lines are `NAME=value`, `export NAME=value`, quoted or not, `#` comments
 * (node:util parseEnv).
 */
import { readFileSync } from 'node:fs'
import { parseEnv } from 'node:util'

export const dotEnvPath = '.env'

/**
 * @param gave Names that an earlier reading gave: they are taken back first, so that a line that is gone is gone.
 * @returns The names that the file gave.
 * @throws What the file system throws, unless the file is not there.
 */
export function readDotEnv(
  path: string = dotEnvPath,
  env: Record<string, string | undefined> = process.env,
  gave: ReadonlySet<string> = new Set(),
): ReadonlySet<string> {
  const content = contentOf(path)
  for (const name of gave) delete env[name]
  const names = Object.entries(parseEnv(content)).filter(([name]) => env[name] === undefined)
  for (const [name, value] of names) env[name] = value
  return new Set(names.map(([name]) => name))
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return ''
    throw error
  }
}
