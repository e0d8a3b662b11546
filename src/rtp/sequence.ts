/**
 * Arithmetic of numbers that wrap: sequence numbers (uint16) and timestamps (uint32). RFC 3550 §5.1, A.1.
 * All of it is here, so that nobody else compares or subtracts them by hand.
 */

/** How far `to` is after `from`, -32768..32767: the nearer way round the circle of 16 bits. */
export const sequenceDistance = (from: number, to: number): number => ((to - from) << 16) >> 16

/** How far `to` is after `from` in ticks, -2^31..2^31-1: the nearer way round the circle of 32 bits. */
export const timestampDistance = (from: number, to: number): number => (to - from) | 0

/** A number made uint16 again. */
export const uint16 = (value: number): number => value & 0xffff

/** A number made uint32 again. */
export const uint32 = (value: number): number => value >>> 0

/** The value nearest to `near` whose lowest 16 bits are `sequence`: a sequence number that no longer wraps. */
export const extendSequence = (near: number, sequence: number): number =>
  near + sequenceDistance(uint16(near), sequence)

/** The value nearest to `near` that is `timestamp` modulo 2^32: a timestamp that no longer wraps. */
export const extendTimestamp = (near: number, timestamp: number): number =>
  near + timestampDistance(uint32(near), timestamp)
