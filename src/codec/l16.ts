/** L16: 16-bit samples as they are, the high byte first (RFC 3551 §4.5.11). */

/** Decode `byteCount` bytes, an even number, into half as many samples. */
export function decodeL16Into(
  bytes: Uint8Array,
  fromByte: number,
  byteCount: number,
  samples: Int16Array,
  toSample: number,
): void {
  const count = byteCount >> 1
  for (let i = 0; i < count; i++) {
    const at = fromByte + 2 * i
    samples[toSample + i] = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0)
  }
}

/** Encode `count` samples into twice as many bytes. */
export function encodeL16Into(
  samples: Int16Array,
  fromSample: number,
  count: number,
  bytes: Uint8Array,
  toByte: number,
): void {
  for (let i = 0; i < count; i++) {
    const sample = samples[fromSample + i] ?? 0
    bytes[toByte + 2 * i] = sample >> 8
    bytes[toByte + 2 * i + 1] = sample
  }
}
