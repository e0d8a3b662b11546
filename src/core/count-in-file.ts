/** Looks through the bytes of a file for texts: the proof that something is not there, whatever kind of file it is. */
import { createReadStream } from 'node:fs'

const pieceBytes = 1 << 20

/** How often one of the texts stands in it, cases of ASCII letters not told apart. @throws What the file system throws. */
export async function countInFile(path: string, texts: readonly string[]): Promise<number> {
  const wanted = texts.map((text) => Buffer.from(text.toLowerCase()).toString('latin1'))
  const longest = Math.max(0, ...wanted.map(({ length }) => length))
  if (longest === 0) return 0
  let count = 0
  let tail = ''
  for await (const chunk of createReadStream(path, { highWaterMark: pieceBytes })) {
    const piece = tail + (chunk as Buffer).toString('latin1').toLowerCase()
    // What stands wholly in the tail was counted with the piece before.
    for (const text of wanted)
      for (let at = piece.indexOf(text); at >= 0; at = piece.indexOf(text, at + 1))
        if (at + text.length > tail.length) count++
    tail = piece.slice(Math.max(0, piece.length - longest + 1))
  }
  return count
}
