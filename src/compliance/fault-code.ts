/**
 * The code of a fault, such as `archive.locked` or `EACCES`. All that is kept or given away of it: messages of a disk or a
 * store name paths and hosts, and files are named after people.
 */
export function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  return typeof code === 'string' ? code : 'no code was given'
}
