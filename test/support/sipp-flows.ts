/**
 * What carriers and gateways do in their calls, as scenarios for sipp without digest: offers that come late, answers
 * that come twice, messages that get lost, sessions that are refreshed or forgotten.
 *
 *   …Caller   calls the server: `-s NUMBER -key caller WHO`
 *   …Callee   is called by it
 */
import {
  ackFailure,
  audio,
  inDialog,
  provisional,
  receive,
  request,
  retransmitted,
  scenario,
  sdpType,
  send,
} from './sipp-parts.ts'

/** The same audio in another direction, as a later description of the session. */
const described = (version: number, direction: string): string =>
  `${audio.replace('o=sipp 1 1', `o=sipp 1 ${version}`)}\na=${direction}`

const invite = (more: readonly string[] = [], seq = 1): string =>
  send(request('INVITE', seq, [sdpType, ...more]), audio, retransmitted)

/** A request of the caller inside the dialog, also when what came last was a request. */
const later = (method: string, seq: number, more: readonly string[] = []): string[] => [
  ...inDialog(method, seq).map((line) =>
    line === '[last_To:]' ? 'To: <sip:[service]@[remote_ip]>[peer_tag_param]' : line,
  ),
  ...more,
]

const answered = receive('response="200"', ' rrs="true"')
const ack = (seq: number, more: readonly string[] = [], body = ''): string => send(later('ACK', seq, more), body)
const bye = (seq: number): readonly string[] => [send(later('BYE', seq), '', retransmitted), receive('response="200"')]

/** Receive, and fail unless the message has this. */
const expect = (what: string, pattern: string): string =>
  `  <recv ${what}${what.includes('"200"') ? ' rrs="true"' : ''}><action><ereg regexp="${pattern}" search_in="msg" check_it="true" assign_to="1"/><log message="[$1]"/></action></recv>`

/** The response to what was received last. */
const respond = (status: string, more: readonly string[] = [], body = ''): string =>
  send(
    [
      `SIP/2.0 ${status}`,
      '[last_Via:]',
      '[last_From:]',
      '[last_To:]',
      '[last_Call-ID:]',
      '[last_CSeq:]',
      contact,
      ...more,
    ],
    body,
  )

const contact = 'Contact: <sip:sipp@[local_ip]:[local_port];transport=[transport]>'

/** An ordinary call on a bad line: so many percent of its INVITE, ACK and BYE, and of the answers to BYE, are lost. */
export function lossyCaller(percent: number): string {
  const attributes = ` lost="${percent}"`
  return scenario(
    'lossy caller',
    send(request('INVITE', 1, [sdpType]), audio, `${retransmitted}${attributes}`),
    ...provisional,
    answered,
    send(later('ACK', 1), '', attributes),
    '  <pause/>',
    send(later('BYE', 2), '', `${retransmitted}${attributes}`),
    receive('response="200"', attributes),
  )
}

/** The INVITE has no description: the server offers, the ACK answers (RFC 3261 §13.2.1). */
export const delayedOfferCaller = (): string =>
  scenario(
    'delayed offer',
    send(request('INVITE', 1), '', retransmitted),
    ...provisional,
    expect('response="200"', 'm=audio'),
    ack(1, [sdpType], audio),
    '  <pause/>',
    ...bye(2),
  )

/** All its ACKs are lost. */
export const deafCaller = (): string =>
  scenario('deaf caller', invite(), ...provisional, answered, receive('request="BYE"'), respond('200 OK'))

/** Hold by re-INVITE, resume by UPDATE (RFC 3311). */
export const holdingCaller = (): string =>
  scenario(
    'holding caller',
    invite(),
    ...provisional,
    answered,
    ack(1),
    send(later('INVITE', 2, [contact, sdpType]), described(2, 'sendonly'), retransmitted),
    receive('response="100"', ' optional="true"'),
    expect('response="200"', 'a=recvonly'),
    ack(2),
    send(later('UPDATE', 3, [contact, sdpType]), described(3, 'sendrecv'), retransmitted),
    expect('response="200"', 'a=sendrecv'),
    '  <pause/>',
    ...bye(4),
  )

const timed = (seconds: number, refresher: string): string[] => [
  'Supported: timer',
  'Allow: INVITE, ACK, BYE, CANCEL, UPDATE',
  `Session-Expires: ${seconds};refresher=${refresher}`,
]

/** Asks for less than the server takes, and then for what it is told (RFC 4028 §6). */
export const impatientCaller = (): string =>
  scenario(
    'impatient caller',
    invite(timed(30, 'uac')),
    receive('response="100"', ' optional="true"'),
    expect('response="422"', 'Min-SE: 90'),
    ackFailure(1),
    invite(timed(90, 'uac'), 2),
    ...provisional,
    expect('response="200"', 'Session-Expires: 90;refresher=uac'),
    ack(2),
    ...bye(3),
  )

/** Leaves the refresh to the server, hears it after half the interval, and hangs up. */
export const refreshedCaller = (): string =>
  scenario(
    'refreshed caller',
    invite(timed(90, 'uas')),
    ...provisional,
    answered,
    ack(1),
    expect('request="UPDATE"', 'Session-Expires: 90;refresher=uac'),
    respond('200 OK', ['Require: timer', 'Session-Expires: 90;refresher=uac']),
    ...bye(2),
  )

/** Promises to refresh and never does: the server ends the call before the interval is over. */
export const forgetfulCaller = (): string =>
  scenario(
    'forgetful caller',
    invite(timed(90, 'uac')),
    ...provisional,
    answered,
    ack(1),
    receive('request="BYE"'),
    respond('200 OK'),
  )

const headers = ['Via', 'From', 'To', 'CSeq'] as const
/** Receive a request and keep what its response repeats, for when others have come in between. */
const keep = (method: string, attributes = ''): string => {
  const reads = headers.map((name, at) => `<ereg regexp=".*" search_in="hdr" header="${name}:" assign_to="${at + 2}"/>`)
  return `  <recv request="${method}"${attributes}><action>${reads.join('')}</action></recv>`
}
/** A response to the request that was kept. */
const respondKept = (
  status: string,
  { tag = '', more = [] as readonly string[], body = '', attributes = '' } = {},
): string =>
  send(
    [
      `SIP/2.0 ${status}`,
      ...headers.map((name, at) => `${name}: [$${at + 2}]${name === 'To' && tag ? `;tag=${tag}` : ''}`),
      '[last_Call-ID:]',
      contact,
      ...more,
    ],
    body,
    body === '' || status.startsWith('1') ? attributes : `${retransmitted}${attributes}`,
  )

/**
 * Its re-INVITE crosses the one by which the server refreshes the session: 491 to both (RFC 3261 §14.1), and the server
 * comes again.
 */
export const crossingCaller = (): string =>
  scenario(
    'crossing caller',
    invite(['Supported: timer', 'Allow: INVITE, ACK, BYE, CANCEL', 'Session-Expires: 90;refresher=uas']),
    ...provisional,
    answered,
    ack(1),
    keep('INVITE'),
    send(later('INVITE', 2, [contact, sdpType]), described(2, 'sendrecv'), retransmitted),
    receive('response="491"'),
    send([
      'ACK [next_url] SIP/2.0',
      '[last_Via:]',
      '[last_From:]',
      '[last_To:]',
      '[last_Call-ID:]',
      'CSeq: 2 ACK',
      'Max-Forwards: 70',
    ]),
    respondKept('491 Request Pending'),
    receive('request="ACK"'),
    keep('INVITE'),
    respondKept('200 OK', {
      more: [sdpType, 'Require: timer', 'Session-Expires: 90;refresher=uac'],
      body: described(3, 'sendrecv'),
    }),
    receive('request="ACK"'),
    ...bye(3),
  )

/**
 * A phone that rings, answers and waits for the BYE, on a bad line: of its INVITE, 200, ACK and BYE so many percent are
 * lost. Its 180 is not: when all could be lost (option `-lost`), sipp 3.6 now and then fell silent for the whole call.
 */
export function lossyCallee(percent: number): string {
  const attributes = ` lost="${percent}"`
  return scenario(
    'lossy callee',
    keep('INVITE', attributes),
    respondKept('180 Ringing', { tag: 'one' }),
    respondKept('200 OK', { tag: 'one', more: [sdpType], body: audio, attributes }),
    // With every copy of it lost, the call ends without.
    receive('request="ACK"', `${attributes} optional="true"`),
    receive('request="BYE"', attributes),
    respond('200 OK'),
    '  <timewait milliseconds="1000"/>',
  )
}

/**
 * An announcement before the answer, for as long as the option `-d` says.
 * @param reliable Its 183 wants a PRACK (RFC 3262).
 * @param capture A capture of RTP to play meanwhile; only root may.
 */
export function announcingCallee(reliable: boolean, capture?: string): string {
  const more = reliable ? [sdpType, 'Require: 100rel', 'RSeq: 7001'] : [sdpType]
  return scenario(
    'announcing callee',
    keep('INVITE'),
    respondKept('183 Session Progress', { tag: 'one', more, body: audio }),
    ...(reliable ? [expect('request="PRACK"', 'RAck: 7001 [0-9]+ INVITE'), respond('200 OK')] : []),
    ...(capture === undefined ? [] : [`  <nop><action><exec play_pcap_audio="${capture}"/></action></nop>`]),
    '  <pause/>',
    respondKept('200 OK', { tag: 'one', more: [sdpType], body: audio }),
    receive('request="ACK"'),
    receive('request="BYE"'),
    respond('200 OK'),
    '  <timewait milliseconds="1000"/>',
  )
}

/**
 * The phone of an extension that hears an announcement before the answer, and acknowledges it by PRACK (RFC 3262). It
 * has digest: `-au NUMBER -ap PASSWORD`; by its User-Agent it is offered the MD5 that it knows.
 */
export const listeningCaller = (): string =>
  scenario(
    'listening caller',
    invite(['User-Agent: sipp', 'Supported: 100rel']),
    receive('response="100"', ' optional="true"'),
    receive('response="401"', ' auth="true"'),
    ackFailure(1),
    invite(['User-Agent: sipp', 'Supported: 100rel', '[authentication]'], 2),
    receive('response="100"', ' optional="true"'),
    receive('response="180"', ' optional="true"'),
    '  <recv response="183" rrs="true"><action><ereg regexp="m=audio" search_in="msg" check_it="true" assign_to="1"/><ereg regexp="[0-9]+" search_in="hdr" header="RSeq:" check_it="true" assign_to="2"/><log message="[$1]"/></action></recv>',
    send(later('PRACK', 3, ['RAck: [$2] 2 INVITE']), '', retransmitted),
    receive('response="200"'),
    answered,
    ack(2),
    ...bye(4),
  )

/** Two phones behind a proxy that answer in the same moment: both get the ACK, the second the BYE (RFC 3261 §13.2.2.4). */
export const doubleCallee = (): string =>
  scenario(
    'double callee',
    keep('INVITE'),
    respondKept('180 Ringing', { tag: 'one' }),
    respondKept('180 Ringing', { tag: 'two' }),
    respondKept('200 OK', { tag: 'one', more: [sdpType], body: audio }),
    expect('request="ACK"', 'tag=one'),
    respondKept('200 OK', { tag: 'two', more: [sdpType], body: audio }),
    expect('request="ACK"', 'tag=two'),
    expect('request="BYE"', 'tag=two'),
    respond('200 OK'),
    expect('request="BYE"', 'tag=one'),
    respond('200 OK'),
    '  <timewait milliseconds="1000"/>',
  )
