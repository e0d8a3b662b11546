/** Typical messages for the benches of the parser: what a phone and a carrier's proxy send. */

const crlf = (...lines: readonly string[]): Buffer => Buffer.from(lines.join('\r\n'))

export const offer = [
  'v=0',
  'o=- 3976401021 3976401021 IN IP4 192.0.2.15',
  's=call',
  'c=IN IP4 192.0.2.15',
  't=0 0',
  'm=audio 49170 RTP/AVP 9 0 8 101',
  'a=rtpmap:9 G722/8000',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
  'a=ptime:20',
  'a=sendrecv',
  '',
].join('\r\n')

export const inviteUri = 'sip:102@pbx.example.com'

/** @param authorization The value of the header. */
export const inviteFromPhone = (authorization: string): Buffer =>
  crlf(
    `INVITE ${inviteUri} SIP/2.0`,
    'Via: SIP/2.0/UDP 192.0.2.15:5062;rport;branch=z9hG4bK6f2cd1a90b7e44d1',
    'Max-Forwards: 70',
    'From: "Alice Liddell" <sip:101@pbx.example.com>;tag=9fxced76sl',
    'To: <sip:102@pbx.example.com>',
    'Call-ID: 3848276298220188511@192.0.2.15',
    'CSeq: 4711 INVITE',
    'Contact: <sip:101@192.0.2.15:5062;transport=udp>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"',
    'Allow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE, REFER, NOTIFY, MESSAGE',
    'Supported: replaces, timer, gruu, outbound, path',
    `Authorization: ${authorization}`,
    'User-Agent: Softphone 4.2 (Linux)',
    'Content-Type: application/sdp',
    `Content-Length: ${offer.length}`,
    '',
    offer,
  )

export const okFromCarrier: Buffer = crlf(
  'SIP/2.0 200 OK',
  'Via: SIP/2.0/UDP 198.51.100.7:5060;branch=z9hG4bK77ef4c2312983.1',
  'Via: SIP/2.0/UDP 192.0.2.1:5060;received=203.0.113.9;rport=5060;branch=z9hG4bKnashds8',
  'Record-Route: <sip:198.51.100.7;lr;ftag=1928301774>',
  'From: <sip:+49301234@192.0.2.1>;tag=1928301774',
  'To: <sip:+442071838750@carrier.example>;tag=a6c85cf',
  'Call-ID: a84b4c76e66710@pc33.atlanta.example',
  'CSeq: 314159 INVITE',
  'Contact: <sip:+442071838750@203.0.113.77:5080;transport=udp>',
  'Allow: INVITE, ACK, CANCEL, BYE, PRACK, UPDATE, OPTIONS',
  'Supported: 100rel, timer',
  'Require: timer',
  'Session-Expires: 1800;refresher=uac',
  'Server: Carrier SBC 9.1',
  'Content-Type: application/sdp',
  `Content-Length: ${offer.length}`,
  '',
  offer,
)

/** @param authorization The value of the header. */
export const registerFromPhone = (authorization: string): Buffer =>
  crlf(
    'REGISTER sip:pbx.example.com SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.15:5062;rport;branch=z9hG4bK5f21d8a90b7e44d2',
    'Max-Forwards: 70',
    'From: "Alice Liddell" <sip:101@pbx.example.com>;tag=0a1b2c3d',
    'To: "Alice Liddell" <sip:101@pbx.example.com>',
    'Call-ID: 1j9FpLxk3uxtm8tn@192.0.2.15',
    'CSeq: 1827 REGISTER',
    'Contact: <sip:101@192.0.2.15:5062;transport=udp>;reg-id=1;+sip.instance="<urn:uuid:00000000-0000-1000-8000-000A95A0E128>"',
    'Expires: 3600',
    `Authorization: ${authorization}`,
    'User-Agent: Softphone 4.2 (Linux)',
    'Content-Length: 0',
    '',
    '',
  )

export const bye: Buffer = crlf(
  'BYE sip:101@192.0.2.1:5060 SIP/2.0',
  'Via: SIP/2.0/UDP 192.0.2.15:5062;rport;branch=z9hG4bK776asdhds',
  'Max-Forwards: 70',
  'From: "Alice Liddell" <sip:101@pbx.example.com>;tag=9fxced76sl',
  'To: <sip:102@pbx.example.com>;tag=314159',
  'Call-ID: 3848276298220188511@192.0.2.15',
  'CSeq: 4712 BYE',
  'Content-Length: 0',
  '',
  '',
)
