/** A whole call that is copied to an archive, leaves the disk, and is played from there. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { decodeWav } from '../src/codec/wav.ts'
import { correlate } from '../src/demo/compare.ts'
import { loadSpeech } from '../src/demo/speech.ts'
import { connect, startTestServer, untilSpoken } from './support/in-process.ts'
import { until } from './support/until.ts'

for (const sealed of [false, true])
  test(`a ${sealed ? 'sealed ' : ''}recording that is only in the archive plays as before`, async (t) => {
    const archive = mkdtempSync(join(tmpdir(), 'patchbay-share-'))
    t.after(() => rmSync(archive, { recursive: true }))
    const server = await startTestServer({
      'storage.enabled': true,
      'storage.keepLocal': false,
      'storage.local.dir': archive,
      'storage.local.prefix': 'calls/{from}-{to}',
      ...(sealed && { 'sealing.recordings': true, 'sealing.keysDir': join(archive, 'keys') }),
    })
    t.after(() => server.close())
    const speech = (await loadSpeech('caller')).subarray(0, 16_000)
    const caller = await server.phone('101', { speech })
    const callee = await server.phone('102', { speech: speech.toReversed() })
    const sides = await connect(caller, callee, '102')
    await untilSpoken(...sides)
    await sides[0].hangUp()

    const [recording] = await until('the recording', 10_000, async () => {
      const { items } = await server.api.recordings()
      return items[0]?.state === 'stored' && items
    })
    assert.ok(recording)
    const onDisk = recording.files.map(({ name }) => join(server.recordingDir, name))
    await until('the local files to go', 10_000, () => onDisk.every((path) => !existsSync(path)))

    const stored = readdirSync(join(archive, 'calls', '101-102'))
    assert.deepEqual(stored.filter((name) => /\.wav/.test(name)).length, 3)
    assert.ok(
      stored.every(
        (name) =>
          readFileSync(join(archive, 'calls', '101-102', name)).includes('RIFF') === (!sealed && name.endsWith('.wav')),
      ),
    )
    const wav = decodeWav(await server.api.audio(recording.id))
    assert.ok(wav)
    const { score } = correlate(sides[0].sent(), wav.channel(0))
    assert.ok(score > 0.99, `likeness ${score}`)
    const locations = readdirSync(server.recordingDir).find((name) => name.endsWith('.locations'))
    assert.ok(locations)
    const uris = JSON.parse(readFileSync(join(server.recordingDir, locations), 'utf8')) as string[]
    assert.equal(uris.length, stored.length)
    assert.ok(uris.every((uri) => uri.startsWith('file://')))
  })
