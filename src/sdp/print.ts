import type { SdpAttribute, SdpConnection, SdpMedia, SessionDescription } from './types.ts'

/** RFC 8866 §5 fixes the order of lines: these stand before c=, all others that we keep after it. */
const beforeConnection = /^[iuep]=/

/** A description as text, CRLF after each line. */
export function printSdp(description: SessionDescription): string {
  const { origin: o, name, connection, attributes, otherLines, media } = description
  const lines = [
    'v=0',
    `o=${o.username} ${o.sessionId} ${o.sessionVersion} ${o.netType} ${o.addressType} ${o.address}`,
    `s=${name}`,
    ...otherLines.filter((line) => beforeConnection.test(line)),
    ...printConnection(connection),
    ...otherLines.filter((line) => !beforeConnection.test(line)),
    ...attributes.map(printAttribute),
    ...media.flatMap(printMedia),
  ]
  return `${lines.join('\r\n')}\r\n`
}

function printMedia(media: SdpMedia): string[] {
  const ports = media.portCount === undefined ? `${media.port}` : `${media.port}/${media.portCount}`
  return [
    `m=${media.type} ${ports} ${media.protocol} ${media.formats.join(' ')}`,
    ...media.otherLines.filter((line) => beforeConnection.test(line)),
    ...printConnection(media.connection),
    ...media.otherLines.filter((line) => !beforeConnection.test(line)),
    ...media.attributes.map(printAttribute),
  ]
}

const printConnection = (connection: SdpConnection | undefined): string[] =>
  connection ? [`c=IN ${connection.addressType} ${connection.address}`] : []

const printAttribute = ({ name, value }: SdpAttribute): string =>
  value === undefined ? `a=${name}` : `a=${name}:${value}`
