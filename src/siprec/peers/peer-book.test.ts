import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import { parseNetworks } from '../../core/networks.ts'
import { digestHashes } from '../../sip/auth/digest.ts'
import type { PeerStore, SiprecPeer } from './peer.ts'
import { PeerBook } from './peer-book.ts'

const hashes = digestHashes('sbc', 'patchbay', 'recorders-only')
const peer = (name: string, more: Partial<SiprecPeer> = {}): SiprecPeer => ({
  id: `id-${name}`,
  name,
  enabled: true,
  origin: 'api',
  sources: [],
  dialect: 'lenient',
  tags: [],
  createdAtMs: 1,
  ...more,
})

const kept = new Map<string, SiprecPeer>()
const store: PeerStore = {
  all: () => Promise.resolve([...kept.values()]),
  add: (one) => Promise.resolve(void kept.set(one.id, one)),
  change: (one) => Promise.resolve(void kept.set(one.id, one)),
  remove: (id) => Promise.resolve(void kept.delete(id)),
}
const clock = new FakeClock()
const listed = [peer('from-file', { origin: 'file', sources: ['198.51.100.0/24'] })]
const openBook = (): Promise<PeerBook> =>
  PeerBook.open({
    clock,
    store,
    listed,
    admitted: parseNetworks(['10.0.0.0/8']),
    unnamed: { dialect: 'rfc', tags: [] },
  })

let book: PeerBook
beforeEach(async () => {
  kept.clear()
  book = await openBook()
})

const nameOf = (ip: string, more: Partial<Parameters<PeerBook['find']>[0]> = {}): string | undefined => {
  const whose = book.find({ ip, ...more })
  return typeof whose === 'object' ? whose.name : whose
}

test('a peer is known by its certificate, else by the name it proved, else by the smallest network that holds it', async () => {
  await book.add(peer('wide', { sources: ['192.0.2.0/24', '2001:db8::/32'] }))
  await book.add(peer('narrow', { sources: ['192.0.2.64/26', '192.0.2.7'] }))
  await book.add(peer('proven', { username: 'sbc', hashes }))
  await book.add(peer('certified', { certificate: 'SBC.example.com' }))
  await book.add(peer('pinned', { certificate: 'AB:'.repeat(31) + 'AB' }))
  assert.equal(nameOf('192.0.2.1'), 'wide')
  assert.equal(nameOf('192.0.2.65'), 'narrow')
  assert.equal(nameOf('::ffff:192.0.2.7'), 'narrow')
  assert.equal(nameOf('2001:db8::9'), 'wide')
  assert.equal(nameOf('192.0.2.65', { username: 'sbc' }), 'proven')
  const certificate = { names: ['sbc.example.com'], sha256: '00' }
  assert.equal(nameOf('192.0.2.65', { username: 'sbc', certificate }), 'certified')
  assert.equal(nameOf('203.0.113.1', { certificate: { names: [], sha256: 'ab'.repeat(32) } }), 'pinned')
})

test('an address that the source list admits and no peer names is held to the RFC; any other is a stranger', () => {
  assert.equal(nameOf('10.1.2.3'), 'unnamed')
  assert.equal(book.termsOf(book.find({ ip: '10.1.2.3' })).dialect, 'rfc')
  assert.equal(nameOf('203.0.113.1'), undefined)
})

test('peers are kept over a restart, those of the file first; what stands in the file is changed there alone', async () => {
  await book.add(peer('mine', { sources: ['192.0.2.1'] }))
  await book.change('id-mine', { tags: ['sales'] })
  book = await openBook()
  assert.deepEqual(
    book.list().map(({ name, tags }) => [name, tags]),
    [
      ['from-file', []],
      ['mine', ['sales']],
    ],
  )
  await assert.rejects(book.change('id-from-file', { enabled: false }), { code: 'siprec-peer.from-file' })
  await assert.rejects(book.remove('id-nobody'), { code: 'siprec-peer.not-found' })
  await book.remove('id-mine')
  assert.equal(nameOf('192.0.2.1'), undefined)
})

test('a name that is taken, and a peer that nothing can be known by, are refused and change nothing', async () => {
  await book.add(peer('one', { username: 'sbc', hashes }))
  await assert.rejects(book.add(peer('one', { id: 'other', sources: ['192.0.2.1'] })), { code: 'siprec-peer.exists' })
  await assert.rejects(book.add(peer('two', { username: 'sbc', hashes })), { code: 'siprec-peer.exists' })
  await assert.rejects(book.add(peer('three')), { code: 'siprec-peer.unknowable' })
  await assert.rejects(book.change('id-one', { username: undefined }), { code: 'siprec-peer.unknowable' })
  assert.equal(kept.size, 1)
})

test('a peer that is off keeps its name and loses its password and its trust', async () => {
  await book.add(peer('one', { username: 'sbc', hashes, sources: ['192.0.2.1'] }))
  assert.deepEqual(book.hashesOf('sbc'), hashes)
  assert.equal(book.isPeers('192.0.2.1'), true)
  await book.change('id-one', { enabled: false })
  assert.equal(book.hashesOf('sbc'), undefined)
  assert.equal(book.isPeers('192.0.2.1'), false)
  assert.equal(nameOf('192.0.2.1'), 'one')
})

test('how a peer fares is counted: sessions, its last error, its last life sign', async () => {
  await book.add(peer('one', { sources: ['192.0.2.1'] }))
  const whose = book.find({ ip: '192.0.2.1' })
  const over = book.began(whose, '192.0.2.1')
  book.began(whose, '192.0.2.1')
  clock.advance(1_000)
  book.pinged(whose, '192.0.2.1')
  book.failed(whose, '192.0.2.1', 'siprec.no-audio', 'No stream')
  over()
  over()
  const wallMs = clock.wallMs()
  assert.deepEqual(book.stateOf(book.get('id-one')), {
    sessionsNow: 1,
    sessions: 2,
    lastSessionAtMs: wallMs - 1_000,
    lastSource: '192.0.2.1',
    lastPingAtMs: wallMs,
    lastError: { atMs: wallMs, code: 'siprec.no-audio', text: 'No stream' },
  })
  assert.deepEqual(book.stateOf(undefined), { sessionsNow: 0, sessions: 0 })
})
