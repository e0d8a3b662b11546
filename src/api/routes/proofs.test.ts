import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { RecordingFile } from '../../events/catalogue.ts'
import { startApi } from '../test-support.ts'

const who = { uri: 'sip:101@example.com' }

test('the proof of a recording is shown and verified; what was changed is named', async (t) => {
  const { app, as, bus, folder, deps } = await startApi(t)
  const { proofs } = deps
  const headers = await as('viewer')
  const ask = async (url: string, method: 'GET' | 'POST' = 'GET') => (await app.inject({ method, url, headers })).json()
  const file: RecordingFile = {
    name: 'a.wav',
    kind: 'leg',
    channels: 1,
    sampleRateHz: 8_000,
    samples: 5,
    bytes: 10,
    startedAtMs: 1,
  }
  bus.publish({ name: 'call.started', atMs: 1, callId: 'c', kind: 'pbx', from: who, to: who })
  bus.publish({ name: 'recording.started', atMs: 1, callId: 'c', recordingId: 'r', folder })
  const stored = { callId: 'c', recordingId: 'r', baseName: 'a', files: [file], participants: [], durationMs: 1 }
  bus.publish({ name: 'recording.stored', atMs: 2, interrupted: false, ...stored })
  writeFileSync(join(folder, 'a.wav'), '0123456789')

  assert.equal((await ask('/api/recordings/r/proof')).code, 'proof.none')
  assert.equal((await ask('/api/recordings/r/proof/verify', 'POST')).state, 'unproven')
  assert.equal((await ask('/api/recordings/x/proof')).code, 'proof.unknown-recording')

  await proofs.prove('r')
  const shown = await ask('/api/recordings/r/proof')
  assert.equal(shown.serial, 1)
  assert.equal(JSON.parse(shown.link).key, shown.publicKey.id)
  assert.match(shown.publicKey.pem, /BEGIN PUBLIC KEY/)
  assert.equal((await ask('/api/recordings/r/proof/verify', 'POST')).state, 'intact')
  const { intact, links } = await ask('/api/proofs/verify', 'POST')
  assert.deepEqual([intact, links], [true, 1])

  writeFileSync(join(folder, 'a.wav'), '0123456788')
  const verdict = await ask('/api/recordings/r/proof/verify', 'POST')
  assert.equal(verdict.state, 'broken')
  assert.deepEqual(verdict.problems, [{ what: 'changed', file: 'a.wav', text: 'a.wav was changed' }])
})
