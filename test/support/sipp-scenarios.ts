/**
 * Scenarios for sipp as TypeScript functions: the few of SIP's flows the tests need, with their variations.
 */
import {
  ackFailure,
  audio,
  inDialog,
  own,
  provisional,
  receive,
  request,
  retransmitted,
  scenario,
  sdpType,
  send,
} from './sipp-parts.ts'

/**
 * INVITE, asked for a password, INVITE with it. Ends after the second INVITE was sent.
 * @param timed Start timer 1 with the second INVITE; the scenario must stop it, or sipp calls that an error.
 */
const invited = (timed = false, media = audio): string[] => [
  send(request('INVITE', 1, [sdpType]), media, retransmitted),
  ...provisional,
  receive('response="401"', ' auth="true"'),
  ackFailure(1),
  send(
    request('INVITE', 2, ['[authentication]', sdpType]),
    media,
    timed ? `${retransmitted} start_rtd="1"` : retransmitted,
  ),
]

/**
 * A whole call with digest: run with `-s CALLEE -key caller CALLER -au CALLER -ap PASSWORD`. Timer 1 is the answer to
 * the INVITE that carried the password, timer 2 the answer to the BYE.
 */
export const callerScenario = (): string =>
  scenario(
    'caller',
    ...invited(true),
    ...provisional,
    receive('response="200"', ' rtd="1" rrs="true"'),
    send(inDialog('ACK', 2)),
    '  <pause/>',
    send(inDialog('BYE', 3), '', `${retransmitted} start_rtd="2"`),
    receive('response="200"', ' rtd="2"'),
  )

/** A caller who streams this file of raw PCMU once, from a port of its own; `-d` must outlast it. */
export const streamingCallerScenario = (file: string): string =>
  scenario(
    'streaming caller',
    ...invited(false, audio.replace('[auto_media_port]', '[rtpstream_audio_port]')),
    ...provisional,
    receive('response="200"', ' rrs="true"'),
    send(inDialog('ACK', 2)),
    `  <nop><action><exec rtp_stream="${file},1,0"/></action></nop>`,
    '  <pause/>',
    send(inDialog('BYE', 3), '', retransmitted),
    receive('response="200"'),
  )

/** A caller who is refused with this status. */
export const refusedCallerScenario = (status: number): string =>
  scenario('refused caller', ...invited(), ...provisional, receive(`response="${status}"`), ackFailure(2))

/** A caller who hangs up while it rings. */
export const cancellingCallerScenario = (): string =>
  scenario(
    'cancelling caller',
    ...invited(),
    receive('response="100"', ' optional="true"'),
    receive('response="180"'),
    '  <pause milliseconds="300"/>',
    send(
      [
        'CANCEL sip:[service]@[remote_ip]:[remote_port] SIP/2.0',
        '[last_Via:]',
        'From: <sip:[caller]@[remote_ip]>;tag=[pid]t[call_number]',
        'To: <sip:[service]@[remote_ip]>',
        'Call-ID: [call_id]',
        'CSeq: 2 CANCEL',
        'Max-Forwards: 70',
      ],
      '',
      retransmitted,
    ),
    receive('response="200"'),
    receive('response="487"'),
    ackFailure(2),
  )

/** A caller who answers nothing any more once the call stands: no BYE, no media. */
export const vanishingCallerScenario = (): string =>
  scenario(
    'vanishing caller',
    ...invited(),
    ...provisional,
    receive('response="200"', ' rrs="true"'),
    send(inDialog('ACK', 2)),
  )

const register = (seq: number, more: readonly string[]): string =>
  send(
    [
      'REGISTER sip:[remote_ip]:[remote_port] SIP/2.0',
      own,
      'From: <sip:[service]@[remote_ip]>;tag=[pid]r[call_number]',
      'To: <sip:[service]@[remote_ip]>',
      'Call-ID: [call_id]',
      `CSeq: ${seq} REGISTER`,
      'Contact: <sip:[service]@[local_ip]:[local_port];transport=[transport]>',
      'Max-Forwards: 70',
      'Expires: 600',
      ...more,
    ],
    '',
    retransmitted,
  )

/** Register with digest: `-s NUMBER -au NUMBER -ap PASSWORD`. */
export const registerScenario = (): string =>
  scenario(
    'register',
    register(1, []),
    receive('response="100"', ' optional="true"'),
    receive('response="401"', ' auth="true"'),
    register(2, ['[authentication]']),
    receive('response="100"', ' optional="true"'),
    receive('response="200"'),
  )

const answer = (status: string, more: readonly string[], body = '') =>
  send(
    [
      `SIP/2.0 ${status}`,
      '[last_Via:]',
      '[last_From:]',
      '[last_To:];tag=[pid]u[call_number]',
      '[last_Call-ID:]',
      '[last_CSeq:]',
      '[last_Record-Route:]',
      'Contact: <sip:[local_ip]:[local_port];transport=[transport]>',
      ...more,
    ],
    body,
    body === '' ? '' : retransmitted,
  )

/** A phone that rings, answers at once, and waits for the BYE. */
export function answeringScenario(): string {
  const ok = ['SIP/2.0 200 OK', '[last_Via:]', '[last_From:]', '[last_To:]', '[last_Call-ID:]', '[last_CSeq:]']
  return scenario(
    'answering phone',
    receive('request="INVITE"', ' crlf="true" rrs="true"'),
    answer('180 Ringing', []),
    answer('200 OK', [sdpType], audio),
    receive('request="ACK"'),
    receive('request="BYE"'),
    send(ok),
    '  <timewait milliseconds="1000"/>',
  )
}

const metadata = `<?xml version="1.0" encoding="UTF-8"?>
<recording xmlns="urn:ietf:params:xml:ns:recording:1">
  <datamode>complete</datamode>
  <session session_id="hVpd7YQgRW2nD22h7q60JQ=="><sipSessionID>[call_id]</sipSessionID></session>
  <participant participant_id="srfBElmCRp2QB23b7Mpk0w=="><nameID aor="sip:alice@example.com"><name>Alice</name></nameID></participant>
  <participant participant_id="zSfPoSvdSDCmU3A3TRDxAw=="><nameID aor="sip:bob@example.com"><name>Bob</name></nameID></participant>
  <stream stream_id="UAAMm5GRQKSCMVvLyl4rFw==" session_id="hVpd7YQgRW2nD22h7q60JQ=="><label>1</label></stream>
  <stream stream_id="i1Pz3to5hGk8fuXl+PbwCw==" session_id="hVpd7YQgRW2nD22h7q60JQ=="><label>2</label></stream>
  <participantstreamassoc participant_id="srfBElmCRp2QB23b7Mpk0w=="><send>UAAMm5GRQKSCMVvLyl4rFw==</send></participantstreamassoc>
  <participantstreamassoc participant_id="zSfPoSvdSDCmU3A3TRDxAw=="><send>i1Pz3to5hGk8fuXl+PbwCw==</send></participantstreamassoc>
</recording>`

/**
 * A SIPREC client with two streams (RFC 7866). sipp plays captures at the first stream only: its RTP comes from the
 * file `capture`, the other stream stays silent. `-d` must outlast the capture.
 */
export function recordingClientScenario(capture: string): string {
  const body = `--part
Content-Type: application/sdp

v=0
o=src 1 1 IN IP[local_ip_type] [local_ip]
s=-
c=IN IP[media_ip_type] [media_ip]
t=0 0
m=audio [auto_media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=sendonly
a=label:1
m=audio [auto_media_port+2] RTP/AVP 0
a=rtpmap:0 PCMU/8000
a=sendonly
a=label:2
--part
Content-Type: application/rs-metadata+xml
Content-Disposition: recording-session

${metadata}
--part--`
  const invite = request('INVITE', 1, [
    'Require: siprec',
    'Accept: application/sdp, application/rs-metadata-request',
    'Content-Type: multipart/mixed;boundary=part',
  ]).map((line) => (line.startsWith('Contact:') ? `${line};+sip.src` : line))
  return scenario(
    'recording client',
    send(invite, body, retransmitted),
    ...provisional,
    receive('response="200"', ' rrs="true"'),
    send(inDialog('ACK', 1)),
    `  <nop><action><exec play_pcap_audio="${capture}"/></action></nop>`,
    '  <pause/>',
    send(inDialog('BYE', 2), '', retransmitted),
    receive('response="200"'),
  )
}
