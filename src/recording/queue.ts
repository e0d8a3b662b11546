/**
 * At most so many jobs at a time, the rest in their order. A hundred calls that end together must not fill the thread
 * pool with their combining, for live calls open their files through it too.
 */
export class Queue {
  readonly #atATime: number
  readonly #waiting: (() => void)[] = []
  #running = 0

  constructor(atATime: number) {
    this.#atATime = atATime
  }

  async run<Result>(job: () => Promise<Result>): Promise<Result> {
    if (this.#running >= this.#atATime) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#running++
    try {
      return await job()
    } finally {
      const next = this.#waiting.shift()
      if (next) next()
      else this.#running--
    }
  }
}
