/** The value of a Via header: `SIP/2.0/UDP host:port;branch=…`. RFC 3261 §20.42. */
import { parseParams, printParams } from './scan.ts'
import type { Via } from './types.ts'
import { parseHostPort, printHostPort } from './uri.ts'

const protocolAndRest = /^SIP\s*\/\s*\d+\.\d+\s*\/\s*([^\s/;]+)\s+([^\s;][^;]*)(;.*)?$/is

/** Any version is read: the answer to a wrong one (505) needs the Via all the same. */
export function parseVia(text: string): Via | undefined {
  const match = protocolAndRest.exec(text)
  const [, transport, sentBy, rest] = match ?? []
  if (!transport || !sentBy) return undefined
  const hostPort = parseHostPort(sentBy.replaceAll(/\s/g, ''))
  const params = parseParams(rest ?? '')
  if (!hostPort || !params) return undefined
  const { host, port } = hostPort
  const name = transport.toUpperCase()
  return port === undefined ? { transport: name, host, params } : { transport: name, host, port, params }
}

export const printVia = (via: Via): string =>
  `SIP/2.0/${via.transport} ${printHostPort(via.host, via.port)}${printParams(via.params)}`
