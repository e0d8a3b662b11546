import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fields, Logger } from '../core/logger.ts'
import { silentLogger } from '../core/logger.ts'
import type { Quality } from '../events/catalogue.ts'
import { alice, bob, ended, keepFacts, legStarted, message, started, stored, wav } from './test-support.ts'

test('a whole call is kept as it was told', async (t) => {
  const { bus, database } = await keepFacts(t)
  const of = { callId: 'c', legId: 'l' }
  const quality: Quality = {
    mos: 4.31,
    rating: 88.2,
    scale: 'narrowband',
    lossShare: 0.005,
    discardShare: 0,
    burstRatio: 1,
    jitterMs: 1.3,
    delayMs: 61,
    verdicts: [{ code: 'clipping', text: 'It clips', advice: 'Turn it down' }],
  }
  const media = { codec: 'PCMA', packetsReceived: 400, packetsLost: 2, packetsSent: 399, jitterMs: 1.25, quality }

  bus.publish(started('c'))
  bus.publish(legStarted('c', 'l'))
  bus.publish({ name: 'call.ringing', atMs: 1_100, ...of })
  bus.publish({ name: 'leg.answered', atMs: 1_200, ...of, codec: 'PCMU' })
  bus.publish({ name: 'call.answered', atMs: 1_300, ...of })
  bus.publish({ name: 'leg.encryption', atMs: 1_300, ...of, encryption: 'dtls' })
  bus.publish({ name: 'leg.encryption', atMs: 1_350, ...of, encryption: 'dtls', suite: 'AEAD_AES_128_GCM' })
  bus.publish({ name: 'leg.media-started', atMs: 1_400, ...of, source: '192.0.2.1:4000', codec: 'PCMA' })
  bus.publish({ name: 'recording.started', atMs: 1_500, callId: 'c', recordingId: 'r', folder: '/data' })
  bus.publish({ name: 'leg.digit', atMs: 2_000, ...of, digit: '4', durationMs: 100 })
  bus.publish({ name: 'leg.digit', atMs: 2_500, ...of, digit: '#', durationMs: 100 })
  bus.publish({ name: 'leg.ended', atMs: 8_900, ...of, media: { ...media, source: '192.0.2.1:4000' } })
  bus.publish({ ...ended('c'), sipStatus: 200 })
  bus.publish({ name: 'call.traced', atMs: 9_001, callId: 'c', messages: [message('INVITE'), message('ACK')] })
  bus.publish(stored('c', 'r'))

  assert.deepEqual(await database.history.call('c'), {
    id: 'c',
    kind: 'pbx',
    from: alice,
    to: bob,
    startedAtMs: 1_000,
    answeredAtMs: 1_300,
    endedAtMs: 9_000,
    endReason: 'hangup',
    sipStatus: 200,
    legs: [
      {
        id: 'l',
        role: 'caller',
        party: alice,
        sipCallId: 'l@Phone',
        transport: 'udp',
        remote: '192.0.2.1:5060',
        startedAtMs: 1_000,
        answeredAtMs: 1_200,
        endedAtMs: 8_900,
        codec: 'PCMA',
        encryption: 'dtls',
        suite: 'AEAD_AES_128_GCM',
        digits: '4#',
        media: { ...media, source: '192.0.2.1:4000' },
      },
    ],
    recordings: [
      {
        id: 'r',
        callId: 'c',
        state: 'stored',
        startedAtMs: 1_500,
        durationMs: 8_000,
        tags: [],
        files: [wav('r.wav')],
        participants: [
          { uri: alice.uri, legId: 'l', channel: 0 },
          { name: 'Bob', label: '2', channel: 1, guessed: true },
        ],
      },
    ],
  })
  assert.deepEqual(await database.history.messages('c'), [message('INVITE'), message('ACK')])
})

test('facts wait for their turn of 50 ms and are then written by themselves', async (t) => {
  const { bus, clock, database, journal } = await keepFacts(t)
  bus.publish(started('c'))
  assert.equal(clock.pendingTimers, 3) // the turn, the sign of life, the look at other writers
  clock.advance(50)
  await journal.flush()
  assert.equal(clock.pendingTimers, 2)
  assert.equal((await database.history.call('c'))?.id, 'c')
})

test('legs keep the order in which they were told, over several turns', async (t) => {
  const { bus, database, journal } = await keepFacts(t)
  bus.publish(started('c'))
  bus.publish(legStarted('c', 'z'))
  await journal.flush()
  bus.publish(legStarted('c', 'a'))
  await journal.flush()
  bus.publish({ ...legStarted('c', 'm'), label: '7' })

  const call = await database.history.call('c')

  assert.deepEqual(
    call?.legs.map(({ id, label }) => [id, label]),
    [
      ['z', undefined],
      ['a', undefined],
      ['m', '7'],
    ],
  )
})

test('digits told in different turns, or twice tried, come out once each', async (t) => {
  const { bus, database, journal } = await keepFacts(t)
  const digit = (text: string) =>
    bus.publish({ name: 'leg.digit', atMs: 2_000, callId: 'c', legId: 'l', digit: text, durationMs: 100 })
  bus.publish(started('c'))
  bus.publish(legStarted('c', 'l'))
  digit('1')
  await journal.flush()
  digit('2')
  bus.publish(started('c')) // fails, and the turn is tried again fact by fact
  digit('3')

  assert.equal((await database.history.call('c'))?.legs[0]?.digits, '123')
})

test('a fact that cannot be written is logged and costs only itself', async (t) => {
  const logged: [string, Fields | undefined][] = []
  const log: Logger = { ...silentLogger, error: (sentence, fields) => logged.push([sentence, fields]) }
  const { bus, database } = await keepFacts(t, ':memory:', log)

  bus.publish(started('a'))
  bus.publish(legStarted('nobody', 'l'))
  bus.publish(started('b'))

  assert.deepEqual(
    (await database.history.calls({ limit: 10 })).items.map(({ id }) => id),
    ['b', 'a'],
  )
  assert.equal(logged.length, 1)
  assert.deepEqual([logged[0]?.[0], logged[0]?.[1]?.['fact']], ['A fact could not be written', 'leg.started'])
})

test('who speaks in a running SIPREC session follows its metadata, and the stored recording has the last word', async (t) => {
  const { bus, database } = await keepFacts(t)
  const metadata = (name: string) =>
    bus.publish({
      name: 'siprec.metadata-updated',
      atMs: 2_000,
      callId: 'c',
      participants: [{ name, label: '1' }],
      raw: `<recording>${name}</recording>`,
      sessions: [],
      problems: ['no participant for label 2'],
    })
  bus.publish({ ...started('c'), kind: 'siprec' })
  bus.publish({ name: 'recording.started', atMs: 1_500, callId: 'c', recordingId: 'r', folder: '/data' })
  metadata('first')
  metadata('second')
  const during = await database.history.recording('r')
  bus.publish(stored('c', 'r'))
  const after = await database.history.recording('r')

  assert.deepEqual(during?.participants, [{ name: 'second', label: '1' }])
  assert.equal(during?.state, 'recording')
  assert.equal(after?.participants.length, 2)
})

test('a recording that failed is kept as such, whether or not its start was heard', async (t) => {
  const { bus, database } = await keepFacts(t)
  bus.publish(started('c'))
  bus.publish({
    name: 'recording.failed',
    atMs: 2_000,
    callId: 'c',
    recordingId: 'r',
    code: 'recording.disk-full',
    text: 'No space left',
  })
  assert.equal((await database.history.recording('r'))?.state, 'failed')
})

test('a trace of a thousand messages is kept in order', async (t) => {
  const { bus, database } = await keepFacts(t)
  const messages = Array.from({ length: 1_000 }, (_, index) => message(`OPTIONS ${index}`))
  bus.publish(started('c'))
  bus.publish({ name: 'call.traced', atMs: 9_000, callId: 'c', messages })

  assert.deepEqual(await database.history.messages('c'), messages)
})

test('closing writes what is left and stops listening; twice is fine', async (t) => {
  const { bus, clock, database, journal } = await keepFacts(t)
  bus.publish(started('a'))
  await journal.close()
  bus.publish(started('b'))
  await journal.close()

  assert.equal((await database.history.call('a'))?.id, 'a')
  assert.equal(await database.history.call('b'), undefined)
  await database.close()
  assert.equal(clock.pendingTimers, 0)
})

test('pauses of a recording are kept, and of digits pressed in them only how many they were', async (t) => {
  const { bus, database } = await keepFacts(t)
  const of = { callId: 'c', legId: 'l' }
  const about = { callId: 'c', recordingId: 'r', by: 'api' } as const
  const press = (digit: string): void => bus.publish({ name: 'leg.digit', atMs: 2_000, ...of, digit, durationMs: 100 })
  bus.publish(started('c'))
  bus.publish(legStarted('c', 'l'))
  press('1')
  bus.publish({ name: 'recording.paused', atMs: 2_000, ...about, what: 'both' })
  press('4')
  press('7')
  bus.publish({ name: 'recording.resumed', atMs: 3_000, ...about, what: 'recording', pausedMs: 1000 })
  press('2')
  const marks = [{ kind: 'paused', what: 'recording', fromMs: 2_000, untilMs: 3_000, by: 'api' }] as const
  bus.publish({ ...stored('c', 'r'), marks })
  bus.publish(ended('c'))

  const call = await database.history.call('c')
  assert.equal(call?.legs[0]?.digits, '1xx2')
  assert.deepEqual(call.recordings[0]?.marks, marks)
  assert.deepEqual((await database.history.recording('r'))?.marks, marks)
})

test('where a recording came from is kept, and a repaired one whose start was never written has it too', async (t) => {
  const { bus, database } = await keepFacts(t)
  const origin = { peer: 'sbc', tags: ['sales', 'sales', 'vip'], retentionDays: 90 }
  bus.publish(started('c'))
  bus.publish({ name: 'recording.started', atMs: 1_500, callId: 'c', recordingId: 'r', folder: '/data', origin })
  bus.publish({ ...stored('c', 'r'), origin: { ...origin, tags: ['other'] } })
  bus.publish({ ...stored('c', 'repaired'), origin })
  for (const id of ['r', 'repaired']) {
    const kept = await database.history.recording(id)
    assert.deepEqual([kept?.peer, kept?.tags, kept?.retentionDays], ['sbc', ['sales', 'vip'], 90])
  }
})

test('a recording whose call could not be written is kept all the same, once', async (t) => {
  const { bus, database } = await keepFacts(t)
  bus.publish(stored('c', 'r'))
  bus.publish(stored('c', 'r'))

  const call = await database.history.call('c')
  assert.deepEqual(
    [call?.from, call?.endReason, call?.recordings.map(({ id, state }) => [id, state])],
    [{ uri: alice.uri }, 'interrupted', [['r', 'stored']]],
  )
  assert.equal(await database.isKept('r'), true)
})
