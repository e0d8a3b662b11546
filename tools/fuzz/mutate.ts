/** Damage to bytes: pieces cut, doubled, moved, swapped with those of another input, put where they do not belong. */
import type { Chance } from './chance.ts'

const signs = ['\r\n', '\n', '\r', '\r\n\r\n', ' ', '\t', '\r\n ', '\0', ...Array.from(':;,="\\<>@?%[]/*&')]
const words = [
  '%00',
  '%FF',
  ';;',
  '[::1]',
  '-1',
  '0',
  '4294967296',
  '99999999999999999999',
  'SIP/2.0',
  'sip:',
  '--b',
  'a=',
  '<a>',
  '</a>',
]
const lines = [
  'Via: SIP/2.0/UDP x;branch=z9hG4bKx\r\n',
  'l: 0\r\n',
  'Contact: *\r\n',
  'Content-Length: 5\r\n',
  'm=audio 1 RTP/AVP 0\r\n',
]
const letters = ['é', '\u{1F600}', '\uFEFF', '\u00A0', '\u2028', 'x'.repeat(300)]
const pieces = [...signs, ...words, ...lines, ...letters].map((piece) => Buffer.from(piece))

const maxBytes = 65_000
/** A piece said over and over shows what takes more than linear time. */
const longBytes = [2_000, 20_000, 60_000]

/** @param others Inputs to take pieces from. */
export function mutate(bytes: Buffer, others: readonly Buffer[], chance: Chance): Buffer {
  let result = bytes
  for (let damage = chance.below(5); damage >= 0; damage--) result = damageOnce(result, others, chance)
  return result.subarray(0, maxBytes)
}

function damageOnce(bytes: Buffer, others: readonly Buffer[], chance: Chance): Buffer {
  const { below, pick } = chance
  const at = below(bytes.length + 1)
  const until = Math.min(bytes.length, at + below(pick([2, 20, 200])))
  const [before, cut, after] = [bytes.subarray(0, at), bytes.subarray(at, until), bytes.subarray(until)]
  switch (below(12)) {
    case 0:
      return Buffer.concat([before, after])
    case 1:
      return Buffer.concat([before, cut, cut, after])
    case 2:
      return Buffer.concat([after, cut, before])
    case 3:
      return Buffer.concat([before, splice(pick(others), chance), after])
    case 4:
      return Buffer.concat([before, Buffer.from([below(256)]), after])
    case 5:
      return below(8) === 0
        ? Buffer.concat([before, repeated(cut, pick(longBytes)), after])
        : flipped(bytes, at, chance)
    default:
      return Buffer.concat([before, pick(pieces), below(2) === 0 ? cut : Buffer.alloc(0), after])
  }
}

function splice(other: Buffer, { below, pick }: Chance): Buffer {
  const from = below(other.length + 1)
  return other.subarray(from, from + below(pick([10, 100, 1_000])))
}

const repeated = (piece: Buffer, bytes: number): Buffer =>
  piece.length === 0 ? piece : Buffer.concat(Array<Buffer>(Math.ceil(bytes / piece.length)).fill(piece))

function flipped(bytes: Buffer, at: number, { below }: Chance): Buffer {
  const copy = Buffer.from(bytes)
  if (at < copy.length) copy[at] = (copy[at] ?? 0) ^ (1 << below(8))
  return copy
}
