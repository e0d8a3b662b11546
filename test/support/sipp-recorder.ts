/** sipp as a recording server that insists on what RFC 7866 asks of a client: each message is looked at, and wrong ones end the call. */
import { scenario, send } from './sipp-parts.ts'

/** The scenario ends as failed when the message does not match. */
const look = (
  what: string,
  checks: readonly (readonly [where: string, pattern: string])[],
  attributes = '',
): string => {
  const actions = checks.map(([where, pattern], index) => {
    const place = where === 'body' ? 'search_in="body"' : `search_in="hdr" header="${where}:"`
    return `<ereg regexp="${pattern}" ${place} check_it="true" assign_to="${index + 1}"/>`
  })
  const used = checks.map((_, index) => `[$${index + 1}]`).join(' ')
  return `  <recv request="${what}"${attributes}><action>${actions.join('')}<log message="${used}"/></action></recv>`
}

const back = ['[last_Via:]', '[last_From:]', '[last_To:];tag=srs[call_number]', '[last_Call-ID:]', '[last_CSeq:]']
const contact = 'Contact: &lt;sip:srs@[local_ip]:[local_port];transport=[transport]&gt;;+sip.srs'

/** Takes the first stream alone, `recvonly`, in PCMA. */
const answer = `v=0
o=srs 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [auto_media_port] RTP/AVP 8
a=rtpmap:8 PCMA/8000
a=recvonly
a=label:1
m=audio 0 RTP/AVP 8`

export const strictRecorderScenario = scenario(
  'a strict recording server',
  look('INVITE', [
    ['Require', 'siprec'],
    ['Contact', '[+]sip[.]src'],
    ['Content-Type', 'multipart/mixed'],
    ['body', 'm=audio [0-9]+ RTP/AVP.*a=sendonly.*a=label:1.*m=audio [0-9]+ RTP/AVP.*a=sendonly.*a=label:2'],
    ['body', 'Content-Disposition: recording-session'],
    [
      'body',
      'urn:ietf:params:xml:ns:recording:1.*<datamode>complete</datamode>.*<participantstreamassoc'
        .replaceAll('<', '&lt;')
        .replaceAll('>', '&gt;'),
    ],
  ]),
  send(
    [
      'SIP/2.0 200 OK',
      ...back,
      contact.replaceAll('&lt;', '<').replaceAll('&gt;', '>'),
      'Content-Type: application/sdp',
    ],
    answer,
  ),
  '  <recv request="ACK"/>',
  look('BYE', [['CSeq', 'BYE']]),
  send(['SIP/2.0 200 OK', '[last_Via:]', '[last_From:]', '[last_To:]', '[last_Call-ID:]', '[last_CSeq:]']),
)
