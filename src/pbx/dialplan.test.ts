/** Whole calls through the dialplan on a network in memory: what phones and carriers are told of who is calling. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { usualRules } from '../call/codec-rules.ts'
import { LiveCalls } from '../call/live-calls.ts'
import type { CallServices } from '../call/services.ts'
import { description, sdp } from '../call/test-support.ts'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import type { TrunkSetting } from '../core/settings/schema.ts'
import type { SrtpMode } from '../core/srtp.ts'
import type { VoiceProcessing } from '../core/voice-processing.ts'
import { FactBus } from '../events/bus.ts'
import type { Party, RecordingOrigin } from '../events/catalogue.ts'
import { FakeMedia } from '../media/test-support.ts'
import { MemoryNetwork } from '../net/memory-network.ts'
import { turn } from '../sip/dialog/test-support.ts'
import type { SipRequest, SipResponse } from '../sip/message/types.ts'
import { createSipStack } from '../sip/stack.ts'
import type { Dialog, ExtraHeaders, IncomingInvite, SipStack } from '../sip/stack.types.ts'
import { Dialplan } from './dialplan.ts'
import type { Extension } from './directory.ts'
import type { Identity } from './gatekeeper.ts'
import { extension101, trunkWith } from './test-support.ts'
import { TrunkLines } from './trunk-lines.ts'
import type { Trunk } from './trunks.ts'

const pbx = '192.0.2.1'
const at = { phone101: '192.0.2.11', phone102: '192.0.2.12', carrier: '192.0.2.99' } as const
type Place = keyof typeof at
const extension102 = { ...extension101, number: '102', displayName: 'Bob' }

let clock: FakeClock
let stacks: Record<Place, SipStack>
let from: Party | undefined
/** What each place was sent last. */
let got: Partial<Record<Place, SipRequest>>
let dialogs: Partial<Record<Place, Dialog>>
/** What a place does with a call; answers it unless told otherwise. */
let answers: Partial<Record<Place, (invite: IncomingInvite) => void>>
let trunk: Trunk
let answering: Set<Place>
/** Which device of an extension was asked for, call by call. */
let devices: string[]
/** Of phones behind a proxy. */
let proxies: string[]
/** Who dialled a number that the server answers itself. */
let housed: string[]
/** Where recordings came from, as they began. */
let recorded: (RecordingOrigin | undefined)[]
/** Calls that are counted now. */
let running: string[]
/** Trunks that take no more calls; `in`: nobody may begin one. */
let full: Set<string>

function began(what: string): () => void {
  running.push(what)
  return () => void running.splice(running.indexOf(what), 1)
}

const trunkSettings: Partial<TrunkSetting> = {
  host: at.carrier,
  port: 5060,
  sources: [at.carrier],
  inbound: { '+49301': '101', '+49302': '102', '+49303': '*61' },
  outbound: [{ prefix: '0', strip: 1, add: '+49', from: [] }],
}

beforeEach(async () => {
  clock = new FakeClock()
  const network = new MemoryNetwork({ clock })
  const stackAt = (ip: string): Promise<SipStack> =>
    createSipStack({ clock, log: silentLogger, network, listen: [{ transport: 'udp', ip, port: 5060 }] })
  const server = await stackAt(pbx)
  stacks = {
    phone101: await stackAt(at.phone101),
    phone102: await stackAt(at.phone102),
    carrier: await stackAt(at.carrier),
  }
  got = {}
  dialogs = {}
  answers = {}
  recorded = []
  trunk = trunkWith(trunkSettings)
  devices = []
  proxies = []
  housed = []
  running = []
  full = new Set()
  encrypting = {}
  sounding = {}
  media = new FakeMedia()
  speaking = {}
  answering = new Set(Object.keys(at) as Place[])
  for (const place of Object.keys(at) as Place[])
    stacks[place].on('invite', (invite) => {
      if (!answering.has(place)) return
      got[place] = invite.request
      if (answers[place]) return answers[place](invite)
      dialogs[place] = invite.answer(description(sdp(at[place])))
    })
  const dialplan = makeDialplan(server)
  server.on('invite', (invite) => void dialplan.take(invite))
})

/** Whether the audio of these extensions is encrypted. */
let encrypting: Partial<Record<string, SrtpMode>>
/** The codecs of these extensions. */
let speaking: Partial<Record<string, readonly string[]>>

/** What is done to the voices of these extensions. */
let sounding: Partial<Record<string, VoiceProcessing>>
let media: FakeMedia

function makeDialplan(stack: SipStack): Dialplan {
  const extensions = new Map([extension101, extension102].map((extension) => [extension.number, extension]))
  const find = (number: string): Extension | undefined => {
    const extension = extensions.get(number)
    return extension && { ...extension, srtp: encrypting[number], codecs: speaking[number], sound: sounding[number] }
  }
  const bus = new FactBus()
  bus.onAny((fact) => {
    if (fact.name === 'call.started') from = fact.from
  })
  const services: CallServices = {
    clock,
    log: silentLogger,
    stack,
    media,
    bus,
    live: new LiveCalls(),
    recorder: {
      start({ origin }) {
        recorded.push(origin)
        return { addTrack: () => {}, endTrack: () => {}, stop: async () => {} }
      },
    },
    advertisedIp: () => pbx,
    messages: () => [],
    rtpTimeoutMs: 0,
    srtp: 'accepted',
    codecs: usualRules,
  }
  const identityOf = (request: SipRequest): Identity => {
    const extension = find(request.headers.get('X-Test-Sender') ?? '')
    return extension ? { kind: 'extension', extension } : { kind: 'trunk', trunk }
  }
  return new Dialplan({
    gatekeeper: { identityOf },
    directory: { find },
    registrar: {
      targets: (number, device) => {
        devices.push(device?.instance ?? 'all')
        return [
          {
            uri: `sip:${number}@${number === '101' ? at.phone101 : at.phone102}:5060`,
            ...(proxies.length > 0 && { routes: proxies }),
          },
        ]
      },
      deviceNamed: ({ user, params }) =>
        params.get('gr') === 'urn:x' && user ? { extension: user, instance: 'urn:x' } : undefined,
    },
    get trunks() {
      return new TrunkLines([trunk], { clock, log: silentLogger, bus, ownHost: () => pbx })
    },
    toll: {
      allow: (_, ways) => ways.filter(({ number }) => !number.startsWith('+49900')),
      begin: (_, { trunk: { name } }) => (full.has(name) ? undefined : began(`out ${name}`)),
    },
    limits: {
      begin: (call) =>
        full.has('in') ? undefined : began('trunk' in call ? `in ${call.trunk.name}` : `from ${call.extension}`),
    },
    house: {
      serves: (number) => number.startsWith('*6'),
      take: (invite, number, { from: caller }) => {
        housed.push(`${caller.extension ?? 'outside'} to ${number}`)
        invite.answer(description(sdp(pbx)))
        return Promise.resolve()
      },
    },
    passHeaders: ['User-to-User', 'X-Our-*'],
    services,
  })
}

/** @param sender An extension, else the carrier. */
async function call(sender: string, number: string, headers: ExtraHeaders = {}, fromText?: string): Promise<Dialog> {
  const outcome = await placed(sender, number, headers, fromText)
  assert.ok(outcome.answered, 'the call was refused')
  return outcome.dialog
}

const placed = (sender: string, number: string, headers?: ExtraHeaders, fromText?: string) =>
  placedTo(`sip:${number}@${pbx}:5060`, sender, headers, fromText)

async function placedTo(uri: string, sender: string, headers: ExtraHeaders = {}, fromText?: string) {
  const place: Place = sender === '101' ? 'phone101' : 'carrier'
  const invite = stacks[place].invite({
    target: { uri },
    from: fromText ?? `<sip:${sender}@${at[place]}>`,
    to: `<${uri}>`,
    headers: { 'X-Test-Sender': sender, ...headers },
    ...description(sdp(at[place])),
  })
  await turn(clock, 1_000)
  return invite.outcome
}

const at102 = () => got.phone102
const fromAt = (place: Place): string => (got[place]?.headers.get('From') ?? '').replace(/;tag=.*/, '')
const header = (place: Place, name: string): string | undefined => got[place]?.headers.get(name)

test('an extension is shown to phones by the directory, whatever it writes about itself', async () => {
  await call('101', '102', { 'P-Asserted-Identity': '<sip:boss@pbx>' }, '"Boss" <sip:100@x>')
  assert.equal(fromAt('phone102'), `"Alice" <sip:101@${pbx}>`)
  assert.equal(header('phone102', 'P-Asserted-Identity'), undefined)
})

test('an extension whose audio must be encrypted is offered nothing else, and calls with nothing else', async () => {
  encrypting = { 102: 'mandatory' }
  await placed('101', '102')
  assert.match(got.phone102?.body.toString() ?? '', /^m=audio \d+ RTP\/SAVP /m)

  encrypting = { 101: 'mandatory' }
  const outcome = await placed('101', '102')
  assert.ok(!outcome.answered)
  assert.equal(outcome.response?.status, 488)
})

test('an extension with codecs of its own is offered those alone, and answered in them', async () => {
  speaking = { 102: ['PCMA'] }
  await placed('101', '102')
  assert.match(got.phone102?.body.toString() ?? '', /^m=audio \d+ RTP\/AVP 8\b(?! 0)/m)

  speaking = { 101: ['G722'] }
  const outcome = await placed('101', '102')
  assert.ok(!outcome.answered)
  assert.equal(outcome.response?.status, 488)
})

test('what is done to the voice of an extension is done on its side of the call, whoever called', async () => {
  const sound = { echo: false, denoise: true }
  for (const number of ['101', '102']) {
    sounding = { [number]: sound }
    await call('101', '102')
    const [caller, callee] = media.ports.slice(-2)
    assert.deepEqual([caller?.processed, callee?.processed], number === '101' ? [sound, undefined] : [undefined, sound])
  }
})

test('an extension that asks for privacy is anonymous to phones and known here', async () => {
  for (const [headers, written] of [
    [{ Privacy: 'id' }, undefined],
    [{}, '"Anonymous" <sip:anonymous@anonymous.invalid>'],
  ] as const) {
    await call('101', '102', headers, written)
    assert.equal(fromAt('phone102'), '"Anonymous" <sip:anonymous@anonymous.invalid>')
    assert.equal(header('phone102', 'Privacy'), 'id')
    assert.doesNotMatch(String(Array.from(at102()?.headers.entries() ?? [])), /Alice|101@/)
    assert.deepEqual([from?.extension, from?.private, from?.uri], ['101', true, `sip:101@${pbx}`])
  }
})

test('a recording names the trunk that the call came in by, and none of a call between extensions', async () => {
  await call('+4930555', '+49302')
  await call('101', '102')
  assert.deepEqual(recorded, [{ peer: trunk.name }, undefined])
})

test('a trunk is shown the number that reaches the extension', async () => {
  await call('101', '030555')
  assert.equal(fromAt('carrier'), `"Alice" <sip:+49301@${pbx}>`)
  assert.equal(got.carrier?.uri, `sip:+4930555@${at.carrier}:5060`)
})

test('an extension without a number is shown as the number of the trunk, at the domain that the carrier wants', async () => {
  trunk = { ...trunk, inbound: {}, callerNumber: '+49300', fromDomain: 'carrier.example' }
  await call('101', '030555')
  assert.equal(fromAt('carrier'), '"Alice" <sip:+49300@carrier.example>')
})

for (const [callerIdIn, name, value] of [
  ['p-asserted-identity', 'P-Asserted-Identity', `"Alice" <sip:+49301@${pbx}>`],
  ['p-preferred-identity', 'P-Preferred-Identity', `"Alice" <sip:+49301@${pbx}>`],
  ['remote-party-id', 'Remote-Party-ID', `"Alice" <sip:+49301@${pbx}>;party=calling;screen=yes;privacy=off`],
] as const)
  test(`a carrier that wants the number in ${name} gets it there, and the account in From`, async () => {
    trunk = { ...trunk, callerIdIn, credentials: { username: 'acme', password: 'x' } }
    await call('101', '030555')
    assert.equal(header('carrier', name), value)
    assert.equal(fromAt('carrier'), `<sip:acme@${pbx}>`)
  })

test('a private caller is named to a trusted trunk alone (RFC 3325 §7)', async () => {
  await call('101', '030555', { Privacy: 'id' })
  assert.equal(fromAt('carrier'), '"Anonymous" <sip:anonymous@anonymous.invalid>')
  assert.doesNotMatch(String(Array.from(got.carrier?.headers.entries() ?? [])), /Alice|49301|101@/)

  trunk = { ...trunk, trustIdentity: true }
  await call('101', '030555', { Privacy: 'id' })
  assert.equal(fromAt('carrier'), '"Anonymous" <sip:anonymous@anonymous.invalid>')
  assert.equal(header('carrier', 'P-Asserted-Identity'), `"Alice" <sip:+49301@${pbx}>`)
  assert.equal(header('carrier', 'Privacy'), 'id')
})

/** What 101 is told of who rings and answers, by 180 and 200; and what 102 would say of itself. */
async function toldOf(number: string, theirs: ExtraHeaders = {}): Promise<(string | undefined)[]> {
  const told: (string | undefined)[] = []
  const note = ({ status, headers }: SipResponse) => told.push(`${status} ${headers.get('P-Asserted-Identity')}`)
  const place: Place = number === '102' ? 'phone102' : 'carrier'
  answers[place] = (invite) => {
    invite.ring(180, { headers: theirs })
    clock.after(100, () => invite.answer({ ...description(sdp(at[place])), headers: theirs }))
  }
  const uri = `sip:${number}@${pbx}:5060`
  const { outcome } = stacks.phone101.invite({
    target: { uri },
    from: `<sip:101@${at.phone101}>`,
    to: `<${uri}>`,
    headers: { 'X-Test-Sender': '101' },
    onProvisional: note,
    ...description(sdp(at.phone101)),
  })
  await turn(clock, 1_000)
  note((await outcome).response)
  return told
}

test('a phone is told who rings and who answers (RFC 3325 §9.1), and nothing of somebody who asks for privacy', async () => {
  const bob = `"Bob" <sip:102@${pbx}>`
  assert.deepEqual(await toldOf('102'), [`180 ${bob}`, `200 ${bob}`])
  assert.deepEqual(await toldOf('102', { Privacy: 'id' }), ['180 undefined', '200 undefined'])
  assert.deepEqual(await toldOf('102', { 'P-Asserted-Identity': '"Boss" <sip:100@x>' }), [`180 ${bob}`, `200 ${bob}`])
})

test('whom a trusted trunk asserts to have answered is told to the phone; else it keeps what it dialled', async () => {
  const asserted = { 'P-Asserted-Identity': '"Eve" <tel:+44-20-7946>' }
  assert.deepEqual(await toldOf('0301', asserted), ['180 undefined', '200 undefined'])
  trunk = { ...trunk, trustIdentity: true }
  const eve = `"Eve" <sip:+44207946@${pbx}>`
  assert.deepEqual(await toldOf('0301', asserted), [`180 ${eve}`, `200 ${eve}`])
  assert.deepEqual(await toldOf('0301', { ...asserted, Privacy: 'id' }), ['180 undefined', '200 undefined'])
  assert.deepEqual(await toldOf('0301'), ['180 undefined', '200 undefined'])
})

test('a trusted trunk is told by its number who answered, and who has the call after a transfer', async () => {
  for (const trustIdentity of [false, true]) {
    trunk = { ...trunk, trustIdentity }
    const outcome = await placed('carrier', '+49302')
    assert.ok(outcome.answered)
    const told = [outcome.response.headers.get('P-Asserted-Identity')]
    outcome.dialog.on('request', (incoming) => {
      told.push(`${incoming.request.method} ${incoming.request.headers.get('P-Asserted-Identity')}`)
      incoming.respond(200)
    })
    void dialogs.phone102?.request('REFER', { headers: { 'Refer-To': `<sip:101@${pbx}>` } })
    await turn(clock, 1_000)
    assert.deepEqual(
      told,
      trustIdentity ? [`"Bob" <sip:+49302@${pbx}>`, `UPDATE "Alice" <sip:+49301@${pbx}>`] : [undefined],
    )
  }
})

test('a trunk that is not trusted is believed its From and nothing more', async () => {
  await call(
    'carrier',
    '+49302',
    { 'P-Asserted-Identity': '<tel:+44-20-7946>', Diversion: '<sip:a@b>' },
    '<sip:+1201@x>',
  )
  assert.equal(from?.uri, 'sip:+1201@x')
  assert.equal(fromAt('phone102'), `<sip:+1201@${pbx}>`)
  assert.equal(header('phone102', 'Diversion'), undefined)
})

test('a trusted trunk says who is calling: the number of a tel URI, the name beside it', async () => {
  trunk = { ...trunk, trustIdentity: true }
  await call(
    'carrier',
    '+49302',
    { 'P-Asserted-Identity': '"J\u00fcrgen, A" <sip:j@x>, <tel:+44-20-7946>' },
    '<sip:1@x>',
  )
  assert.deepEqual(from, { uri: 'tel:+44-20-7946', name: 'J\u00fcrgen, A' })
  assert.equal(fromAt('phone102'), `"J\u00fcrgen, A" <sip:+44207946@${pbx}>`)
})

test('a private caller from a trusted trunk is known here and anonymous to the phone', async () => {
  trunk = { ...trunk, trustIdentity: true }
  await call(
    'carrier',
    '+49302',
    { 'P-Asserted-Identity': '"Eve" <sip:+44207946@x>', Privacy: 'id', 'X-Our-Ticket': '7' },
    '"Anonymous" <sip:anonymous@anonymous.invalid>',
  )
  assert.deepEqual(from, { uri: 'sip:+44207946@x', name: 'Eve', private: true })
  assert.equal(fromAt('phone102'), '"Anonymous" <sip:anonymous@anonymous.invalid>')
  assert.doesNotMatch(String(Array.from(at102()?.headers.entries() ?? [])), /Eve|7946|X-Our/)
})

test('where a call has been goes on to the phone, less what is private in it', async () => {
  trunk = { ...trunk, trustIdentity: true }
  await call('carrier', '+49302', {
    Diversion: ['<sip:+4940@x>;reason=no-answer;counter=1', '<sip:+4941@x>;privacy=full'],
    'History-Info': '<sip:+4940@x>;index=1, <sip:+4941@x?Privacy=history>;index=1.1',
  })
  assert.equal(header('phone102', 'Diversion'), '<sip:+4940@x>;reason=no-answer;counter=1')
  assert.deepEqual(at102()?.headers.all('Diversion').length, 1)
  assert.deepEqual(at102()?.headers.all('History-Info'), ['<sip:+4940@x>;index=1'])
})

test('headers go on when a setting names them: of extensions by one, of trunks by another', async () => {
  const headers = { 'User-to-User': 'aa;encoding=hex', 'x-our-ticket': '7', 'X-Other': '1', 'Alert-Info': '<urn:x>' }
  await call('101', '102', headers)
  assert.equal(header('phone102', 'User-to-User'), 'aa;encoding=hex')
  assert.equal(header('phone102', 'X-Our-Ticket'), '7')
  assert.equal(header('phone102', 'X-Other'), undefined)
  assert.equal(header('phone102', 'Alert-Info'), undefined)

  await call('carrier', '+49302', headers)
  assert.equal(header('phone102', 'User-to-User'), undefined)
  trunk = { ...trunk, passHeaders: ['Alert-Info'] }
  await call('carrier', '+49302', headers)
  assert.equal(header('phone102', 'Alert-Info'), '<urn:x>')
  assert.equal(header('phone102', 'X-Our-Ticket'), undefined)
})

test('headers that are named pass up to a bound', async () => {
  await call('101', '102', { 'X-Our-A': 'a'.repeat(1_500), 'X-Our-B': 'b'.repeat(1_500) })
  assert.equal(header('phone102', 'X-Our-A')?.length, 1_500)
  assert.equal(header('phone102', 'X-Our-B'), undefined)
})

for (const trustIdentity of [false, true])
  test(`a caller whom an extension sends on to a ${trustIdentity ? 'trusted ' : ''}trunk`, async () => {
    trunk = { ...trunk, trustIdentity }
    await call('carrier', '+49302', { Diversion: '<sip:+4940@x>;counter=1' }, '"Eve" <sip:+44207946@x>')
    void dialogs.phone102?.request('REFER', { headers: { 'Refer-To': `<sip:030555@${pbx}>` } })
    await turn(clock, 1_000)
    assert.equal(got.carrier?.uri, `sip:+4930555@${at.carrier}:5060`)
    assert.equal(fromAt('carrier'), trustIdentity ? `"Eve" <sip:+44207946@${pbx}>` : `<sip:+49302@${pbx}>`)
    assert.deepEqual(
      got.carrier?.headers.all('Diversion'),
      trustIdentity
        ? [`<sip:+49302@${pbx}>;reason=unconditional;counter=1;privacy=off;screen=no`, '<sip:+4940@x>;counter=1']
        : [],
    )
  })

/** Extension 101 calls without its name, and sends who is there on. */
async function privatelySentOn(first: string, then: string): Promise<void> {
  const caller = await placed('101', first, { Privacy: 'id' })
  assert.ok(caller.answered)
  void caller.dialog.request('REFER', { headers: { 'Refer-To': `<sip:${then}@${pbx}>` } })
  await turn(clock, 1_000)
}

test('a private extension that sends a call on is named to no phone', async () => {
  await privatelySentOn('030555', '102')
  assert.equal(fromAt('phone102'), `<sip:+4930555@${pbx}>`)
  assert.doesNotMatch(String(Array.from(at102()?.headers.entries() ?? [])), /Alice|101/)
})

test('a private extension that sends a call on is named to a trusted trunk, as private', async () => {
  await privatelySentOn('102', '030555')
  assert.equal(header('carrier', 'Diversion'), undefined)
  trunk = { ...trunk, trustIdentity: true }
  await privatelySentOn('102', '030555')
  assert.equal(
    header('carrier', 'Diversion'),
    `<sip:+49301@${pbx}>;reason=unconditional;counter=1;privacy=full;screen=no`,
  )
})

test('a trunk that is shown who sent a call on is not shown a private one', async () => {
  await privatelySentOn('030555', '030666')
  assert.equal(got.carrier?.uri, `sip:+4930666@${at.carrier}:5060`)
  assert.equal(fromAt('carrier'), '"Anonymous" <sip:anonymous@anonymous.invalid>')
  assert.doesNotMatch(String(Array.from(got.carrier?.headers.entries() ?? [])), /Alice|49301/)
})

for (const [rings, number, status] of [
  ['carrier', '030555', 403],
  ['phone102', '102', 200],
] as const)
  test(`a call that rings at ${rings} ${status === 200 ? 'is picked up by' : 'does not fall to'} another extension`, async () => {
    let early: Dialog | undefined
    answers[rings] = (invite) => {
      early = invite.dialog
      invite.ring(180)
    }
    const outgoing = placed('101', number)
    await turn(clock, 500)
    const { callId, localTag, remoteTag } = early?.id ?? assert.fail('it does not ring')
    const replaces = `${callId};to-tag=${remoteTag};from-tag=${localTag}`
    const taken = await placed('102', number, { Replaces: replaces })
    assert.equal(taken.response.status, status)
    await turn(clock, 130_000, 500)
    assert.equal((await outgoing).answered, status === 200)
  })

/** Phone 102 sends its calls there. */
function forwards(to: string): void {
  stacks.phone102.on('invite', (invite) => invite.reject(302, { headers: { Contact: to } }))
  answering.delete('phone102')
}

test('a phone that forwards its calls does so by number, to where it may call itself, whatever host it names', async () => {
  forwards('<sip:0301@evil.example>')
  await call('carrier', '+49302')
  assert.match(got.carrier?.uri ?? '', /^sip:\+49301@192\.0\.2\.99:5060/)
})

test('what it may not dial is not dialled for it', async () => {
  trunk = trunkWith({ ...trunkSettings, outbound: [{ prefix: '0', strip: 1, add: '+49', from: ['101'] }] })
  forwards('<sip:0900@evil.example>')
  const outcome = await placed('carrier', '+49302')
  assert.equal(outcome.response.status, 480)
  assert.equal(got.carrier, undefined)
})

test('a number that the toll guard holds back is refused, whoever dials it: an extension, or a phone that forwards there', async () => {
  const dialled = await placed('101', '0900123')
  assert.ok(!dialled.answered && dialled.response.status === 403)
  answers.phone102 = (invite) => invite.reject(302, { headers: { Contact: '<sip:0900123@pbx>' } })
  const forwarded = await placed('101', '102')
  assert.ok(!forwarded.answered)
  assert.equal(got.carrier, undefined)
})

test('a phone that forwards its calls is named to who is rung in its place', async () => {
  answers.phone102 = (invite) => invite.reject(302, { headers: { Contact: `<sip:030555@${pbx}>` } })
  trunk = { ...trunk, trustIdentity: true }
  await call('101', '102')
  assert.equal(got.carrier?.uri, `sip:+4930555@${at.carrier}:5060`)
  assert.equal(fromAt('carrier'), `"Alice" <sip:+49301@${pbx}>`)
  assert.equal(
    header('carrier', 'Diversion'),
    `<sip:+49302@${pbx}>;reason=unconditional;counter=1;privacy=off;screen=no`,
  )
  assert.deepEqual(got.carrier?.headers.all('History-Info'), [
    `<sip:+49302@${pbx}?Reason=SIP%3Bcause%3D302>;index=1`,
    `<sip:+4930555@${at.carrier}>;index=1.1;mp=1`,
  ])
})

test('a trunk that is not trusted hears nothing of who sent the call on', async () => {
  answers.phone102 = (invite) => invite.reject(302, { headers: { Contact: `<sip:030555@${pbx}>` } })
  await call('101', '102')
  assert.deepEqual([header('carrier', 'Diversion'), header('carrier', 'History-Info')], [undefined, undefined])
})

test('a phone to which a call is transferred is told by whom', async () => {
  await call('carrier', '+49302')
  void dialogs.phone102?.request('REFER', { headers: { 'Refer-To': `<sip:101@${pbx}>` } })
  await turn(clock, 1_000)
  assert.equal(header('phone101', 'Diversion'), `<sip:102@${pbx}>;reason=unconditional;counter=1;privacy=off;screen=no`)
  assert.deepEqual(got.phone101?.headers.all('History-Info'), [
    `<sip:102@${pbx}>;index=1`,
    `<sip:101@${pbx}>;index=1.1;mp=1`,
  ])
})

test('a call to a GRUU is for that device alone, and from inside only (RFC 5627)', async () => {
  await placedTo(`sip:102@${pbx}:5060;gr=urn:x`, '101')
  await placedTo(`sip:102@${pbx}:5060;gr=urn:other`, '101')
  assert.deepEqual(devices.slice(-2), ['urn:x', 'all'])
  const outside = await placedTo(`sip:102@${pbx}:5060;gr=urn:x`, 'carrier')
  assert.equal(outside.response.status, 404)
})

test('a phone behind a proxy is called by the Path it registered (RFC 3327)', async () => {
  proxies = [`<sip:edge@${at.phone102};lr>`]
  await call('101', '102')
  assert.deepEqual(got.phone102?.headers.all('Route'), proxies)
})

test('an extension that asked for privacy is not named when it sends the call on', async () => {
  for (const level of ['none', 'id']) {
    const dialog = await call('101', '102', { Privacy: level })
    void dialog.request('REFER', { headers: { 'Refer-To': `<sip:030555@${pbx}>` } })
    await turn(clock, 1_000)
    assert.equal(header('carrier', 'Referred-By'), level === 'id' ? undefined : `"Alice" <sip:101@${pbx}>`)
  }
})

test('a call is counted while its dialogs live: of who calls, and of the trunk that carries it, in both directions', async () => {
  const out = await call('101', '030555')
  assert.deepEqual(running, ['from 101', 'out carrier'])
  void out.bye()
  await turn(clock, 1_000)
  const incoming = await call('carrier', '+49302')
  assert.deepEqual(running, ['in carrier'])
  void incoming.bye()
  await turn(clock, 1_000)
  answers.phone102 = (invite) => invite.reject(486)
  await placed('carrier', '+49302')
  await placed('101', '999')
  await turn(clock, 1_000)
  assert.deepEqual(running, [])
})

test('a call that its caller gives up, or that nobody takes, is counted no longer', async () => {
  answers.carrier = (invite) => invite.ring(180)
  const uri = `sip:030555@${pbx}:5060`
  const invite = stacks.phone101.invite({
    target: { uri },
    from: '<sip:101@x>',
    to: `<${uri}>`,
    headers: { 'X-Test-Sender': '101' },
    ...description(sdp(at.phone101)),
  })
  await turn(clock, 1_000)
  assert.deepEqual(running, ['from 101', 'out carrier'])
  invite.cancel()
  await turn(clock, 1_000)
  assert.deepEqual(running, [])
})

test('one call too many hears busy, and a trunk that filled up meanwhile is not asked', async () => {
  full.add('in')
  for (const [sender, number] of [
    ['101', '102'],
    ['carrier', '+49302'],
  ] as const)
    assert.equal((await placed(sender, number)).response.status, 486)
  assert.equal(got.phone102, undefined)
  full = new Set(['carrier'])
  assert.equal((await placed('101', '030555')).response.status, 403)
  assert.equal(got.carrier, undefined)
  assert.deepEqual(running, [])
})

test('a call that an extension sends on to a trunk counts for both until it is over, though the extension is gone', async () => {
  const caller = await call('carrier', '+49302')
  void dialogs.phone102?.request('REFER', { headers: { 'Refer-To': `<sip:030555@${pbx}>` } })
  await turn(clock, 1_000)
  void dialogs.phone102?.bye()
  await turn(clock, 1_000)
  assert.deepEqual(running, ['in carrier', 'out carrier'])
  void caller.bye()
  await turn(clock, 1_000)
  assert.deepEqual(running, [])
})

test('a number that the server answers itself is for extensions, and for a carrier where a rule of its trunk says so', async () => {
  await call('101', '*61')
  await call('+49891234', '+49303')
  assert.deepEqual(housed, ['101 to *61', 'outside to *61'])
  assert.equal((await placed('+49891234', '*61')).answered, false)
})
