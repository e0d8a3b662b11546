/** Bodies of event packages: those of test/data/event-bodies are read, and what we write is read back. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseXml } from '../../core/xml.ts'
import type { Reader } from '../subscription/types.ts'
import { type DialogEntry, dialogPackage, follow, readDialogInfo, writeDialogInfo } from './dialog-info.ts'
import { readMessageSummary, writeMessageSummary } from './message-summary.ts'
import { presencePackage, readPidf, writePidf } from './pidf.ts'
import { readReginfo, regPackage, writeReginfo } from './reginfo.ts'

const folder = join(import.meta.dirname, '..', '..', '..', 'test', 'data', 'event-bodies')
const sample = (name: string): Uint8Array => readFileSync(join(folder, name))
const bytes = (body: string | undefined): Uint8Array => Buffer.from(body ?? assert.fail('nothing was written'))
const admit = () => ({ resource: '102', subscriber: '101' })
const reader = <State>(told?: State): Reader<State> => ({ entity: 'sip:102@pbx', version: 3, told })
/** What a person may be called. */
const awkward = `Ännchen "Ä" <&> 'O’Neil' \u0007 ]]>`

test('dialog-info: a ringing call is read with both parties, as RFC 4235 has it', () => {
  const info = readDialogInfo(sample('dialog-info-early.xml'))
  assert.deepEqual(info, {
    entity: 'sip:bob@biloxi.example.com',
    version: 0,
    full: true,
    dialogs: [
      {
        id: 'as7d900as8',
        callId: 'a84b4c76e66710',
        localTag: '1928301774',
        remoteTag: '456887766',
        direction: 'recipient',
        state: 'early',
        local: { uri: 'sip:bob@biloxi.example.com', name: 'Bob', target: 'sip:bob@192.0.2.4' },
        remote: { uri: 'sip:alice@atlanta.example.com', name: 'Alice & Co', target: 'sip:alice@192.0.2.1' },
      },
    ],
  })
  assert.ok(info)
  assert.deepEqual(readDialogInfo(bytes(writeDialogInfo(info))), info)
})

test('dialog-info: a partial document goes onto what is known, a gap asks for all, a full one without dialogs ends all', () => {
  const [early, partial, empty] = ['early', 'confirmed-partial', 'empty'].map((name) =>
    readDialogInfo(sample(`dialog-info-${name}.xml`)),
  )
  assert.ok(early && partial && empty)
  const after = follow(early, partial)
  assert.deepEqual(
    after?.dialogs.map(({ id, state }) => [id, state]),
    [['as7d900as8', 'confirmed']],
  )
  assert.equal(follow(after, early), after)
  assert.equal(follow({ ...early, version: 5 }, { ...partial, version: 7 }), undefined)
  assert.equal(follow(undefined, partial), undefined)
  assert.deepEqual(after && follow(after, empty)?.dialogs, [])
})

test('a lamp is told of each call in full, of one that ended once more, and of a line that is idle', () => {
  const call: DialogEntry = {
    id: 'c1',
    state: 'early',
    direction: 'recipient',
    local: { uri: 'sip:102@pbx' },
    remote: { uri: 'sip:+4930@pbx', name: awkward },
  }
  const { write } = dialogPackage({ admit, state: () => [] })
  const shown = (state: readonly DialogEntry[], told?: readonly DialogEntry[]) => {
    const info = readDialogInfo(bytes(write(state, reader(told))))
    assert.ok(info?.full && info.version === 3 && info.entity === 'sip:102@pbx')
    return info.dialogs
  }
  assert.deepEqual(shown([call])[0]?.remote?.name, awkward.replace('\u0007', ''))
  assert.deepEqual(
    shown([], [call]).map(({ id, state }) => [id, state]),
    [['c1', 'terminated']],
  )
  assert.deepEqual(shown([]), [{ id: 'idle', state: 'terminated', local: { uri: 'sip:102@pbx' } }])
  assert.equal(write([call], reader([{ ...call }])), undefined)
})

test('PIDF: open, activities and notes are read; what we write is read back', () => {
  assert.deepEqual(readPidf(sample('pidf-open.xml')), { open: true, activities: [], notes: [] })
  const busy = readPidf(sample('pidf-rpid-busy.xml'))
  assert.deepEqual(busy, { open: true, activities: ['on-the-phone'], notes: ['Am Telefon', 'On the phone'] })
  const mine = { open: false, activities: ['away', 'x y'], notes: [awkward] }
  assert.deepEqual(readPidf(bytes(writePidf(mine, 'sip:102@pbx'))), {
    open: false,
    activities: ['away'],
    notes: [awkward.replace('\u0007', '')],
  })
  const { write } = presencePackage({ admit, state: () => mine })
  assert.equal(write(mine, reader(mine)), undefined)
  assert.equal(readPidf(sample('reginfo-full.xml')), undefined)
  assert.equal(readPidf(Buffer.from('<presence')), undefined)
})

test('message-summary: counts and account are read; without counts the lamp alone is known', () => {
  assert.deepEqual(readMessageSummary(sample('message-summary-new.txt')), {
    fresh: 2,
    old: 8,
    urgentFresh: 0,
    urgentOld: 2,
    account: 'sip:alice@vmail.example.com',
  })
  const none = { fresh: 0, old: 0, urgentFresh: 0, urgentOld: 0 }
  assert.deepEqual(readMessageSummary(sample('message-summary-none.txt')), none)
  assert.deepEqual(readMessageSummary(Buffer.from('messages-waiting: yes\n')), { ...none, fresh: 1 })
  assert.equal(readMessageSummary(Buffer.from('Voice-Message: 1/0\r\n')), undefined)
  const full = { fresh: 2, old: 8, urgentFresh: 0, urgentOld: 1, account: 'sip:*97@pbx' }
  assert.deepEqual(readMessageSummary(bytes(writeMessageSummary(full))), full)
})

test('reginfo: contacts are read; a device that left is told as terminated', () => {
  const read = readReginfo(sample('reginfo-full.xml'))
  assert.deepEqual(read, [
    {
      aor: 'sip:joe@example.com',
      state: 'active',
      contacts: [
        { id: '76', uri: 'sip:joe@pc34.example.com', state: 'active', event: 'registered' },
        { id: '77', uri: 'sip:joe@pc887.example.com', state: 'terminated', event: 'expired' },
      ],
    },
  ])
  assert.ok(read)
  assert.deepEqual(readReginfo(bytes(writeReginfo(read, 0))), read)
  const device = { id: 'a', uri: 'sip:102@192.0.2.9', state: 'active', event: 'registered' } as const
  const { write } = regPackage({ admit, state: () => [device] })
  assert.deepEqual(readReginfo(bytes(write([], reader([device])))), [
    { aor: 'sip:102@pbx', state: 'terminated', contacts: [{ ...device, state: 'terminated', event: 'unregistered' }] },
  ])
  assert.equal(readReginfo(bytes(write([], reader())))?.[0]?.state, 'init')
})

test('every XML document of the corpus that is none of these is told apart, and is well formed', () => {
  for (const name of ['conference-info-full.xml', 'resource-lists.xml', 'watcherinfo.xml']) {
    assert.deepEqual(parseXml(sample(name)).problems, [])
    assert.deepEqual(
      [readDialogInfo, readPidf, readReginfo].map((read) => read(sample(name))),
      [undefined, undefined, undefined],
    )
  }
})
