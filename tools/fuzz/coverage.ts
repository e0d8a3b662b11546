/** Which blocks of our code have run, asked of V8: an input that reaches a new one is worth keeping. */
import { Session } from 'node:inspector'

export class Coverage {
  readonly #session = new Session()
  readonly #seen = new Set<string>()

  constructor() {
    this.#session.connect()
    this.#session.post('Profiler.enable')
    this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true })
  }

  get size(): number {
    return this.#seen.size
  }

  /** How many blocks ran since the last question that had never run before. */
  news(): number {
    let found = 0
    this.#session.post('Profiler.takePreciseCoverage', (error, answer) => {
      if (error) throw error
      for (const { scriptId, url, functions } of answer.result) {
        if (!url.includes('/src/')) continue
        for (const { ranges } of functions)
          for (const { startOffset, endOffset, count } of ranges) {
            const key = `${scriptId} ${startOffset} ${endOffset}`
            if (count === 0 || this.#seen.has(key)) continue
            this.#seen.add(key)
            found++
          }
      }
    })
    return found
  }

  /** Begin anew, for another target. The session goes on: V8 counts what was compiled under it. */
  forget(): void {
    this.news()
    this.#seen.clear()
  }

  close(): void {
    this.#session.disconnect()
  }
}
