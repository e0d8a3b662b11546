/**
 * Which files on disk belong to a recording, by name alone: what it was made of, sealed or not, what it was converted
 * to, and the notes beside them. Whoever adds a kind of file adds its ending here, so that deleting finds it.
 *
 * Only whole known endings count. `a.wav` belongs to the recording `a`, `a.5.wav` to the recording `a.5`: Call-IDs
 * have dots in them.
 */

const endings = [
  '.wav',
  '.json',
  '.rtpdump',
  '.awb',
  '.amr',
  '.flac',
  '.mp3',
  '.opus',
  '.ogg',
  '.siprec',
  '.proof',
  '.locations',
]
/** Behind an ending: sealed, where its copies are, its part of the proof, half written. */
const behind = ['', '.sealed', '.locations', '.proof', '.metadata', '.new', '.sealed.locations', '.sealed.damaged']

/**
 * Names a recording may have in the folder and in `unfinished/`; most of them are not there.
 * @param files Names that the database has of it.
 */
export function belongings(baseName: string, files: readonly string[]): string[] {
  const stems = new Set(files.map(stemOf))
  if (baseName !== '') stems.add(baseName)
  return [...stems].flatMap((stem) => endings.flatMap((ending) => behind.map((more) => stem + ending + more)))
}

/** What is on the disk while a name is taken, whatever was converted or archived meanwhile. */
export const traces = endings.flatMap((ending) => [ending, `${ending}.sealed`])

/** `call_1` of `call_1.wav.sealed`; a name without a known ending as it is. */
export function stemOf(name: string): string {
  const more = behind.find((text) => text !== '' && name.endsWith(text) && endings.some((e) => name.endsWith(e + text)))
  const inner = more === undefined ? name : name.slice(0, -more.length)
  const ending = endings.find((text) => inner.endsWith(text))
  return ending === undefined ? name : inner.slice(0, -ending.length)
}
