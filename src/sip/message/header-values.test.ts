import assert from 'node:assert/strict'
import { test } from 'node:test'
import { grammars, type KnownHeader, printValue, readHeader } from './header-values.ts'
import { Headers } from './headers.ts'
import { printNameAddr } from './name-addr.ts'

const headers = (...lines: readonly (readonly [name: string, value: string])[]) => new Headers(lines)
const params = (given: Record<string, string | null>) => new Map(Object.entries(given))

/** From the RFC of each header: [name, as written, what it says]. */
const examples = [
  ['Accept', 'application/sdp;level=1, text / HTML', ['application/sdp;level=1', 'text/html']],
  ['Accept-Contact', '*;audio;require', ['*;audio;require']],
  ['Alert-Info', '<http://www.example.com/sounds/moo.wav>;info=x', ['<http://www.example.com/sounds/moo.wav>;info=x']],
  ['Allow-Events', 'spirits-INDPs, dialog', ['spirits-INDPs', 'dialog']],
  ['Authentication-Info', 'nextnonce="47364c,23;=", qop=auth', params({ nextnonce: '47364c,23;=', qop: 'auth' })],
  [
    'Call-Info',
    '<http://wwww.example.com/alice/photo.jpg> ;purpose=icon, <http://www.example.com/alice/> ;purpose=info',
    ['<http://wwww.example.com/alice/photo.jpg>;purpose=icon', '<http://www.example.com/alice/>;purpose=info'],
  ],
  [
    'Diversion',
    '"Bob" <sip:bob@example.com>;reason=user-busy;counter=2, <tel:+1-201>;reason=unconditional',
    ['Bob <sip:bob@example.com>;reason=user-busy;counter=2', '<tel:+1-201>;reason=unconditional'],
  ],
  ['Event', 'dialog;call-id=abc;sla', 'dialog;call-id=abc;sla'],
  ['Flow-Timer', '126', 126],
  ['Geolocation', '<cid:target123@atlanta.example.com>', ['<cid:target123@atlanta.example.com>']],
  [
    'History-Info',
    '<sip:bob@example.com?Reason=SIP%3Bcause%3D302>;index=1, <sip:office@192.0.2.5>;index=1.1;mp=1',
    ['<sip:bob@example.com?Reason=SIP%3Bcause%3D302>;index=1', '<sip:office@192.0.2.5>;index=1.1;mp=1'],
  ],
  ['Info-Package', 'foo', 'foo'],
  [
    'Replaces',
    '425928@bobster.example.org;to-tag=7743;from-tag=6472;early-only',
    { callId: '425928@bobster.example.org', localTag: '7743', remoteTag: '6472', earlyOnly: true },
  ],
  [
    'Join',
    '12adf2f34456gs5;to-tag=12345;from-tag=54321',
    { callId: '12adf2f34456gs5', localTag: '12345', remoteTag: '54321', earlyOnly: false },
  ],
  [
    'Target-Dialog',
    'fa77as7dad8-sd98ajzz@host.example.com;local-tag=kkaz-;remote-tag=6544',
    { callId: 'fa77as7dad8-sd98ajzz@host.example.com', localTag: 'kkaz-', remoteTag: '6544', earlyOnly: false },
  ],
  ['Min-Expires', '60', 60],
  ['Min-SE', '90;lr', { seconds: 90, params: params({ lr: null }) }],
  [
    'P-Asserted-Identity',
    '"Cullen Jennings" <sip:fluffy@cisco.com>, tel:+14085264000',
    ['"Cullen Jennings" <sip:fluffy@cisco.com>'.replaceAll('"', ''), '<tel:+14085264000>'],
  ],
  ['Path', '<sip:P3.EXAMPLEHOME.COM;lr>,<sip:P1.EXAMPLEVISITED.COM;lr>', undefined],
  ['Privacy', 'header; user;Critical', ['header', 'user', 'critical']],
  ['RAck', '776656 1 INVITE', { rseq: 776_656, cseq: 1, method: 'INVITE' }],
  ['RSeq', '988789', 988_789],
  [
    'Reason',
    'SIP ;cause=200 ;text="Call completed elsewhere", Q.850;cause=16',
    ['SIP;cause=200;text="Call completed elsewhere"', 'Q.850;cause=16'],
  ],
  ['Refer-Sub', 'false', 'false'],
  ['Remote-Party-ID', '"Bob" <sip:bob@x>;party=calling;privacy=full', ['Bob <sip:bob@x>;party=calling;privacy=full']],
  ['Request-Disposition', 'proxy, recurse', ['proxy', 'recurse']],
  ['Retry-After', '18000;duration=3600', { seconds: 18_000, params: params({ duration: '3600' }) }],
  ['Retry-After', "120 (I'm in a meeting)", { seconds: 120, params: params({}) }],
  ['Security-Client', 'digest, tls;q=0.2', ['digest', 'tls;q=0.2']],
  ['Session-Expires', '4000;refresher=uac', { seconds: 4_000, params: params({ refresher: 'uac' }) }],
  ['SIP-ETag', 'dx200xyz', 'dx200xyz'],
  ['Subscription-State', 'active;expires=60', 'active;expires=60'],
  ['User-to-User', '56a390f3d2b7310023a;encoding=hex;purpose=isdn-uui', undefined],
  [
    'Warning',
    '370 devnull "Choose a \\"bigger\\" pipe, please"',
    [{ code: 370, agent: 'devnull', text: 'Choose a "bigger" pipe, please' }],
  ],
] as const satisfies readonly (readonly [KnownHeader, string, unknown])[]

/** Values that print say more at a glance printed. */
const shown = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shown)
  if (typeof value !== 'object' || value === null || value instanceof Map) return value
  if ('uri' in value) return printNameAddr(value as Parameters<typeof printNameAddr>[0])
  return 'value' in value ? printValue(value as Parameters<typeof printValue>[0]) : value
}

for (const [name, text, expected] of examples)
  test(`${name} is read: ${text}`, () => {
    const value = readHeader(headers([name, text]), name)
    assert.notEqual(value, undefined)
    if (expected !== undefined) assert.deepEqual(shown(value), expected)
  })

test('a list over several lines is one list, and an empty header an empty one', () => {
  const message = headers(['k', 'timer, 100rel'], ['X', 'y'], ['Supported', 'path'], ['Require', ''])

  assert.deepEqual(readHeader(message, 'Supported'), ['timer', '100rel', 'path'])
  assert.deepEqual(readHeader(message, 'Require'), [])
  assert.deepEqual(readHeader(message, 'Unsupported'), [])
})

test('compact forms of later RFCs are found by their long names', () => {
  const message = headers(['r', '<sip:a@b>'], ['o', 'refer'], ['b', '<sip:c@d>'], ['x', '90'], ['u', 'refer'])

  assert.equal(readHeader(message, 'Refer-To')?.uri.user, 'a')
  assert.equal(readHeader(message, 'Event')?.value, 'refer')
  assert.equal(readHeader(message, 'Referred-By')?.uri.user, 'c')
  assert.equal(readHeader(message, 'Session-Expires')?.seconds, 90)
  assert.deepEqual(readHeader(message, 'Allow-Events'), ['refer'])
})

test('what is malformed is undefined, also as one of several, and never throws', () => {
  for (const [name, text] of [
    ['Retry-After', 'soon'],
    ['Retry-After', '4294967296'],
    ['RAck', '1 INVITE'],
    ['RSeq', '-1'],
    ['Replaces', 'a@b;to-tag=1'],
    ['Warning', '399 host no quotes'],
    ['Event', 'two words'],
    ['Event', ''],
    ['Privacy', 'id;;x'],
    ['P-Asserted-Identity', '<sip:a@b>, <nonsense'],
    ['Supported', 'ok, n@t'],
  ] as const)
    assert.equal(readHeader(headers([name, text]), name), undefined, `${name}: ${text}`)
})

test('every header of the table survives any rubbish', () => {
  for (const name of Object.keys(grammars) as KnownHeader[])
    for (const text of ['', ';', '"', '<', '<>', ',,', '\\', ';=', '"a', '1;x="', '(', '<sip:a@b', ';;,;'])
      assert.doesNotThrow(() => readHeader(headers([name, text]), name))
})
