/**
 * The front of a FLAC file, filled in: an encoder that writes into a pipe cannot go back to say how long the sound is and
 * what its MD5 is, so players could not seek and `flac -t` could not test. RFC 9639 §8.2.
 */

/** `fLaC`, then the head of the first block, which is STREAMINFO. */
const infoAt = 8
/** Up to and with the MD5. */
export const flacFrontBytes = infoAt + 34

/**
 * @param front The first `flacFrontBytes` of the file.
 * @param samples Of each channel.
 * @param md5 Of the samples, interleaved, 16-bit little-endian.
 * @returns undefined when it is no FLAC.
 */
export function filledFront(front: Buffer, samples: number, md5: Buffer): Buffer | undefined {
  if (front.length < flacFrontBytes || front.toString('latin1', 0, 4) !== 'fLaC') return undefined
  if (((front[4] ?? 0) & 0x7f) !== 0) return undefined
  const filled = Buffer.from(front)
  // 36 bits: the low half of the byte at 13, then 32.
  const high = Math.floor(samples / 2 ** 32) & 0x0f
  filled[infoAt + 13] = ((filled[infoAt + 13] ?? 0) & 0xf0) | high
  filled.writeUInt32BE(samples % 2 ** 32, infoAt + 14)
  md5.copy(filled, infoAt + 18)
  return filled
}
