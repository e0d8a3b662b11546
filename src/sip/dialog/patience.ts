/** Timer C (RFC 3261 §16.6): who rings longer says so every minute (§13.3.1.1), so after this silence nobody is there. */
export const ringLimitMs = 181_000
