/** Timer values of RFC 3261 table 4 (page 265) and RFC 6026 §8.3, in milliseconds. */

/** Estimate of the round trip; the unit of all other timers. */
export const t1Ms = 500
/** Longest time between two copies of a non-INVITE request or an INVITE response. */
export const t2Ms = 4_000
/** Longest time a message stays in the network. */
export const t4Ms = 5_000

/** Timers B, F, H, L, M and J over UDP: how long a transaction may last. */
export const transactionMs = 64 * t1Ms

/** Timer D over UDP: at least 32 s (§17.1.1.2). */
export const timerDMs = 32_000

/** §17.2.1: a 100 goes out unless the user answers within this time. */
export const tryingAfterMs = 200

/** Timer C (§16.6): who rings longer says so every minute (§13.3.1.1), so after this silence nobody is there. */
export const timerCMs = 181_000

/** Next interval of timers E and G, and of a 2xx: doubled up to T2. */
export const doubled = (intervalMs: number): number => Math.min(2 * intervalMs, t2Ms)
