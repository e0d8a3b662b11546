import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import { silentLogger } from '../../core/logger.ts'
import { parseNetworks } from '../../core/networks.ts'
import type { Flow } from '../../sip/stack.types.ts'
import type { Guest } from '../session/types.ts'
import { FakeInvite, flow, readRequest } from '../test-support.ts'
import type { PeerError, SiprecPeer } from './peer.ts'
import { PeerBook } from './peer-book.ts'
import { recordingClients, SiprecReception } from './reception.ts'

const base = { enabled: true, origin: 'file', tags: [], createdAtMs: 0 } as const
const listed: readonly SiprecPeer[] = [
  { ...base, id: 'lenient', name: 'broadworks', sources: ['192.0.2.1'], dialect: 'lenient', tags: ['sales'] },
  { ...base, id: 'ordered', name: 'sbc', sources: ['192.0.2.64/28'], dialect: 'rfc', contact: 'sip:sbc.example.com' },
  { ...base, id: 'network', name: 'cube', sources: ['192.0.2.2'], dialect: 'network' },
  { ...base, id: 'off', name: 'old', sources: ['192.0.2.3'], dialect: 'lenient', enabled: false },
]

let book: PeerBook
let reception: SiprecReception
let guests: Guest[]
beforeEach(async () => {
  guests = []
  book = await PeerBook.open({
    clock: new FakeClock(),
    store: { all: () => Promise.resolve([]), add: never, change: never, remove: never },
    listed,
    admitted: parseNetworks(['10.0.0.0/8']),
    unnamed: { dialect: 'rfc', tags: [] },
  })
  reception = new SiprecReception({
    book,
    server: {
      handle: (_, guest) => void (guest && guests.push(guest)),
      order: (contact) => Promise.resolve({ callId: contact, status: 200 }),
    },
    senderOf: (_, from) => ({ flow: from, device: from.remote }),
    log: silentLogger,
  })
})
const never = () => Promise.reject(new Error('not asked for'))

const from = (ip: string): Flow => ({ ...flow, remote: { ip, port: 5060 } })
const head =
  'Via: SIP/2.0/TCP x;branch=z9hG4bK1\r\nFrom: <sip:a@x>;tag=1\r\nTo: <sip:r@x>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n'
const sdp = 'Content-Type: application/sdp\r\nContent-Length: 5\r\n\r\nv=0\r\n'
const invite = (headers: string, ip: string) =>
  new FakeInvite(readRequest(Buffer.from(`INVITE sip:r@x SIP/2.0\r\n${head}${headers}\r\n${sdp}`)), from(ip))

const conforming = 'Require: siprec\r\nContact: <sip:a@x>;+sip.src'
const contactOnly = 'Contact: <sip:a@x>;src'
const plain = 'Contact: <sip:a@x>'

test('who is named begins on its own terms, who only comes from an admitted network on those of the RFC', () => {
  reception.invite(invite(contactOnly, '192.0.2.1'))
  reception.invite(invite(conforming, '10.0.0.1'))
  assert.deepEqual(
    guests.map(({ terms }) => [terms.name, terms.dialect, terms.tags]),
    [
      ['broadworks', 'lenient', ['sales']],
      [undefined, 'rfc', []],
    ],
  )
  assert.equal(book.stateOf(book.get('lenient')).sessionsNow, 1)
  guests[0]?.over()
  assert.equal(book.stateOf(book.get('lenient')).sessionsNow, 0)
})

test('an unknown source that does not conform is refused with 403 and told what is missing', async () => {
  const refused = invite(contactOnly, '10.0.0.1')
  reception.invite(refused)
  const { status, answer } = await refused.final
  assert.equal(status, 403)
  assert.match(String(answer.headers?.['Warning']), /^399 patchbay ".*Require: siprec.*\+sip\.src.*"$/)
  assert.equal(book.stateOf(undefined).lastError?.code, 'siprec.not-conforming')
  assert.equal(guests.length, 0)
})

test('a peer that is off is refused with 403, whatever it sends', async () => {
  const refused = invite(conforming, '192.0.2.3')
  reception.invite(refused)
  assert.equal((await refused.final).status, 403)
  assert.equal(book.stateOf(book.get('off')).lastError?.code, 'siprec.peer-off')
})

test('a plain call is let in from a peer all of whose calls are recorded, and from nobody else', () => {
  const clients = recordingClients(book)
  const admits = (headers: string, ip: string) =>
    clients.admits(invite(headers, ip).request, { flow: from(ip), device: { ip } })
  assert.equal(admits(plain, '192.0.2.2'), true)
  assert.equal(admits(plain, '192.0.2.1'), false)
  assert.equal(admits(plain, '10.0.0.1'), false)
  assert.equal(admits(conforming, '10.0.0.1'), true)
  assert.equal(admits(conforming, '203.0.113.1'), false)
})

test('OPTIONS of a recording client is noted as its life sign', () => {
  reception.pinged(invite(plain, '192.0.2.1').request, from('192.0.2.1'))
  assert.equal(book.stateOf(book.get('lenient')).lastSource, '192.0.2.1')
})

test('an order goes to the peer: to the host of its contact or an address of its sources, and nowhere else', async () => {
  const refusal = (id: string, contact?: string): string | undefined => {
    try {
      void reception.order(id, contact)
      return undefined
    } catch (error) {
      return (error as PeerError).code
    }
  }
  assert.equal((await reception.order('ordered')).callId, 'sip:sbc.example.com')
  for (const contact of ['sip:9@SBC.example.com:5070', 'sip:9@192.0.2.70;transport=tcp'])
    assert.equal((await reception.order('ordered', contact)).callId, contact)
  for (const contact of [
    'sip:127.0.0.1:6379;transport=tcp',
    'sip:192.0.2.80',
    'sip:sbc.example.com@203.0.113.1',
    'sip:sbc.example.com;maddr=127.0.0.1',
    'sip:[::1]',
    'sip:sbc.example.com.evil.example',
  ])
    assert.equal(refusal('ordered', contact), 'siprec-peer.foreign-contact', contact)
  assert.equal(refusal('off', 'sip:192.0.2.3'), 'siprec-peer.off')
  assert.equal(refusal('lenient'), 'siprec-peer.no-contact')
})
