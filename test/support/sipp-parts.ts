/**
 * The pieces that scenarios for sipp are made of: messages to send and to wait for.
 *
 * sipp fills in `[...]`. `start_rtd`/`rtd` name its timers; `<pause/>` lasts as long as its option `-d` says.
 */

export const scenario = (name: string, ...steps: readonly string[]): string =>
  `<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE scenario SYSTEM "sipp.dtd">\n<scenario name="${name}">\n${steps.join('\n')}\n</scenario>\n`

/** A message to send; `Content-Length` and the empty line come from here. */
export function send(lines: readonly string[], body = '', attributes = ''): string {
  const length = body === '' ? 'Content-Length: 0' : 'Content-Length: [len]'
  return `  <send${attributes}><![CDATA[\n\n${[...lines, length].join('\n')}\n\n${body}\n\n]]></send>`
}

export const receive = (what: string, attributes = ''): string => `  <recv ${what}${attributes}/>`
export const provisional = [
  receive('response="100"', ' optional="true"'),
  receive('response="180"', ' optional="true"'),
  receive('response="183"', ' optional="true"'),
]

export const audio = `v=0
o=sipp 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [auto_media_port] RTP/AVP 0 101
a=rtpmap:0 PCMU/8000
a=rtpmap:101 telephone-event/8000
a=fmtp:101 0-16
a=ptime:20`

export const own = 'Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport'

/** A request of a caller outside a dialog. */
export const request = (method: string, seq: number, more: readonly string[] = []): string[] => [
  `${method} sip:[service]@[remote_ip]:[remote_port] SIP/2.0`,
  own,
  'From: <sip:[caller]@[remote_ip]>;tag=[pid]t[call_number]',
  'To: <sip:[service]@[remote_ip]>',
  'Call-ID: [call_id]',
  `CSeq: ${seq} ${method}`,
  'Contact: <sip:[caller]@[local_ip]:[local_port];transport=[transport]>',
  'Max-Forwards: 70',
  ...more,
]

export const inDialog = (method: string, seq: number): string[] => [
  `${method} [next_url] SIP/2.0`,
  own,
  'From: <sip:[caller]@[remote_ip]>;tag=[pid]t[call_number]',
  '[last_To:]',
  '[routes]',
  'Call-ID: [call_id]',
  `CSeq: ${seq} ${method}`,
  'Max-Forwards: 70',
]

/** The ACK to a final failure belongs to the INVITE's transaction: its Via, its Request-URI (RFC 3261 §17.1.1.3). */
export const ackFailure = (seq: number): string =>
  send([
    'ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0',
    '[last_Via:]',
    'From: <sip:[caller]@[remote_ip]>;tag=[pid]t[call_number]',
    '[last_To:]',
    'Call-ID: [call_id]',
    `CSeq: ${seq} ACK`,
    'Max-Forwards: 70',
  ])

export const sdpType = 'Content-Type: application/sdp'
export const retransmitted = ' retrans="500"'
