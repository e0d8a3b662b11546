/** One side of a call: what its phone saw of it. Two sides with one Call-ID have to agree in the end. */

export interface Side {
  readonly phone: string
  readonly role: 'caller' | 'callee'
  readonly callId: string
  state: 'ringing' | 'talking' | 'ended'
  answered: boolean
  /** How it was refused, as given by the callee or seen by the caller. */
  status?: number
  /** The last description and its answer. */
  agreed?: string
  /** Streams described so far: a line of a description that was once there stays. */
  lines: number
  /** Exchanges that are under way: what is agreed is open. */
  busy: number
}

/** What a caller may see of a call that was refused: its CANCEL won, the answer did not reach it, or no PRACK came. */
const madeHere = new Set([408, 487, 503, 504])

/** All sides of one world. */
export class Sides {
  readonly #sides = new Map<string, Side>()
  readonly #problems: string[] = []

  open(phone: string, role: Side['role'], callId: string): Side {
    const key = `${callId} ${role}`
    if (this.#sides.has(key)) this.#problems.push(`one INVITE came to ${phone} as two calls`)
    const side: Side = { phone, role, callId, state: 'ringing', answered: false, lines: 1, busy: 0 }
    this.#sides.set(key, side)
    return side
  }

  get size(): number {
    return this.#sides.size
  }

  /** When nothing is under way both sides must hold the same description and answer. */
  compare({ callId }: Side): void {
    const [caller, callee] = this.#pair(callId)
    if (!caller || !callee || caller.busy > 0 || callee.busy > 0) return
    if (caller.state !== 'talking' || callee.state !== 'talking' || caller.agreed === callee.agreed) return
    this.#problems.push(`${caller.phone} holds ${caller.agreed}, ${callee.phone} holds ${callee.agreed}`)
  }

  /**
   * What is wrong once the world has come to rest.
   *
   * @param sidesMeet The caller's messages reach the callee; with a server between, its Call-IDs differ.
   */
  problems(sidesMeet: boolean): readonly string[] {
    const problems = [...this.#problems]
    for (const side of this.#sides.values()) {
      if (side.busy > 0) problems.push(`${side.busy} requests of ${side.phone} are open for ever`)
      if (side.state !== 'ended') problems.push(`${side.role} ${side.phone} is left ${side.state}`)
      if (sidesMeet && side.role === 'caller') problems.push(...disagreement(...this.#pair(side.callId)))
    }
    return problems
  }

  #pair(callId: string): [Side | undefined, Side | undefined] {
    return [this.#sides.get(`${callId} caller`), this.#sides.get(`${callId} callee`)]
  }
}

function disagreement(caller: Side | undefined, callee: Side | undefined): string[] {
  if (!caller) return []
  if (caller.answered) return callee?.answered ? [] : [`${caller.phone} was answered by nobody`]
  const status = caller.status ?? 0
  if (status === callee?.status || madeHere.has(status)) return []
  // It hung up while its answer waited for a PRACK (RFC 3262 §3).
  if (status === 480 && callee?.answered) return []
  return [`${caller.phone} saw ${status}, its callee gave ${callee?.status ?? 'nothing'}`]
}
