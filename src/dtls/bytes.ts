/**
 * The presentation language of TLS (RFC 5246 §4): numbers, and vectors with their length before them.
 */

export const uint8 = (value: number): Buffer => Buffer.of(value)
export const uint16 = (value: number): Buffer => Buffer.of(value >> 8, value & 255)
export const uint24 = (value: number): Buffer => Buffer.of(value >> 16, (value >> 8) & 255, value & 255)
export const vector8 = (...parts: readonly Uint8Array[]): Buffer => withLength(uint8, parts)
export const vector16 = (...parts: readonly Uint8Array[]): Buffer => withLength(uint16, parts)
export const vector24 = (...parts: readonly Uint8Array[]): Buffer => withLength(uint24, parts)

function withLength(length: (value: number) => Buffer, parts: readonly Uint8Array[]): Buffer {
  const body = Buffer.concat(parts)
  return Buffer.concat([length(body.length), body])
}

/** Reads from the front. What goes beyond the end reads as nothing, and makes `failed` true for good. */
export class Reader {
  readonly #bytes: Buffer
  #at = 0
  #failed = false

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
  }

  get failed(): boolean {
    return this.#failed
  }

  get left(): number {
    return this.#bytes.length - this.#at
  }

  /** All was read, and nothing beyond it. */
  get done(): boolean {
    return !this.#failed && this.left === 0
  }

  /** Empty when there are not so many. */
  bytes(length: number): Buffer {
    if (length > this.left) {
      this.#failed = true
      this.#at = this.#bytes.length
      return Buffer.alloc(0)
    }
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  uint8(): number {
    return this.#number(1)
  }

  uint16(): number {
    return this.#number(2)
  }

  uint24(): number {
    return this.#number(3)
  }

  vector8(): Buffer {
    return this.bytes(this.uint8())
  }

  vector16(): Buffer {
    return this.bytes(this.uint16())
  }

  vector24(): Buffer {
    return this.bytes(this.uint24())
  }

  #number(length: number): number {
    const bytes = this.bytes(length)
    return bytes.length === 0 ? 0 : bytes.readUIntBE(0, length)
  }
}

/** A vector of numbers of 16 bits: suites, groups, schemes. */
export function uint16s(bytes: Uint8Array): number[] {
  const values: number[] = []
  for (let at = 0; at + 1 < bytes.length; at += 2) values.push(((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0))
  return values
}
