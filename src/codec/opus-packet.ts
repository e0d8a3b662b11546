/**
 * What an Opus packet says of itself before it is decoded: how long it is, and whether it carries a copy of the packet
 * before. RFC 6716 §3.
 */

/** Longest packet, ticks of 48 kHz: 120 ms (§3.2.5, R5). */
const mostTicks = 5760

/** By configuration, the upper five bits of the first byte, ms times 2 (§3.1, table 2). */
const silkHalfMs = [20, 40, 80, 120]
const hybridHalfMs = [20, 40]
const celtHalfMs = [5, 10, 20, 40]

function frameHalfMs(configuration: number): number {
  if (configuration < 12) return silkHalfMs[configuration & 3] ?? 0
  return (configuration < 16 ? hybridHalfMs[configuration & 1] : celtHalfMs[configuration & 3]) ?? 0
}

/** How many frames (§3.2): one, two, or as the second byte says. */
function framesIn(bytes: Uint8Array, from: number, count: number): number {
  const code = (bytes[from] ?? 0) & 3
  if (code < 3) return code === 0 ? 1 : 2
  return count < 2 ? 0 : (bytes[from + 1] ?? 0) & 0x3f
}

/** Its length in ticks of 48 kHz; 0 when it is malformed. */
export function opusTicks(bytes: Uint8Array, from: number, count: number): number {
  if (count < 1) return 0
  const ticks = frameHalfMs((bytes[from] ?? 0) >> 3) * 24 * framesIn(bytes, from, count)
  return ticks > mostTicks ? 0 : ticks
}

/** Whether it was encoded in stereo (§3.1). */
export const isStereo = (bytes: Uint8Array, from: number): boolean => ((bytes[from] ?? 0) & 4) !== 0

/**
 * Whether its first frame carries a coarse copy of the frame before (LBRR, in-band FEC): the bit after those that say
 * where in the frame somebody speaks, for each channel (§4.2.3). Only frames with a SILK layer have it.
 */
export function carriesCopy(bytes: Uint8Array, from: number, count: number): boolean {
  const configuration = (bytes[from] ?? 0) >> 3
  const at = firstFrameAt(bytes, from, count)
  if (configuration >= 16 || at === undefined) return false
  const flags = bytes[at] ?? 0
  // Of the 20 ms that a frame of 40 or 60 ms is made of, each has a bit of its own.
  const parts = Math.max(1, frameHalfMs(configuration) / 40)
  const middle = (flags >> (7 - parts)) & 1
  const side = isStereo(bytes, from) ? (flags >> (6 - 2 * parts)) & 1 : 0
  return middle === 1 || side === 1
}

/** Where the first frame begins (§3.2.2 to §3.2.5); undefined when there is none, or it is empty. */
function firstFrameAt(bytes: Uint8Array, from: number, count: number): number | undefined {
  const end = from + count
  const code = (bytes[from] ?? 0) & 3
  let at = from + 1
  if (code === 2) at += lengthBytes(bytes, at)
  if (code === 3) {
    const frames = bytes[at++] ?? 0
    if ((frames & 0x40) !== 0) {
      while (bytes[at] === 255 && at < end) at++
      at++
    }
    if ((frames & 0x80) !== 0) for (let frame = 1; frame < (frames & 0x3f); frame++) at += lengthBytes(bytes, at)
  }
  return at < end ? at : undefined
}

/** Lengths under 252 take one byte, others two (§3.2.1). */
const lengthBytes = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) < 252 ? 1 : 2)
