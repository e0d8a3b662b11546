/** From a level to how far a meter goes. */

/** What counts as silence, dBov. */
export const floorDbov = -60

/** 0 for silence or nothing known, 1 for the loudest there is. */
export function levelShare(dbov: number | undefined): number {
  if (dbov === undefined) return 0
  return Math.min(1, Math.max(0, 1 - dbov / floorDbov))
}
