/**
 * A confirmed dialog as plain data, and a dialog from it: so that it can be taken up by the process after this one.
 *
 * What is left out: answers of ours that wait for their ACK, requests under way, credentials. Its flow is kept as
 * addresses: datagrams go there again, a connection is gone and made anew when we have something to say.
 */

import { parseUri } from '../message/uri.ts'
import type { DialogSnapshot, Flow } from '../stack.types.ts'
import type { Context } from './context.ts'
import type { DialogSetup } from './dialog-setup.ts'

/**
 * CSeq numbers that are left out: those of requests that were sent after the snapshot. Numbers only have to rise
 * (RFC 3261 §12.2.1.1).
 */
const seqsLeftOut = 1_000

/** What of a flow outlives its process. */
export const keptFlow = ({ transport, reliable, local, remote }: Flow): DialogSnapshot['flow'] => ({
  transport,
  reliable,
  local: { ...local },
  remote: { ...remote },
})

export function restoredSetup(context: Context, snapshot: DialogSnapshot): DialogSetup | undefined {
  const remoteTarget = parseUri(snapshot.remoteTarget)
  if (!remoteTarget) return undefined
  const { side, id, local, remote, routeSet, localSeq, remoteSeq, stay, contactUser, contactParams, flow } = snapshot
  return {
    context,
    side,
    id,
    flow: { ...flow, id: `kept ${flow.transport} ${flow.remote.ip} ${flow.remote.port}`, open: !flow.reliable },
    local,
    remote,
    remoteTarget,
    routeSet,
    localSeq: localSeq + seqsLeftOut,
    stay,
    firstOffer: 'answered',
    ...(remoteSeq !== undefined && { remoteSeq }),
    ...(contactUser !== undefined && { contactUser }),
    ...(contactParams !== undefined && { contactParams }),
  }
}
