/** Which lists a fact makes stale. Pure, so that it can be tested without a browser. */

/** What is listened for: kinds of facts, as the query of `/api/events` names them. */
export const heardKinds = ['call', 'leg', 'registration', 'recording', 'siprec', 'security', 'trunk'] as const

/** Query keys, their parts joined by a space: `live`, `call 8f3a`. Nothing for what is not a fact. */
export function kindsTouchedBy(text: string): readonly string[] {
  const fact = parse(text)
  if (!fact) return []
  const family = fact.name.split('.')[0]
  if (family === 'registration') return ['extensions', 'status']
  if (family === 'trunk') return ['trunks']
  if (family === 'security') return /\.(?:banned|released)$/.test(fact.name) ? ['bans'] : []
  // Told every few seconds of each leg: only who looks at that call reads it anew.
  if (fact.name === 'leg.quality') return fact.callId === undefined ? [] : [`call ${fact.callId}`]
  const keys = ['live']
  if (fact.callId !== undefined) keys.push(`call ${fact.callId}`)
  if (family === 'recording') keys.push('recordings', 'calls')
  if (fact.name === 'call.started' || fact.name === 'call.ended') keys.push('calls')
  return keys
}

function parse(text: string): { name: string; callId?: string } | undefined {
  try {
    const fact: unknown = JSON.parse(text)
    if (typeof fact !== 'object' || fact === null || !('name' in fact) || typeof fact.name !== 'string')
      return undefined
    const callId = 'callId' in fact && typeof fact.callId === 'string' ? fact.callId : undefined
    return { name: fact.name, ...(callId === undefined ? {} : { callId }) }
  } catch {
    return undefined
  }
}
