/**
 * G.711: eight bits a sample, by two laws, mu (PCMU, payload type 0) and A (PCMA, payload type 8).
 *
 *   payload bytes  ── decode ─▶  16-bit linear samples  ── encode ─▶  payload bytes
 *                  ── convert ─▶ payload bytes of the other law
 *
 * All by tables, made once at start from the formulas of ITU-T G.711 (11/88). Nothing here allocates after that.
 */

export type G711Law = 'PCMU' | 'PCMA'

/** The 16-bit value of a mu-law code: sign, 3-bit segment, 4-bit step, all bits inverted, bias 33 (here times 4). */
function muLawLevel(code: number): number {
  const bits = ~code & 0xff
  const magnitude = ((((bits & 0x0f) << 3) + 132) << ((bits >> 4) & 7)) - 132
  return bits & 0x80 ? -magnitude : magnitude
}

/** The 16-bit value of an A-law code: sign, 3-bit segment, 4-bit step, even bits inverted; 13 bits, here times 8. */
function aLawLevel(code: number): number {
  const bits = code ^ 0x55
  const segment = (bits >> 4) & 7
  const step = ((bits & 0x0f) << 4) + 8
  const magnitude = segment === 0 ? step : (step + 256) << (segment - 1)
  return bits & 0x80 ? magnitude : -magnitude
}

/** For each 16-bit sample (as uint16) the code of the nearest level; of two equally near ones the quieter. */
function encodeTable(levels: Int16Array): Uint8Array {
  const codeOf = new Map<number, number>()
  levels.forEach((level, code) => codeOf.set(level, code)) // mu-law has two zeros: the later one, 0xff, is +0
  const order = Array.from(codeOf, ([level, code]) => ({ level, code })).sort((a, b) => a.level - b.level)
  const table = new Uint8Array(65_536)
  let at = 0
  for (let sample = -32_768; sample <= 32_767; sample++) {
    for (let next = order[at + 1]; next; next = order[at + 1]) {
      const here = order[at]?.level ?? 0
      const nearer = Math.abs(next.level - sample) - Math.abs(here - sample)
      const quieter = Math.abs(next.level) < Math.abs(here)
      if (nearer > 0 || (nearer === 0 && !quieter)) break
      at++
    }
    table[sample & 0xffff] = order[at]?.code ?? 0
  }
  return table
}

interface Tables {
  readonly decode: Int16Array
  readonly encode: Uint8Array
}

function tablesFor(level: (code: number) => number): Tables {
  const decode = Int16Array.from({ length: 256 }, (_, code) => level(code))
  return { decode, encode: encodeTable(decode) }
}

const tables: Readonly<Record<G711Law, Tables>> = { PCMU: tablesFor(muLawLevel), PCMA: tablesFor(aLawLevel) }

/** For each code of one law the code of the other whose level is nearest. */
const conversion = (from: G711Law, to: G711Law): Uint8Array =>
  Uint8Array.from(tables[from].decode, (level) => tables[to].encode[level & 0xffff] ?? 0)

const otherLaw: Readonly<Record<G711Law, Uint8Array>> = {
  PCMU: conversion('PCMU', 'PCMA'),
  PCMA: conversion('PCMA', 'PCMU'),
}

/**
 * Decode `count` codes into 16-bit linear samples, without allocating.
 *
 * @param fromByte First code in `codes`.
 * @param toSample Where the first sample goes in `samples`.
 */
export function decodeG711Into(
  law: G711Law,
  codes: Uint8Array,
  fromByte: number,
  count: number,
  samples: Int16Array,
  toSample: number,
): void {
  const table = tables[law].decode
  for (let i = 0; i < count; i++) samples[toSample + i] = table[codes[fromByte + i] ?? 0] ?? 0
}

/** Decode a payload into new samples. */
export function decodeG711(law: G711Law, codes: Uint8Array): Int16Array {
  const samples = new Int16Array(codes.length)
  decodeG711Into(law, codes, 0, codes.length, samples, 0)
  return samples
}

/** Encode `count` samples from `fromSample` into as many codes, without allocating. */
export function encodeG711Into(
  law: G711Law,
  samples: Int16Array,
  fromSample: number,
  count: number,
  codes: Uint8Array,
  toByte: number,
): void {
  const table = tables[law].encode
  for (let i = 0; i < count; i++) codes[toByte + i] = table[(samples[fromSample + i] ?? 0) & 0xffff] ?? 0
}

/** Encode samples into a new payload. */
export function encodeG711(law: G711Law, samples: Int16Array): Uint8Array {
  const codes = new Uint8Array(samples.length)
  encodeG711Into(law, samples, 0, samples.length, codes, 0)
  return codes
}

/** Change the codes of `law` in place to the other law: each to the code whose level is nearest. */
export function convertG711InPlace(law: G711Law, codes: Uint8Array, fromByte: number, count: number): void {
  const table = otherLaw[law]
  for (let i = fromByte; i < fromByte + count; i++) codes[i] = table[codes[i] ?? 0] ?? 0
}
