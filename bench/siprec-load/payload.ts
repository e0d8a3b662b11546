/**
 * Payloads that anybody can make again: each packet's bytes follow from its stream and its number, all differ, and all
 * 256 values occur, so that a file can be checked bit by bit without keeping what was sent.
 */

export const frameBytes = 160

/** Fill `frameBytes` of `into` from `at` on: xorshift32, seeded by stream and packet. */
export function fillPayload(stream: number, packet: number, into: Uint8Array, at: number): void {
  let state = Math.imul(stream + 1, 2_654_435_761) ^ (Math.imul(packet, 40_503) + 1) || 1
  for (let i = at; i < at + frameBytes; i += 4) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    into[i] = state
    into[i + 1] = state >>> 8
    into[i + 2] = state >>> 16
    into[i + 3] = state >>> 24
  }
}
