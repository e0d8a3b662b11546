import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { asker, erika, number, sound, unzip, whoNames, withCallsOf } from './test-support.ts'

test('everything of a person is one zip: calls, sound, messages, notes, records and what was done', async (t) => {
  const { serve, audit, database } = await withCallsOf(t)
  const { exports, jobs } = serve()
  await jobs.start()
  const asked = await exports.request({ person: '+49 30 12345678' }, asker)
  await jobs.idle()
  const made = await exports.find(asked.id)
  assert.deepEqual([made.state, made.done, made.done === made.total], ['ready', made.total, true])
  const { folder: where, name } = await exports.fileOf(asked.id)
  const zip = readFileSync(join(where, name))
  assert.equal(zip.length, made.bytes)
  assert.equal(createHash('sha256').update(zip).digest('hex'), made.sha256)
  const parts = unzip(zip)
  const files = [...parts.keys()].flatMap((path) => /^calls\/0001_c1\/(.*)/.exec(path)?.[1] ?? []).toSorted()
  const wavs = files.filter((file) => file.endsWith('.wav'))
  assert.deepEqual(
    files.filter((file) => !file.endsWith('.wav')),
    ['call.json', 'notes.json', 'sip.txt'],
  )
  assert.equal(wavs.length, 2)
  for (const wav of wavs) assert.deepEqual(parts.get(`calls/0001_c1/${wav}`), sound)
  const read = (path: string): string => parts.get(path)?.toString('utf8') ?? ''
  assert.match(read('calls/0001_c1/notes.json'), /ring 493012345678 back/)
  assert.match(read('calls/0001_c1/sip.txt'), /INVITE sip:\+493012345678/)
  assert.match(read('calls/0002_c3/call.json'), /tel:\+49-30-12345678/)
  assert.equal(read('cdr.csv').split('\r\n').length, 4)
  assert.deepEqual(
    JSON.parse(read('index.json')).calls.map((call: { callId: string }) => call.callId),
    ['c1', 'c3'],
  )
  const [record] = await audit.list({ action: 'export', limit: 1 })
  assert.deepEqual([record?.who, record?.action, record?.details], ['dpo', 'export.requested', { kind: 'person' }])
  assert.equal((await database.jobs.list({ limit: 9 })).items.length, 1, 'the job that deletes it')
})

test('an export says what could not be given, and goes after its days', async (t) => {
  const { serve, recordingDir, clock } = await withCallsOf(t)
  const { exports, jobs } = serve(0.01)
  for (const name of readdirSync(recordingDir)) if (name.endsWith('_caller.wav')) rmSync(join(recordingDir, name))
  await jobs.start()
  const { id } = await exports.request({ callId: 'c1' }, asker)
  await jobs.idle()
  const { folder: where, name } = await exports.fileOf(id)
  const { incomplete, missing } = JSON.parse(
    unzip(readFileSync(join(where, name)))
      .get('index.json')
      ?.toString() ?? '',
  )
  assert.deepEqual([incomplete, missing.length], [true, 1])
  assert.equal((await exports.find(id)).missing, 1)
  clock.advance(0.01 * 86_400_000)
  jobs.wake()
  await jobs.idle()
  assert.equal((await exports.find(id)).state, 'expired')
  assert.equal(existsSync(join(where, name)), false)
  await assert.rejects(exports.fileOf(id), { code: 'compliance.export-not-ready' })
  await assert.rejects(exports.request({ person: 'nobody@nowhere' }, asker), { code: 'compliance.nobody' })
  await assert.rejects(exports.request({ person: 'Erika' }, asker), { code: 'compliance.bad-person' })
})

test('a preview of an erasure tells what would go, and changes nothing', async (t) => {
  const { serve, database } = await withCallsOf(t)
  const { erasures } = serve()
  const preview = await erasures.preview({ person: erika.uri })
  assert.deepEqual(preview.items, [
    { callId: 'c1', startedAtMs: 1_000, recordings: 1 },
    { callId: 'c3', startedAtMs: 40_000, recordings: 1 },
  ])
  const { calls, recordings, files, mentions, exports, refused, rows } = preview
  assert.deepEqual([calls, recordings, files, mentions, exports, refused], [2, 2, 8, 1, 0, undefined])
  assert.equal(rows['traces'], 2)
  assert.ok(await database.history.call('c1'))
})

test('after an erasure no byte of the number is in the database, the recordings, the exports or the messages in memory', async (t) => {
  const { serve, folder, path, database, audit, trace, journal } = await withCallsOf(t)
  const { exports, erasures, jobs, holds } = serve()
  const flow = { transport: 'udp', local: { ip: '192.0.2.9', port: 5060 }, remote: { ip: '192.0.2.1', port: 5060 } }
  trace.observe('in', flow as never, `INVITE ${erika.uri} SIP/2.0\r\nCall-ID: z\r\n\r\n`, 'z')
  await jobs.start()
  await exports.request({ person: erika.uri }, asker)
  await jobs.idle()
  const hold = await holds.place({ person: erika.uri, why: 'case' }, asker)
  await assert.rejects(erasures.begin({ person: number }, 'asked', asker), { code: 'compliance.held', message: /case/ })
  await holds.lift(hold.id, 'closed', asker)
  assert.ok(whoNames(folder, number).length > 5)

  const { id } = await erasures.begin({ person: number }, 'she asked for it', asker)
  await jobs.idle()

  await journal.flush()
  const erasure = await erasures.find(id)
  assert.equal(erasure.subject, undefined)
  assert.deepEqual([erasure.state, erasure.report?.left, erasure.report?.verified], ['done', [], true])
  const { calls, recordings, files, exports: gone, mentions } = erasure.report ?? {}
  assert.deepEqual([calls, recordings, files, gone, mentions], [2, 2, 8, 1, 1])
  assert.deepEqual(whoNames(folder, number), [])
  assert.deepEqual(whoNames(folder, 'Mustermann'), [])
  assert.equal(trace.recent({ limit: 10 }).length, 0)
  assert.ok(await database.history.call('c2'), 'others stay')
  assert.equal((await database.history.messages('c4')).length, 1, 'only what names her')
  const [record] = await audit.list({ action: 'erasure', limit: 1 })
  assert.equal(record?.hash, erasure.auditHash)
  assert.deepEqual(record?.details, { kind: 'person', report: erasure.report })
  assert.equal((await audit.verify()).intact, true)
  assert.ok(existsSync(path))
  await assert.rejects(erasures.begin({ person: number }, 'again', asker), { code: 'compliance.nobody' })
})

test('an erasure that a crash cut off goes on with what is left', async (t) => {
  const { serve, folder, database } = await withCallsOf(t)
  const first = serve()
  const { id } = await first.erasures.begin({ person: number }, 'asked', asker)
  // So far it had come: the files and rows of one call, and its job runs.
  const [job] = await database.jobs.claim('compliance.erase', Number.MAX_SAFE_INTEGER, 1)
  const so = { calls: 1, recordings: 1, files: 4, copies: {}, rows: { calls: 1 }, mentions: 0, exports: 0, jobs: 0 }
  await database.jobs.remember(job?.id ?? '', so)
  await database.erasures.removeCall('c1')
  for (const name of readdirSync(join(folder, 'recordings')))
    if (name.includes('_c1_')) rmSync(join(folder, 'recordings', name))
  await first.jobs.close()
  const next = serve()
  await next.jobs.start()
  await next.erasures.resume()
  await next.jobs.idle()
  const { state, report } = await next.erasures.find(id)
  assert.deepEqual([state, report?.calls, report?.files, report?.rows['calls']], ['done', 2, 8, 2])
  assert.deepEqual(whoNames(folder, number), [])
})

test('a hold that comes meanwhile keeps what has not gone, and the report says so', async (t) => {
  const { serve, folder, database } = await withCallsOf(t)
  const { erasures, holds, jobs } = serve()
  const { id } = await erasures.begin({ person: number }, 'asked', asker)
  await holds.place({ callId: 'c3', why: 'late case' }, asker)
  await jobs.start()
  await jobs.idle()
  const { state, report } = await erasures.find(id)
  assert.deepEqual(
    [state, report?.calls, report?.left[0]?.where, report?.left[0]?.count],
    ['incomplete', 1, 'calls', 1],
  )
  assert.ok(await database.history.call('c3'))
  assert.equal(await database.history.call('c1'), undefined)
  assert.ok(whoNames(folder, number).length > 0)
})

test('a call that lives is not erased, and one call is erased alone', async (t) => {
  const { serve, bus, database } = await withCallsOf(t)
  const { erasures, jobs } = serve()
  bus.publish({ name: 'call.started', atMs: 90_000, callId: 'live', kind: 'pbx', from: erika, to: erika })
  await assert.rejects(erasures.begin({ person: number }, 'asked', asker), { code: 'compliance.call-live' })
  assert.equal((await erasures.preview({ person: number })).refused?.code, 'compliance.call-live')
  await erasures.begin({ callId: 'c1' }, 'asked', asker)
  await jobs.start()
  await jobs.idle()
  assert.equal(await database.history.call('c1'), undefined)
  assert.ok(await database.history.call('c3'))
})

test('an export that cannot be made is tried again, says why, and is given up as failed', async (t) => {
  const { serve, recordingDir, clock, bus, database } = await withCallsOf(t)
  Object.assign(database.cdr, { one: () => Promise.reject(new Error('the disk is gone')) })
  const { exports, jobs } = serve()
  const failed: string[] = []
  bus.on('job.failed', ({ kind }) => failed.push(kind))
  const { id } = await exports.request({ callId: 'c1' }, asker)
  await jobs.start()
  await jobs.idle()
  assert.deepEqual([(await exports.find(id)).state, (await exports.find(id)).error !== undefined], ['waiting', true])
  for (let tries = 0; tries < 10 && failed.length === 0; tries++) {
    clock.advance(600_000)
    jobs.wake()
    await jobs.idle()
  }
  assert.deepEqual(failed, ['compliance.export'])
  assert.equal((await exports.find(id)).state, 'failed')
  assert.deepEqual(readdirSync(join(recordingDir, '..', 'exports')), [], 'nothing half is left')
})

test('an erasure whose job was cancelled is taken up at the next start', async (t) => {
  const { serve, database, folder } = await withCallsOf(t)
  const { erasures, jobs } = serve()
  const { id } = await erasures.begin({ person: number }, 'asked', asker)
  const { items } = await database.jobs.list({ kind: 'compliance.erase', limit: 9 })
  await database.jobs.remove(items[0]?.id ?? '')
  await jobs.start()
  await jobs.idle()
  assert.equal((await erasures.find(id)).state, 'running')
  await erasures.resume()
  await jobs.idle()
  assert.equal((await erasures.find(id)).state, 'done')
  assert.deepEqual(whoNames(folder, number), [])
})

test('files that cannot be removed keep their call; the others go, and it is tried again', async (t) => {
  const { serve, recordingDir, database, clock } = await withCallsOf(t)
  const { erasures, jobs } = serve()
  const name = readdirSync(recordingDir).find((file) => file.includes('_c1_') && file.endsWith('.json')) ?? ''
  // A folder is not removed as a file is.
  rmSync(join(recordingDir, name))
  mkdirSync(join(recordingDir, name))
  const { id } = await erasures.begin({ person: number }, 'asked', asker)
  await jobs.start()
  await jobs.idle()
  assert.equal((await erasures.find(id)).state, 'running')
  assert.ok(await database.history.call('c1'), 'as long as a file is left the database knows of it')
  assert.equal(await database.history.call('c3'), undefined)
  rmSync(join(recordingDir, name), { recursive: true })
  clock.advance(600_000)
  jobs.wake()
  await jobs.idle()
  const { state, report } = await erasures.find(id)
  assert.deepEqual([state, report?.calls], ['done', 2])
})

test('while a call is being erased no hold is promised on it', async (t) => {
  const { serve, path } = await withCallsOf(t)
  const refused: unknown[] = []
  const first = serve(7, {
    open: () => Promise.resolve(undefined),
    remove: async (recordingId) => {
      await first.holds.place({ recordingId, why: 'case' }, asker).catch((error: unknown) => refused.push(error))
      return []
    },
  })
  await first.jobs.start()
  await first.erasures.begin({ callId: 'c1' }, 'asked', asker)
  await first.jobs.idle()
  assert.ok(existsSync(path))
  assert.deepEqual(
    refused.map((error) => (error as { code: string }).code),
    ['retention.not-stored'],
  )
})

test('an export that was begun while somebody in it is erased leaves no file', async (t) => {
  const { serve, database, folder } = await withCallsOf(t)
  const { exports, erasures, jobs } = serve()
  const setCalls = database.exports.setCalls.bind(database.exports)
  const erase = async (): Promise<void> => {
    const { id } = await erasures.begin({ callId: 'c1' }, 'asked', asker)
    await erasures.run(id, new AbortController().signal, {}, () => Promise.resolve())
  }
  // The row of the export names its calls; no byte of it is written yet.
  Object.assign(database.exports, {
    setCalls: async (id: string, callIds: readonly string[]) => {
      await setCalls(id, callIds)
      await erase()
    },
  })
  await exports.request({ callId: 'c1' }, asker)
  await jobs.start()
  await jobs.idle()
  assert.deepEqual(readdirSync(join(folder, 'exports')), [])
})
