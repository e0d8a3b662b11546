/** The block of memory that the addon shares with a worker, as native/io.h lays it out. */
import { maxDatagramBytes } from './io.ts'

/** Packets of one look. */
export const slots = 64
/** Slots behind them, for `drain`: both directions of a call, as many as a pass keeps of each. */
export const reserved = 16
export const slotBytes = maxDatagramBytes
export const sentAt = (slots + reserved) * slotBytes
const sentBytes = 128 * 1024
export const receivedAt = sentAt + sentBytes
export const receivedWords = 5
/** Packets of one call of `send`. */
export const maxSent = 256
export const sentWords = 3
export const toSendAt = receivedAt + (slots + reserved) * receivedWords * 4
export const passAt = toSendAt + maxSent * sentWords * 4
export const passWords = 10
export const momentAt = passAt + passWords * 4
export const blockBytes = momentAt + 8

/** Flags of a packet. */
export const sourceChanged = 1
export const passedOn = 2
