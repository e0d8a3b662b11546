/**
 * Who or what was refused most in the last seconds, by one counter: a flood from many addresses takes no memory.
 *
 * The majority vote of Boyer and Moore: what makes up more than half is always found, and with a count that is at most
 * its true one.
 */
export class Refusals<What> {
  readonly #isSame: (a: What, b: What) => boolean
  #candidate: What | undefined
  #votes = 0

  constructor(isSame: (a: What, b: What) => boolean) {
    this.#isSame = isSame
  }

  refused(what: What): void {
    if (this.#candidate === undefined || this.#votes === 0) this.#candidate = what
    this.#votes += this.#isSame(what, this.#candidate) ? 1 : -1
  }

  /** Starts anew. */
  take(): { readonly what: What; readonly packets: number } | undefined {
    const what = this.#candidate
    const packets = this.#votes
    this.#candidate = undefined
    this.#votes = 0
    return what === undefined || packets === 0 ? undefined : { what, packets }
  }
}
