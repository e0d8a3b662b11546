import assert from 'node:assert/strict'
import { createHash, randomBytes } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { openDatabase } from '../database/open.ts'
import { FactBus } from '../events/bus.ts'
import type { Fact, RecordingFile } from '../events/catalogue.ts'
import { proofStep } from '../join-proof.ts'
import { sealedWhole } from '../sealing/container/sealer.ts'
import { opensWith, testMaster, testSeal } from '../sealing/test-support.ts'
import { Proofs } from './proofs.ts'
import { SigningKey } from './signing-key.ts'
import { readStatement } from './statement.ts'

const master = testMaster()
const who = { uri: 'sip:101@example.com' }

async function office(t: TestContext) {
  const root = mkdtempSync(join(tmpdir(), 'patchbay-proof-'))
  const folder = join(root, 'recordings')
  mkdirSync(folder)
  const path = join(root, 'patchbay.db')
  const database = await openDatabase({ path, log: silentLogger })
  const bus = new FactBus()
  const facts: Fact[] = []
  bus.onAny((fact) => facts.push(fact))
  const clock = new FakeClock()
  database.keep(bus, clock)
  t.after(async () => {
    await database.close()
    rmSync(root, { recursive: true })
  })
  const copiesOf = (id: string) => database.locations.of(id)
  const deps = { store: database.proofs, folder, openKey: opensWith(master), copiesOf, clock, bus }
  const proofs = new Proofs({ ...deps, key: await SigningKey.open(join(root, 'keys')) })
  /** A stored recording with a leg and a combined file, proven. */
  const record = async (id: string, name = id, ending = ''): Promise<void> => {
    bus.publish({ name: 'call.started', atMs: 1, callId: `call-${id}`, kind: 'pbx', from: who, to: who })
    bus.publish({ name: 'recording.started', atMs: 1, callId: `call-${id}`, recordingId: id, folder })
    const names = [`${name}.wav${ending}`, `${name}_caller.wav${ending}`]
    const files = names.map((file): RecordingFile => {
      const seal = testSeal(master, 'AES-256-GCM', id)
      const bytes = randomBytes(400)
      writeFileSync(join(folder, file), ending === '' ? bytes : sealedWhole(seal, file, 1, bytes))
      return { name: file, kind: 'leg', channels: 1, sampleRateHz: 8000, samples: 1, bytes: 400, startedAtMs: 1 }
    })
    writeFileSync(join(folder, `${name}.json`), JSON.stringify({ recordingId: id }))
    bus.publish({
      name: 'recording.stored',
      atMs: 2,
      callId: `call-${id}`,
      recordingId: id,
      baseName: name,
      files,
      participants: [{ ...who, channel: 0 }],
      durationMs: 900,
      interrupted: false,
    })
    await proofs.prove(id)
  }
  const sql = (text: string): void => {
    const file = new DatabaseSync(path)
    file.exec(text)
    file.close()
  }
  const said = async (id: string): Promise<string[]> => {
    const { state, problems } = await proofs.verify(id)
    return [state, ...problems.map(({ text }) => text)]
  }
  return { root, folder, proofs, record, facts, sql, said, database, deps, clock }
}

for (const ending of ['', '.sealed'])
  test(`a recording that nobody touched is intact, by its id and by its name (files: .wav${ending})`, async (t) => {
    const { record, said, folder, facts } = await office(t)
    await record('r1', 'monday', ending)
    assert.deepEqual(await said('r1'), ['intact'])
    assert.deepEqual(await said('monday'), ['intact'])
    const [statement = '', link = ''] = readFileSync(join(folder, 'monday.proof'), 'utf8').split('\n')
    assert.deepEqual(
      (JSON.parse(statement) as { files: { name: string }[] }).files.map(({ name }) => name),
      [`monday.wav${ending}`, `monday_caller.wav${ending}`, 'monday.json'],
    )
    const told = facts.find(({ name }) => name === 'recording.proven')
    assert.ok(told?.name === 'recording.proven' && told.link === link && told.serial === 1)
  })

test('what was changed, is missing, or came to it, is named', async (t) => {
  const { record, said, folder, facts } = await office(t)
  await record('r1', 'a')
  const original = readFileSync(join(folder, 'a.wav'))
  for (const at of [0, 200, 399]) {
    const changed = Buffer.from(original)
    changed[at] = (changed[at] ?? 0) ^ 1
    writeFileSync(join(folder, 'a.wav'), changed)
    assert.deepEqual(await said('r1'), ['broken', 'a.wav was changed'])
  }
  writeFileSync(join(folder, 'a.wav'), original.subarray(1))
  assert.deepEqual(await said('r1'), ['broken', 'a.wav was changed'])
  writeFileSync(join(folder, 'a.wav'), original)
  writeFileSync(join(folder, 'a_other.wav'), 'x')
  renameSync(join(folder, 'a.json'), join(folder, 'kept'))
  assert.deepEqual(await said('r1'), ['broken', 'a.json is missing', 'a_other.wav came to it'])
  assert.equal(facts.filter(({ name }) => name === 'recording.proof-broken').length, 5)
})

test('files of other recordings whose names begin alike, and other formats of it, did not come to it', async (t) => {
  const { record, said, folder } = await office(t)
  await record('r1', 'a')
  await record('r2', 'a_b')
  writeFileSync(join(folder, 'a.mp3'), 'x')
  mkdirSync(join(folder, 'unfinished'))
  writeFileSync(join(folder, 'unfinished', 'a_live.json'), '{}')
  writeFileSync(join(folder, 'a_live_1.wav'), 'x')
  assert.deepEqual(await said('r1'), ['intact'])
})

test('two recordings that are swapped are noticed, both', async (t) => {
  const { record, said, folder } = await office(t)
  await record('r1', 'a')
  await record('r2', 'b')
  for (const [from, to] of [
    ['a', 'c'],
    ['b', 'a'],
    ['c', 'b'],
  ] as const)
    renameSync(join(folder, `${from}.wav`), join(folder, `${to}.wav`))
  assert.deepEqual(await said('r1'), ['broken', 'a.wav was changed'])
  assert.deepEqual(await said('r2'), ['broken', 'b.wav was changed'])
})

test('each byte of a proof that is changed on disk is noticed, and each in the database (issue 5, show 6)', async (t) => {
  const { record, said, folder, sql } = await office(t)
  await record('r1', 'a')
  const path = join(folder, 'a.proof')
  const text = readFileSync(path)
  for (let at = 0; at < text.length; at += 7) {
    const changed = Buffer.from(text)
    changed[at] = (changed[at] ?? 0) ^ 1
    writeFileSync(path, changed)
    assert.equal((await said('r1'))[0], 'broken', `${at}`)
  }
  writeFileSync(path, text)
  assert.deepEqual(await said('r1'), ['intact'])
  for (const column of ['statement', 'link', 'signature']) {
    sql(`create table if not exists kept as select * from proofs`)
    sql(`update proofs set ${column} = upper(${column})`)
    assert.equal((await said('r1'))[0], 'broken', column)
    sql('delete from proofs')
    sql('insert into proofs select * from kept')
  }
  assert.deepEqual(await said('r1'), ['intact'])
})

test('the key place of a sealed file may change with the master key, and is noticed when it was tampered with', async (t) => {
  const { record, said, folder } = await office(t)
  await record('r1', 'a', '.sealed')
  const path = join(folder, 'a.wav.sealed')
  const bytes = readFileSync(path)
  bytes[530] = (bytes[530] ?? 0) ^ 1
  writeFileSync(path, bytes)
  assert.deepEqual(await said('r1'), ['broken', 'a.wav.sealed: The sealed file was changed or damaged: its key'])
})

test('the chain holds; a link that was taken out, changed or put elsewhere breaks it', async (t) => {
  const { record, proofs, sql } = await office(t)
  for (const id of ['r1', 'r2', 'r3', 'r4']) await record(id)
  const whole = await proofs.verifyChain()
  assert.deepEqual([whole.intact, whole.links], [true, 4])

  sql('create table kept as select * from proofs')
  for (const [change, serial, why] of [
    ['delete from proofs where serial = 2', 2, 'it is missing'],
    [
      'delete from proofs where serial = 2; update proofs set serial = serial - 1 where serial > 2',
      2,
      'its link was changed',
    ],
    ['update proofs set link = replace(link, \'"serial":3\', \'"serial":3 \')', 3, 'its signature does not fit'],
    ["update proofs set statement = '{}' where serial = 4", 4, 'its statement was changed'],
  ] as const) {
    sql(change)
    const { intact, broken } = await proofs.verifyChain()
    assert.deepEqual([intact, broken], [false, { serial, why }])
    sql('delete from proofs; insert into proofs select * from kept')
  }
  sql('delete from proofs where serial = 4')
  const cut = await proofs.verifyChain()
  assert.deepEqual([cut.intact, cut.links], [true, 3])
  assert.notEqual(cut.head, whole.head) // who noted the head sees it
})

test('a chain that somebody made anew with another key is not believed', async (t) => {
  const { record, proofs, deps, root, sql, said } = await office(t)
  await record('r1')
  sql('delete from proofs')
  await new Proofs({ ...deps, key: await SigningKey.open(join(root, 'other')) }).prove('r1')
  assert.match((await said('r1')).join(), /the key [0-9a-f]{16} that signed it is not known here/)
  assert.equal((await proofs.verifyChain()).intact, false)
  // Whoever changed servers puts the public key of the former one beside the own.
  cpSync(join(root, 'other', 'proof-public.pem'), join(root, 'keys', 'proof-former.pem'))
  const knows = new Proofs({ ...deps, key: await SigningKey.open(join(root, 'keys')) })
  assert.equal((await knows.verify('r1')).state, 'intact')
})

test('a proof is made once: again, it only puts back the file', async (t) => {
  const { record, proofs, folder, said } = await office(t)
  await record('r1')
  const text = readFileSync(join(folder, 'r1.proof'), 'utf8')
  rmSync(join(folder, 'r1.proof'))
  assert.deepEqual(await said('r1'), ['broken', 'r1.proof is missing'])
  writeFileSync(join(folder, 'r1.wav'), 'changed')
  await proofs.prove('r1')
  assert.equal(readFileSync(join(folder, 'r1.proof'), 'utf8'), text)
  assert.deepEqual(await said('r1'), ['broken', 'r1.wav was changed'])
})

test('a recording that the database does not know is verified by the proof beside its files', async (t) => {
  const { record, deps, root, proofs } = await office(t)
  await record('r1', 'a')
  const empty = await openDatabase({ path: ':memory:', log: silentLogger })
  t.after(() => empty.close())
  const key = await SigningKey.open(join(root, 'keys'))
  const elsewhere = new Proofs({ ...deps, store: empty.proofs, key })
  assert.equal((await elsewhere.verify('a')).state, 'intact')
  await assert.rejects(elsewhere.verify('b'), { code: 'proof.unknown-recording' })
  await assert.rejects(elsewhere.verify('../recordings/a'), { code: 'proof.unknown-recording' })
  await assert.rejects(proofs.of('b'), { code: 'proof.unknown-recording' })
})

const statement = (name: string, file: string): string =>
  JSON.stringify({
    version: 1,
    recordingId: 'r',
    callId: 'c',
    name,
    startedAtMs: 1,
    interrupted: false,
    participants: [],
    marks: [],
    files: [{ name: file, bytes: 1, sha256: '0'.repeat(64) }],
  })

test('a proof that lies beside files looks at none outside their folder, whatever it names', () => {
  assert.ok(readStatement(statement('r', 'r.wav')))
  assert.ok(readStatement(statement('r..', '2026/r..x.wav')))
  for (const name of ['../r.wav', '/dev/zero', 'a/../../r', 'a\\..\\..\\r', 'C:\\r', '..']) {
    assert.equal(readStatement(statement('r', name)), undefined, name)
    assert.equal(readStatement(statement(name, 'r.wav')), undefined, name)
  }
})

test('what was archived and removed here is elsewhere, not broken', async (t) => {
  const { record, said, folder, database } = await office(t)
  await record('r1', 'a')
  const sha256 = createHash('sha256')
    .update(readFileSync(join(folder, 'a.wav')))
    .digest('hex')
  rmSync(join(folder, 'a.wav'))
  writeFileSync(join(folder, 'a.wav.locations'), '["s3://b/a.wav"]')
  assert.deepEqual(await said('r1'), ['broken', 'a.wav is missing'], 'who deletes a file can write that one too')
  const place = { store: 's3', key: 'a.wav', uri: 's3://b/a.wav', bytes: 400, storedAtMs: 1, cold: false } as const
  await database.locations.put({ ...place, recordingId: 'r1', file: 'a.wav', sha256: 'another' })
  assert.deepEqual(await said('r1'), ['broken', 'a.wav is missing'])
  await database.locations.put({ ...place, recordingId: 'r1', file: 'a.wav', sha256 })
  assert.deepEqual(await said('r1'), ['elsewhere', 'a.wav is missing'])
  writeFileSync(join(folder, 'a_caller.wav'), 'x')
  assert.equal((await said('r1'))[0], 'broken')
})

test('when a recording is deleted its statement goes, and the chain still holds', async (t) => {
  const { record, proofs, database, said } = await office(t)
  await record('r1')
  await record('r2')
  await database.retention.endDeletion('r1', 5)
  assert.equal((await database.proofs.of('r1'))?.statement, undefined)
  assert.deepEqual([(await proofs.verifyChain()).intact, (await proofs.verifyChain()).links], [true, 2])
  assert.deepEqual(await said('r1'), ['deleted'])
})

test('a proof is tried until it is made: what is archived comes behind it (a disk may be full for a day)', async (t) => {
  const { proofs } = await office(t)
  assert.equal(proofStep(proofs, true).attempts, Infinity)
})
