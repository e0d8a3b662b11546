/** Joins who keeps and who sends on the SIP messages: the trace in memory, and a HEP collector when one is named. */
import type { Foundation } from './foundation.ts'
import { hostNetwork } from './net/host-network.ts'
import { SipTrace } from './sip/trace.ts'
import { HepSender } from './trace/hep-sender.ts'

export interface TraceSide {
  readonly trace: SipTrace
  /** Ever rising, by name: for metrics. */
  readonly counts: () => Readonly<Record<string, number>>
}

export function joinTrace({ settings, clock, log, bus, life, closing }: Foundation): TraceSide {
  const { enable, ...collector } = settings.hep
  const network = hostNetwork
  const sender = enable ? new HepSender({ clock, log, network, bus, ...collector }) : undefined
  const trace = new SipTrace(clock, {
    localIp: (remoteIp) => network.addressTowards(remoteIp),
    hidesDigits: (sipCallId) => bus.hidesDigits(sipCallId),
    keepWords: settings.sip.traceMessageBodies,
    ...(sender && { told: sender.take }),
  })
  life.onErased((texts) => trace.forget(texts))
  bus.on('call.traced', ({ messages }) => trace.release(new Set(messages.map(({ sipCallId }) => sipCallId))))
  if (sender) {
    void sender.start()
    closing.push(() => sender.close())
  }
  return {
    trace,
    counts: () => ({
      traceLostOfLongCalls: trace.lost.ofLongCalls,
      traceLostOfAllCalls: trace.lost.ofAllCalls,
      ...(sender && { hepSent: sender.counts.sent, hepDropped: sender.counts.dropped }),
    }),
  }
}
