/**
 * Does something many times at an even rate, by one clock with absolute deadlines, so that no delay adds up.
 *
 * @param act Told its number from 0.
 * @returns How late it was done, 99th percentile, in ms: a generator that is late measures itself.
 */
export function pace(times: number, perSecond: number, act: (number: number) => void): Promise<number> {
  const lateMs = new Float64Array(times)
  const startMs = performance.now()
  let done = 0
  return new Promise((resolve) => {
    const turn = (): void => {
      const elapsedMs = performance.now() - startMs
      const due = Math.min(times, Math.floor((elapsedMs * perSecond) / 1000) + 1)
      for (; done < due; done++) {
        lateMs[done] = elapsedMs - (done * 1000) / perSecond
        act(done)
      }
      if (done < times) setTimeout(turn, 1)
      else resolve(lateMs.sort()[Math.floor(times * 0.99)] ?? Number.NaN)
    }
    turn()
  })
}
