/**
 * Takes the REFER of a party: who may transfer a call, what to, and one at a time.
 *
 *   Call  ── REFER ─▶  here  ── blind, attended ─▶  Transfer
 *
 * Only extensions may: it is known who pays for where the call goes. A second call that still rings is given up, and
 * the target rings anew with the name of who it will speak with.
 */
import { ReferProgress, type Replaces, readReferral } from '../sip/dialog/refer.ts'
import type { Dialog, InDialogRequest } from '../sip/stack.types.ts'
import type { Leg } from './leg.ts'
import { type Onwards, type PlacedLeg, Transfer, type TransferHost } from './transfer.ts'

export interface TransferDeskOptions {
  readonly host: TransferHost
  readonly onwards: Onwards | undefined
  /** The calls that a Replaces may name. */
  readonly otherCalls: () => readonly TransferHost[]
}

export class TransferDesk {
  readonly #options: TransferDeskOptions
  #current: Transfer | undefined
  /** REFERs of each leg so far. */
  readonly #counts = new WeakMap<Leg, number>()

  constructor(options: TransferDeskOptions) {
    this.#options = options
  }

  /** The leg whose transfer is under way: its end is not the end of the call. */
  get by(): Leg | undefined {
    return this.#current?.by
  }

  refer(by: Leg, dialog: Dialog, incoming: InDialogRequest): void {
    const { host, onwards } = this.#options
    const referral = readReferral(incoming.request)
    if (!referral) return incoming.respond(400)
    const stays = host.otherThan(by)
    const { extension } = by.party
    const number = onwards?.numberIn(referral.target)
    if (!onwards || extension === undefined || !number || !isPlaced(stays)) return incoming.respond(403)
    if (this.#current) return incoming.respond(491)
    const second = referral.replaces && this.#secondCall(referral.replaces, extension)
    if (second?.call.transferring) return incoming.respond(491)
    const count = this.#counts.get(by) ?? 0
    this.#counts.set(by, count + 1)
    const progress = new ReferProgress(incoming, dialog, count === 0)
    // As the one who stays would hear it. The REFER itself answered 481 would end the call at its sender (RFC 5057 §5.1).
    if (referral.replaces && !second) return void progress.report(481)
    const transfer = new Transfer({ host, onwards, progress, by, extension, stays })
    this.#current = transfer
    void this.#run(
      second?.leg.dialog ? transfer.attended(second.call, second.leg) : blind(transfer, number, second?.call),
    )
  }

  async #run(transfer: Promise<void>): Promise<void> {
    const { host } = this.#options
    try {
      await transfer
    } catch (error) {
      host.log.error('a transfer failed', { error: String(error) })
      await host.finish('failed')
    } finally {
      this.#current = undefined
    }
  }

  /** The other call of this extension that a Replaces names. */
  #secondCall(replaces: Replaces, extension: string): { readonly call: TransferHost; readonly leg: Leg } | undefined {
    for (const call of this.#options.otherCalls()) {
      const leg = call.legAt(replaces)
      if (leg?.party.extension === extension) return { call, leg }
    }
    return undefined
  }
}

async function blind(transfer: Transfer, number: string, ringing: TransferHost | undefined): Promise<void> {
  await ringing?.finish('transferred')
  await transfer.blind(ringing?.to.extension ?? number)
}

/** Whether a leg has been answered. */
export const isPlaced = (leg: Leg | undefined): leg is PlacedLeg => leg?.dialog !== undefined && leg.media !== undefined
