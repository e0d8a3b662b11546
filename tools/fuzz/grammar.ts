/**
 * Texts that follow the grammar of SIP, SDP and recording metadata, valid and nearly so, by chance from a seed.
 *
 * A rule is a list of texts to choose from; `{name}` in one of them is replaced by a text of that rule.
 */
import type { Chance } from './chance.ts'

/** Alternatives separated by blanks. */
const words = (text: string): readonly string[] => text.split(' ')

const rules: Readonly<Record<string, readonly string[]>> = {
  message: ['{request}', '{request}', '{response}'],
  request: ['{method} {uri} {version}\r\n{head}\r\n{body}'],
  response: ['{version} {status}\r\n{head}\r\n{body}'],
  method: words("INVITE REGISTER OPTIONS BYE ACK CANCEL NOTIFY SUBSCRIBE MESSAGE REFER PUBLISH x!%*_+`' invite"),
  version: ['SIP/2.0', 'SIP/2.0', 'SIP/2.0', 'sip/2.0', 'SIP/3.0', 'SIP/2'],
  status: ['200 OK', '180 {token}', '100', '699 é', '99 x', '401 Unauthorized'],
  head: ['{via}{from}{to}{callid}{cseq}{headers}', '{headers}{cseq}{callid}{to}{from}{via}', '{headers}'],
  headers: ['', '{header}', '{header}{header}{header}', '{header}{headers}'],
  eol: ['\r\n', '\r\n', '\r\n', '\n', '\r\n ', '\r\n\t'],
  colon: [':', ': ', ' : ', '\t:'],
  via: ['Via{colon}{viavalue}\r\n', 'v{colon}{viavalue}, {viavalue}\r\n'],
  viavalue: ['SIP/2.0/{transport} {hostport}{params}', 'SIP / 2.0 / {transport} {hostport} ; branch=z9hG4bK{token}'],
  transport: words('UDP TCP TLS WS SCTP udp'),
  from: ['From{colon}{nameaddr};tag={token}\r\n', 'f{colon}{uri}\r\n'],
  to: ['To{colon}{nameaddr}{params}\r\n', 't{colon}{nameaddr}\r\n'],
  callid: ['Call-ID{colon}{token}@{host}\r\n', 'i:{token}\r\n'],
  cseq: ['CSeq{colon}{number} {method}\r\n', 'CSeq: 1 INVITE\r\n'],
  header: [
    'Contact{colon}{nameaddrs}{eol}',
    'm: *\r\n',
    'Route{colon}{nameaddrs}\r\n',
    'Record-Route: {nameaddrs}\r\n',
    'Max-Forwards{colon}{number}\r\n',
    'Content-Length{colon}{number}\r\n',
    'l: 0\r\n',
    'Content-Type{colon}{contenttype}\r\n',
    'Require: {token},{token}\r\n',
    'Authorization: {digest}\r\n',
    'WWW-Authenticate: {digest}\r\n',
    'Event: {token}{params}\r\n',
    'Replaces: {token}{params}\r\n',
    'Warning: 399 {host} {quoted}\r\n',
    'Retry-After: {number} (soon){params}\r\n',
    'Reason: SIP;cause={number};text={quoted}\r\n',
    'Refer-To: {nameaddr}\r\n',
    'Session-Expires: {number};refresher=uac\r\n',
    'Privacy: {token};{token}\r\n',
    'P-Asserted-Identity: {nameaddrs}\r\n',
    'History-Info: {nameaddrs}\r\n',
    '{token}{colon}{text}{eol}',
    'Subject:\r\n {text}\r\n\t{text}\r\n',
  ],
  nameaddrs: ['{nameaddr}', '{nameaddr},{nameaddr}', '{nameaddr} , {nameaddrs}', '*', ''],
  nameaddr: ['{display}<{uri}>{params}', '<{uri}>', '{uri}{params}', '{display} <{uri}> {params}'],
  display: ['', '{quoted} ', '{token} {token} ', '"', 'é '],
  uri: [
    'sip:{user}@{hostport}{params}',
    'sip:{user}@{hostport}{params}?{query}',
    'sips:{hostport}',
    'tel:+{number}{params}',
    'tel:{number};phone-context={host}',
    'urn:service:sos',
    'sip:{user}:{user}@{hostport}',
    'sip:{hostport}',
  ],
  user: words('alice 101 +4930123 %61lice a%40b %00 a;b=c a/b ~_-.!*()&=+$,;?/ é {token}'),
  hostport: ['{host}', '{host}:{number}', '{host}:5060'],
  host: words(
    'example.com 192.0.2.1 [2001:db8::1] [::1] a.b.c. localhost 256.1.1.1 [::ffff:192.0.2.1] xn--a _sip._udp.x',
  ),
  query: ['a=b', 'Route=%3Csip:x%3E&b=', 'body=x', '='],
  params: ['', '', ';{param}', ';{param};{param}', ' ; {param}{params}'],
  param: [
    'tag={token}',
    'lr',
    'branch=z9hG4bK{token}',
    'transport={transport}',
    'q=0.{number}',
    'expires={number}',
    '+sip.instance="<urn:uuid:{token}>"',
    '{token}={quoted}',
    '{token}={token}',
    'received=[2001:db8::1]',
    'rport',
    '{token} = {token}',
    'maddr={host}',
  ],
  token: words("a x-y 0 z9hG4bK A-b.c!%*_+`'~ {number} tag LR 1a"),
  quoted: ['"{text}"', '"a \\" b"', '"\\\\"', '"é,;<>"', '""', '"'],
  text: ['x', 'a b, c; d=e <f>', '{token}  {token}', 'é\u2028', '', '\t'],
  number: words('0 1 70 200 5060 65535 65536 4294967295 4294967296 99999999999999999999 007 -1 1.5'),
  contenttype: [
    'application/sdp',
    'multipart/mixed;boundary={boundary}',
    'multipart/mixed; boundary="{boundary}"',
    'text / plain',
  ],
  boundary: words("b b b x-y b:c '()+_,-./:=?"),
  digest: ['Digest {digestpart}', 'Digest {digestpart}, {digestpart},{digestpart}', 'Basic {token}'],
  digestpart: [
    'realm={quoted}',
    'nonce="{token}"',
    'qop="auth,auth-int"',
    'algorithm=SHA-256',
    'nc=0000000{number}',
    'username={quoted}',
    'stale=true',
  ],
  body: ['', '', '{sdp}', '{multipart}', '{xml}', 'x'],
  multipart: [
    '--b\r\n{part}--b\r\n{part}--b--\r\n',
    '--b\r\n{part}--b--',
    '{text}\r\n--b\r\n{part}\r\n--b--\r\n{text}',
    '--b\n\n{text}',
  ],
  part: [
    'Content-Type: application/sdp\r\n\r\n{sdp}\r\n',
    'Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n{xml}\r\n',
    'Content-Type: multipart/mixed;boundary=b\r\n\r\n{multipart}\r\n',
    'Content-Transfer-Encoding: base64\r\n\r\neHh4\r\n',
    '\r\n{text}\r\n',
  ],
  sdp: ['v=0\r\no={sdporigin}\r\ns=-\r\n{sdpsession}t=0 0\r\n{sdpmedias}', 'v=0\no={sdporigin}\n{sdpmedias}'],
  sdporigin: ['- {number} {number} IN IP4 192.0.2.1', 'x 1 1 IN IP6 2001:db8::1', '- 1 1 IN IP4 {host}'],
  sdpsession: ['', 'c=IN IP4 192.0.2.1\r\n', '{sdpattribute}', 'b=AS:64\r\n', 'c=IN IP4 0.0.0.0\r\n{sdpattribute}'],
  sdpmedias: ['', '{sdpmedia}', '{sdpmedia}{sdpmedias}'],
  sdpmedia: [
    'm={sdpkind} {number} RTP/{sdpprofile} {sdpformats}\r\n{sdpattributes}',
    'm=image {number} udptl t38\r\n',
    'm=audio 4000/2 RTP/AVP 0\r\n',
  ],
  sdpkind: words('audio audio video application text'),
  sdpprofile: words('AVP SAVP AVPF SAVPF'),
  sdpformats: ['0', '0 8 101', '96 97', '0 0', '', '{number} {number}'],
  sdpattributes: ['', '{sdpattribute}', '{sdpattribute}{sdpattributes}', 'c=IN IP6 ::1\r\n{sdpattributes}'],
  sdpattribute: [
    'a=rtpmap:{number} {token}/8000\r\n',
    'a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n',
    'a=fmtp:{number} {token}={token}; {token}\r\n',
    'a={token}\r\n',
    'a=sendonly\r\n',
    'a=inactive\r\n',
    'a=label:{token}\r\n',
    'a=ptime:{number}\r\n',
    'a=rtcp:{number} IN IP4 192.0.2.1\r\n',
    'a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:{token}|2^20|1:4\r\n',
    'a=group:BUNDLE {token} {token}\r\n',
    'a=setup:actpass\r\n',
    '{token}={text}\r\n',
  ],
  xml: [
    '<?xml version="1.0" encoding="UTF-8"?>\r\n{recording}',
    '{recording}',
    '{element}',
    '<!DOCTYPE x [<!ENTITY a "b">]>{recording}',
  ],
  recording: [
    '<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>{elements}</recording>',
    '<r:recording xmlns:r="urn:ietf:params:xml:ns:recording"><r:datamode>partial</r:datamode>{elements}</r:recording>',
  ],
  elements: ['', '{element}', '{element}{elements}'],
  element: [
    '<session session_id="{id}"/>',
    '<participant participant_id="{id}"><nameID aor="{uri}"><name xml:lang="it">{xmltext}</name></nameID></participant>',
    '<stream stream_id="{id}" session_id="{id}"><label>{token}</label></stream>',
    '<participantstreamassoc participant_id="{id}"><send>{id}</send><recv>{id}</recv></participantstreamassoc>',
    '<participantsessionassoc participant_id="{id}" session_id="{id}"><associate-time>2010-12-16T23:41:07Z</associate-time></participantsessionassoc>',
    '<{token}>{elements}</{token}>',
    '<a b="c">{xmltext}</a>',
    '{xmltext}',
  ],
  id: words('1 2 hVpd7YQgRW2nD22h7q60JQ== {token}'),
  xmltext: ['x', '&amp;', '&#65;', '&#x1F600;', '<![CDATA[<x>]]>', '<!-- {text} -->', '&undefined;', ''],
}

/** Deeper than this the first text of a rule is taken, which is short. */
const maxDepth = 12
/** As much as the parsers take. */
const maxChars = 60_000

export type RuleName = 'message' | 'uri' | 'nameaddrs' | 'header' | 'multipart' | 'sdp' | 'xml' | 'viavalue' | 'digest'

export function grow(rule: RuleName, chance: Chance): string {
  return expand(rule, chance, 0)
}

function expand(name: string, chance: Chance, depth: number): string {
  const texts = rules[name] ?? []
  const text = depth < maxDepth ? chance.pick(texts) : (texts[0] ?? '')
  return text.replaceAll(/\{([a-z]+)\}/g, (_, inner: string) => expand(inner, chance, depth + 1)).slice(0, maxChars)
}
