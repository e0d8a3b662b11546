import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { CallQuery, Page } from '../call/history.ts'
import { bob, ended, type Kept, keepFacts, legStarted, message, started, stored } from './test-support.ts'

const ids = (page: Page<{ readonly id: string }>): string[] => page.items.map(({ id }) => id)

async function three(t: TestContext): Promise<Kept> {
  const kept = await keepFacts(t)
  const { bus } = kept
  bus.publish(started('a', 1_000))
  bus.publish(legStarted('a', 'leg-a'))
  bus.publish(ended('a', 1_500))
  bus.publish(stored('a', 'ra'))
  bus.publish({ ...started('b', 2_000), kind: 'siprec', from: { uri: 'sip:carol@example.com' } })
  bus.publish({ ...ended('b', 2_500), reason: 'busy' })
  bus.publish({ ...started('c', 3_000), from: bob })
  return kept
}

for (const [what, query, expected] of [
  ['everything, newest first', {}, ['c', 'b', 'a']],
  ['one kind', { kind: 'siprec' }, ['b']],
  ['one reason', { endReason: 'busy' }, ['b']],
  ['recorded ones', { recorded: true }, ['a']],
  ['those not recorded', { recorded: false }, ['c', 'b']],
  ['since a time, that time included', { fromMs: 2_000 }, ['c', 'b']],
  ['until a time, that time excluded', { untilMs: 2_000 }, ['a']],
  ['part of an address', { search: 'carol@' }, ['b']],
  ['a name in other case, beyond ASCII', { search: 'ÄRMEL' }, ['a']],
  ['a percent sign, which is no wildcard', { search: '100%' }, ['c', 'b', 'a']],
  ['a percent sign that nothing holds', { search: '1%2' }, []],
  ['an underscore, which is no wildcard', { search: '_01' }, []],
  ['an extension', { search: '101', untilMs: 1_001 }, ['a']],
  ['a SIP Call-ID of a leg', { search: 'leg-A@phone' }, ['a']],
  ['quotes, which stay text', { search: "'; drop table calls; --" }, []],
  ['several filters at once', { kind: 'pbx', recorded: true, search: 'alice' }, ['a']],
] as const) {
  test(`calls can be asked for by ${what}`, async (t) => {
    const { database } = await three(t)
    assert.deepEqual(ids(await database.history.calls({ limit: 10, ...(query as Partial<CallQuery>) })), expected)
  })
}

const metadataTold = (callId: string, atMs: number) =>
  ({
    name: 'siprec.metadata-updated',
    atMs,
    callId,
    participants: [{ uri: 'sip:Dora@example.com', name: 'Dora', legId: 'x', heard: [{ fromMs: atMs }] }],
    raw: `<recording>${atMs}</recording>`,
    problems: ['a raw &'],
    sessions: [{ id: `cs ${atMs}`, sipSessionIds: [], reasons: [], participants: [] }],
    vendor: {
      type: 'oracle',
      ucid: '04099475671585313765',
      headers: { 'x-campaign': 'Spring' },
      extensions: [{ of: 'session', id: 's', namespace: 'urn:v', path: 'queue', value: 'Sales' }],
    },
  }) as const

test('a SIPREC call is found by what other systems call it, in full or in part, and by who joined later', async (t) => {
  const { bus, database } = await three(t)
  bus.publish(metadataTold('b', 2_100))
  bus.publish(metadataTold('b', 2_200))
  for (const [query, expected] of [
    [{ key: '04099475671585313765' }, ['b']],
    [{ key: 'SPRING' }, ['b']],
    [{ key: 'Sales' }, ['b']],
    [{ key: '0409947567158531376' }, []],
    [{ key: 'oracle' }, []],
    [{ search: '5671585' }, ['b']],
    [{ search: 'dora@' }, ['b']],
  ] as const)
    assert.deepEqual(ids(await database.history.calls({ limit: 10, ...query })), expected, JSON.stringify(query))
})

test('documents are kept as they came, with what was wrong; sessions and vendor facts are those of the last', async (t) => {
  const { bus, database } = await three(t)
  bus.publish(metadataTold('b', 2_100))
  bus.publish({ ...metadataTold('b', 2_200), raw: '', problems: [] })
  const kept = await database.history.metadata('b')
  assert.deepEqual(kept?.documents, [{ atMs: 2_100, raw: '<recording>2100</recording>', problems: ['a raw &'] }])
  assert.deepEqual(
    kept?.sessions.map(({ id }) => id),
    ['cs 2200'],
  )
  assert.equal(kept?.vendor?.ucid, '04099475671585313765')
  assert.equal((await database.history.call('b'))?.metadataProblems, 1)
  assert.equal((await database.history.call('a'))?.metadataProblems, undefined)
  assert.equal(await database.history.metadata('a'), undefined)
})

test('who asked not to be named is kept with the call and its leg', async (t) => {
  const { bus, database } = await keepFacts(t)
  const party = { uri: 'sip:carol@example.com', private: true }
  bus.publish({ ...started('a'), from: party })
  bus.publish({ ...legStarted('a', 'leg-a'), party })
  bus.publish(started('b'))
  const [hidden, open] = await Promise.all([database.history.call('a'), database.history.call('b')])
  assert.deepEqual([hidden?.from, hidden?.legs[0]?.party], [party, party])
  assert.equal(open?.from.private, undefined)
})

test('pages neither repeat nor leave out calls of the same millisecond, also when new ones come', async (t) => {
  const { bus, database } = await keepFacts(t)
  for (const id of ['a', 'b', 'c', 'd', 'e']) bus.publish(started(id, 1_000))

  const seen: string[] = []
  let cursor: string | undefined
  do {
    const page: Page<{ readonly id: string }> = await database.history.calls({ limit: 2, ...(cursor && { cursor }) })
    seen.push(...ids(page))
    cursor = page.nextCursor
    bus.publish(started(`new ${seen.length}`, 2_000))
  } while (cursor)

  assert.deepEqual(seen, ['e', 'd', 'c', 'b', 'a'])
})

test('a cursor of somebody else is refused', async (t) => {
  const { database } = await keepFacts(t)
  for (const cursor of ['x', Buffer.from('1:').toString('base64url'), Buffer.from('-1:a').toString('base64url')]) {
    await assert.rejects(database.history.calls({ limit: 1, cursor }), { code: 'database.bad-cursor' })
  }
})

test('recordings can be asked for by call, kind and time, page by page', async (t) => {
  const { bus, database } = await three(t)
  bus.publish(stored('b', 'rb'))
  bus.publish(stored('c', 'rc'))
  const { history } = database

  assert.deepEqual(ids(await history.recordings({ limit: 10 })), ['rc', 'rb', 'ra'])
  assert.deepEqual(ids(await history.recordings({ limit: 10, kind: 'siprec' })), ['rb'])
  assert.deepEqual(ids(await history.recordings({ limit: 10, search: 'CAROL' })), ['rb'])
  assert.deepEqual(ids(await history.recordings({ limit: 10, untilMs: 1_500 })), [])
  const first = await history.recordings({ limit: 2 })
  const second = await history.recordings({ limit: 2, cursor: first.nextCursor ?? '' })
  assert.deepEqual([ids(first), ids(second), second.nextCursor], [['rc', 'rb'], ['ra'], undefined])
  assert.deepEqual(first.items[1]?.call, { kind: 'siprec', from: { uri: 'sip:carol@example.com' }, to: bob })
})

test('what is unknown is undefined or empty', async (t) => {
  const { bus, database } = await keepFacts(t)
  bus.publish({ name: 'call.traced', atMs: 1, callId: 'nobody', messages: [message('BYE')] })
  assert.equal(await database.history.call('nobody'), undefined)
  assert.equal(await database.history.recording('nobody'), undefined)
  assert.deepEqual(await database.history.messages('nobody'), [])
})
