import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { FactBus } from '../events/bus.ts'
import { parseNameAddr } from '../sip/message/name-addr.ts'
import { parseUri } from '../sip/message/uri.ts'
import { Registrar } from './registrar.ts'
import type { KeptBinding } from './registration-store.ts'
import { type Answered, extension101, incoming, requestWith, udpFlow } from './test-support.ts'

let clock: FakeClock
let registrar: Registrar
let facts: string[]
/** What would be in the database. */
let kept: Map<string, KeptBinding>

beforeEach(() => {
  clock = new FakeClock()
  facts = []
  const bus = new FactBus()
  bus.onAny((fact) => facts.push(fact.name === 'registration.removed' ? `${fact.name}:${fact.reason}` : fact.name))
  kept = new Map()
  registrar = newRegistrar(bus)
})

const newRegistrar = (bus: FactBus): Registrar =>
  new Registrar({
    clock,
    bus,
    minExpiresMs: 60_000,
    maxExpiresMs: 3_600_000,
    store: { save: (binding) => kept.set(binding.id, binding), remove: (id) => kept.delete(id) },
  })

let cseq = 0
function register(headers: Readonly<Record<string, string>>, flow = udpFlow()): Answered {
  cseq += 1
  const request = incoming(requestWith('REGISTER', 'sip:patchbay', { CSeq: `${cseq} REGISTER`, ...headers }), flow)
  registrar.register(request, extension101)
  return request
}

const contact = (host: string): string => `<sip:101@${host}:5060>`
const contactsIn = (answered: Answered): unknown => answered.answers[0]?.answer.headers?.['Contact']

test('a binding is answered with the seconds it lives and is reached by the flow it came on (RFC 3261 §10.3)', () => {
  const flow = udpFlow('198.51.100.7', 40_000)
  const answered = register({ Contact: `${contact('10.0.0.5')};expires=600` }, flow)
  assert.equal(answered.answers[0]?.status, 200)
  assert.deepEqual(contactsIn(answered), ['<sip:101@10.0.0.5:5060>;expires=600'])
  assert.deepEqual(registrar.targets('101'), [{ uri: 'sip:101@10.0.0.5:5060', flow }])
  assert.deepEqual(facts, ['registration.added'])
})

test('that a connection is gone is told soon, though nobody registers again', () => {
  const flow = { ...udpFlow('198.51.100.7', 40_000), transport: 'tcp' as const, reliable: true, open: true }
  register({ Contact: contact('192.0.2.1'), Expires: '600' }, flow)
  register({ Contact: contact('192.0.2.2'), Expires: '600' })
  clock.advance(30_000)
  assert.equal(facts.length, 2)
  flow.open = false
  clock.advance(5_000)
  assert.deepEqual(facts.slice(2), ['registration.removed:disconnected'])
  assert.equal(registrar.count(), 1)
  clock.advance(600_000)
  assert.equal(clock.pendingTimers, 0)
})

test('where a device came from is shown with IPv6 in brackets', () => {
  register({ Contact: contact('192.0.2.1'), Expires: '600' }, udpFlow('2001:db8::9', 40_000))
  assert.equal(registrar.of('101')[0]?.source, '[2001:db8::9]:40000')
})

test('a refresh replaces the binding it names, by URI comparison and not by text', () => {
  register({ Contact: '<sip:101@Phone.Example:5060>', Expires: '600' })
  register({ Contact: '<sip:101@phone.example:5060>', Expires: '600' })
  assert.equal(registrar.count(), 1)
  assert.deepEqual(facts, ['registration.added', 'registration.refreshed'])
})

test('several devices are bound; one too many replaces the oldest', () => {
  for (const host of ['192.0.2.1', '192.0.2.2', '192.0.2.3']) register({ Contact: contact(host), Expires: '600' })
  assert.deepEqual(
    registrar.of('101').map(({ contact }) => contact),
    ['sip:101@192.0.2.3:5060', 'sip:101@192.0.2.2:5060'],
  )
  assert.ok(facts.includes('registration.removed:replaced'))
})

test('a binding that is not refreshed ends on time and leaves no timer', () => {
  register({ Contact: contact('192.0.2.1'), Expires: '60' })
  clock.advance(59_999)
  assert.equal(registrar.count(), 1)
  clock.advance(1)
  assert.equal(registrar.count(), 0)
  assert.ok(facts.includes('registration.removed:expired'))
  assert.equal(clock.pendingTimers, 0)
})

test('a shorter life than allowed is answered 423 with Min-Expires (RFC 3261 §10.3 step 7)', () => {
  const answered = register({ Contact: contact('192.0.2.1'), Expires: '10' })
  assert.equal(answered.answers[0]?.status, 423)
  assert.equal(answered.answers[0]?.answer.headers?.['Min-Expires'], '60')
  assert.equal(registrar.count(), 0)
})

test('a longer life than allowed is shortened', () => {
  assert.deepEqual(contactsIn(register({ Contact: contact('192.0.2.1'), Expires: '99999999' })), [
    '<sip:101@192.0.2.1:5060>;expires=3600',
  ])
})

test('Contact * with Expires 0 removes all bindings; with another Expires it is refused (RFC 3261 §10.2.2)', () => {
  register({ Contact: contact('192.0.2.1'), Expires: '600' })
  register({ Contact: contact('192.0.2.2'), Expires: '600' })
  assert.equal(register({ Contact: '*', Expires: '60' }).answers[0]?.status, 400)
  assert.equal(registrar.count(), 2)
  assert.equal(register({ Contact: '*', Expires: '0' }).answers[0]?.status, 200)
  assert.equal(registrar.count(), 0)
})

test('a REGISTER without Contact asks for the bindings', () => {
  register({ Contact: contact('192.0.2.1'), Expires: '600' })
  clock.advance(100_000)
  assert.deepEqual(contactsIn(register({})), ['<sip:101@192.0.2.1:5060>;expires=500'])
})

test('expires=0 removes one binding', () => {
  register({ Contact: contact('192.0.2.1'), Expires: '600' })
  register({ Contact: contact('192.0.2.2'), Expires: '600' })
  register({ Contact: `${contact('192.0.2.1')};expires=0` })
  assert.deepEqual(
    registrar.of('101').map(({ contact }) => contact),
    ['sip:101@192.0.2.2:5060'],
  )
})

test('an older request that comes late does not undo a newer one (RFC 3261 §10.3 step 7)', () => {
  register({ Contact: contact('192.0.2.1'), Expires: '600', CSeq: '5 REGISTER' })
  const late = register({ Contact: `${contact('192.0.2.1')};expires=0`, CSeq: '4 REGISTER' })
  assert.equal(late.answers[0]?.status, 500)
  assert.equal(registrar.count(), 1)
})

test('an extension cannot register another one', () => {
  const answered = register({ To: '<sip:102@patchbay>', Contact: contact('192.0.2.1') })
  assert.equal(answered.answers[0]?.status, 403)
  assert.equal(registrar.count(), 0)
})

test('a device whose connection is closed is not rung', () => {
  register({ Contact: contact('192.0.2.1'), Expires: '600' }, { ...udpFlow(), transport: 'tcp', open: false })
  assert.deepEqual(registrar.targets('101'), [])
})

const contactsOf101 = (): readonly string[] => registrar.of('101').map(({ contact }) => contact)

test('a connection that closed makes room: its binding neither counts nor pushes out a phone that can be rung', () => {
  register({ Contact: contact('192.0.2.1'), Expires: '600' })
  for (const port of [40_001, 40_002, 40_003]) {
    const gone = { ...udpFlow('192.0.2.2', port), transport: 'tcp' as const, open: true }
    register({ Contact: `<sip:101@192.0.2.2:${port};transport=tcp>`, Expires: '600' }, gone)
    gone.open = false
  }
  assert.deepEqual(contactsOf101(), ['sip:101@192.0.2.1:5060'])
  assert.equal(registrar.count(), 1)
  register({})
  assert.equal(facts.filter((fact) => fact === 'registration.removed:disconnected').length, 3)
  assert.ok(!facts.includes('registration.removed:replaced'))
})

test('two homes with the same private address are two phones', () => {
  const home = udpFlow('198.51.100.1', 40_000)
  const cottage = udpFlow('203.0.113.1', 50_000)
  register({ Contact: contact('192.168.1.20'), Expires: '600', 'Call-ID': 'home' }, home)
  register({ Contact: contact('192.168.1.20'), Expires: '600', 'Call-ID': 'cottage' }, cottage)
  assert.deepEqual(
    registrar.targets('101').map(({ flow }) => flow?.remote.ip),
    ['203.0.113.1', '198.51.100.1'],
  )
  register({ Contact: `${contact('192.168.1.20')};expires=0`, 'Call-ID': 'home' }, home)
  assert.deepEqual(
    registrar.targets('101').map(({ flow }) => flow?.remote.ip),
    ['203.0.113.1'],
  )
})

test('a phone whose NAT or provider gave it another address moves, it is not doubled', () => {
  register({ Contact: contact('192.168.1.20'), Expires: '600' }, udpFlow('198.51.100.1', 40_000))
  register({ Contact: contact('192.168.1.20'), Expires: '600' }, udpFlow('198.51.100.1', 40_777))
  register({ Contact: contact('192.168.1.20'), Expires: '600' }, udpFlow('198.51.100.99', 41_000))
  assert.deepEqual(
    registrar.targets('101').map(({ flow }) => `${flow?.remote.ip}:${flow?.remote.port}`),
    ['198.51.100.99:41000'],
  )
})

const instance = ';+sip.instance="<urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6>"'

test('a phone that says who it is replaces itself when it comes back with another port (RFC 5626 §4.1)', () => {
  register({ Contact: `<sip:101@192.0.2.2:40001;transport=tcp>${instance}`, Expires: '600', 'Call-ID': 'before' })
  register({ Contact: `<sip:101@192.0.2.2:40002;transport=tcp>${instance}`, Expires: '600', 'Call-ID': 'after' })
  assert.deepEqual(contactsOf101(), ['sip:101@192.0.2.2:40002;transport=tcp'])
})

test('one phone may be bound by two contacts, or by two flows it numbers (RFC 5626 §4.2)', () => {
  const both = `<sip:101@192.0.2.2:1>${instance}, <sip:101@192.0.2.2:2>${instance}`
  for (const _ of [1, 2]) register({ Contact: both, Expires: '600' })
  assert.deepEqual(contactsOf101(), ['sip:101@192.0.2.2:2', 'sip:101@192.0.2.2:1'])
  register({ Contact: '*', Expires: '0' })
  for (const flow of [1, 2])
    register({ Contact: `<sip:101@192.0.2.2:${flow}>${instance};reg-id=${flow}`, Expires: '600' })
  assert.equal(registrar.count(), 2)
})

test('a late copy undoes nothing, whichever of its contacts is newer', () => {
  register({ Contact: contact('192.0.2.2'), Expires: '600', CSeq: '9 REGISTER' })
  const late = register({
    Contact: `${contact('192.0.2.1')}, ${contact('192.0.2.2')}`,
    Expires: '600',
    CSeq: '8 REGISTER',
  })
  assert.equal(late.answers[0]?.status, 500)
  assert.deepEqual(contactsOf101(), ['sip:101@192.0.2.2:5060'])
})

test('the source of an IPv6 phone is told with brackets', () => {
  register({ Contact: '<sip:101@[2001:db8::2]>', Expires: '600' }, udpFlow('2001:db8::2', 5060))
  assert.equal(registrar.of('101')[0]?.source, '[2001:db8::2]:5060')
})

test('dropping an extension forgets its devices', () => {
  register({ Contact: contact('192.0.2.1'), Expires: '600' })
  registrar.drop('101')
  assert.equal(registrar.count(), 0)
  assert.equal(clock.pendingTimers, 0)
})

const path = ['<sip:p1.example;lr>', '<sip:edge.example;lr;ob>']

test('proxies that a REGISTER passed are passed again by calls, and told to who knows Path (RFC 3327 §5.3)', () => {
  const flow = udpFlow('198.51.100.7')
  const answered = register({ Contact: contact('10.0.0.5'), Path: path.join(', '), Supported: 'path' }, flow)
  assert.deepEqual(answered.answers[0]?.answer.headers?.['Path'], path)
  assert.deepEqual(registrar.targets('101'), [{ uri: 'sip:101@10.0.0.5:5060', flow, routes: path }])
})

test('a Path that the phone does not know of is used as well, and not told', () => {
  const taken = register({ Contact: contact('10.0.0.5'), Path: path.join(', ') })
  assert.equal(taken.answers[0]?.status, 200)
  assert.equal(taken.answers[0]?.answer.headers?.['Path'], undefined)
  assert.deepEqual(registrar.targets('101')[0]?.routes, path)
})

test('a Path that cannot be read, or has no end, is refused', () => {
  for (const bad of ['not an address', Array(9).fill('<sip:p;lr>').join(), `<sip:${'x'.repeat(600)}@p;lr>`])
    assert.equal(register({ Contact: contact('1.2.3.4'), Path: bad, Supported: 'path' }).answers[0]?.status, 400)
})

const numbered = (flow: number): string => `<sip:101@192.0.2.2:${flow}>${instance};reg-id=${flow};expires=600`

test('a flow that is kept is promised, with how often to ping it (RFC 5626 §6)', () => {
  const answered = register({ Contact: numbered(1), Supported: 'path, outbound' })
  const headers = answered.answers[0]?.answer.headers
  assert.equal(headers?.['Require'], 'outbound')
  assert.equal(headers['Flow-Timer'], '25')
  assert.deepEqual(contactsIn(answered), [`<sip:101@192.0.2.2:1>;expires=600${instance};reg-id=1`])
  assert.equal(register({ Contact: numbered(1) }).answers[0]?.answer.headers?.['Require'], undefined)
})

test('through a proxy the flow is promised only if the one next to the phone said so; else 439', () => {
  const twoHops = 'SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa, SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKb'
  const via = { Via: twoHops, Contact: numbered(1), Supported: 'path, outbound' }
  const kept = register({ ...via, Path: path.join(', ') })
  assert.equal(kept.answers[0]?.answer.headers?.['Require'], 'outbound')
  assert.equal(kept.answers[0]?.answer.headers?.['Flow-Timer'], undefined)
  for (const other of ['<sip:edge.example;lr>', '<sip:edge.example;lr;ob>, <sip:other.example;lr>'])
    assert.equal(register({ ...via, Path: other }).answers[0]?.status, 439)
})

test('of several flows of one phone the newest is rung (RFC 5626 §5.3)', () => {
  register({ Contact: numbered(1), Supported: 'outbound' })
  register({ Contact: numbered(2), Supported: 'outbound' })
  assert.equal(registrar.count(), 2)
  assert.deepEqual(
    registrar.targets('101').map(({ uri }) => uri),
    ['sip:101@192.0.2.2:2'],
  )
})

/** Where a call to that URI goes; undefined when it is no GRUU of ours. */
const reached = (gruu: string | null | undefined) => {
  const uri = parseUri(gruu ?? '')
  const device = uri && registrar.deviceNamed(uri)
  return device && registrar.targets(device.extension, device).map((target) => target.uri)
}

test('a phone that knows GRUUs gets two; each leads to it alone, the temporary one while it is registered so', () => {
  const other = '<sip:101@192.0.2.3>;+sip.instance="<urn:uuid:other>"'
  register({ Contact: other, Expires: '600', 'Call-ID': 'other' })
  const headers = { Contact: `<sip:101@192.0.2.2>${instance}`, Expires: '600', Supported: 'gruu' }
  const [own = ''] = contactsIn(register(headers)) as string[]
  const params = parseNameAddr(own)?.params
  assert.equal(params?.get('pub-gruu'), 'sip:101@patchbay;gr=urn:uuid:f81d4fae-7dec-11d0-a765-00a0c91e6bf6')
  assert.deepEqual(reached(params.get('pub-gruu')), ['sip:101@192.0.2.2'])
  const hidden = params.get('temp-gruu')
  assert.match(hidden ?? '', /^sip:tgruu\.[\w-]+@patchbay;gr$/)
  assert.ok(!hidden?.includes('101@'))
  assert.deepEqual(reached(hidden), ['sip:101@192.0.2.2'])
  register({ ...headers, 'Call-ID': 'after a restart' })
  assert.deepEqual(reached(hidden), [])
  assert.deepEqual(reached(params.get('pub-gruu')), ['sip:101@192.0.2.2'])
  assert.equal(reached('sip:tgruu.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA@patchbay;gr'), undefined)
  assert.equal(reached('sip:101@patchbay'), undefined)
})

test('who does not know GRUUs gets none, nor who is behind a proxy', () => {
  const behind = { Contact: `<sip:101@192.0.2.2>${instance}`, Expires: '600', Supported: 'gruu, path' }
  const proxies: readonly Readonly<Record<string, string>>[] = [
    { Path: '<sip:edge;lr>' },
    { Via: 'SIP/2.0/UDP a;branch=z9hG4bKa, SIP/2.0/UDP b;branch=z9hG4bKb' },
  ]
  for (const proxy of proxies) assert.doesNotMatch(String(contactsIn(register({ ...behind, ...proxy }))), /gruu/)
  assert.deepEqual(contactsIn(register({ Contact: `<sip:101@192.0.2.2>${instance}`, Expires: '600' })), [
    `<sip:101@192.0.2.2>;expires=600${instance}`,
  ])
})

test('devices are ordered by the preference they name (q, RFC 3261 §10.2.1.2)', () => {
  register({ Contact: `${contact('192.0.2.1')};q=0.5`, Expires: '600' })
  register({ Contact: contact('192.0.2.2'), Expires: '600' })
  assert.deepEqual(
    registrar.targets('101').map(({ uri, order }) => [uri, order]),
    [
      ['sip:101@192.0.2.2:5060', 0],
      ['sip:101@192.0.2.1:5060', 1],
    ],
  )
})

const directory = { find: (number: string) => (number === '101' ? extension101 : undefined) }

test('bindings by datagrams are there after a restart, refreshed by the phone as if nothing had been', () => {
  const flow = udpFlow('198.51.100.7', 40_000)
  register({ Contact: `${contact('10.0.0.5')};q=0.7`, Expires: '600', Path: path.join(), Supported: 'path' }, flow)
  register({ Contact: contact('10.0.0.6'), Expires: '600' }, { ...udpFlow(), transport: 'tcp' })
  assert.equal(kept.size, 1)
  clock.advance(100_000)
  registrar.close()
  registrar = newRegistrar(new FactBus())
  registrar.restore([...kept.values()], directory)
  const [target] = registrar.targets('101')
  assert.deepEqual(target?.routes, path)
  assert.deepEqual([target.flow?.remote, target.flow?.local], [flow.remote, flow.local])
  assert.deepEqual(contactsIn(register({})), ['<sip:101@10.0.0.5:5060>;expires=500'])
  register({ Contact: `${contact('10.0.0.5')};expires=600` }, flow)
  assert.equal(registrar.count(), 1)
  assert.equal(kept.size, 1)
  clock.advance(600_000)
  assert.equal(kept.size, 0)
})

test('what expired meanwhile, or was proven by another password, does not come back', () => {
  register({ Contact: contact('10.0.0.5'), Expires: '600' })
  registrar.close()
  const before = [...kept.values()]
  const hashes = { ...extension101.hashes, sha256: 'other' }
  for (const [find, afterMs] of [
    [() => ({ ...extension101, hashes }), 0],
    [() => undefined, 0],
    [directory.find, 700_000],
  ] as const) {
    clock.advance(afterMs)
    kept = new Map(before.map((binding) => [binding.id, binding]))
    registrar = newRegistrar(new FactBus())
    registrar.restore(before, { find })
    assert.deepEqual([registrar.count(), kept.size], [0, 0])
  }
})
