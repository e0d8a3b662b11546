import assert from 'node:assert/strict'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { cdrStream, csvHeader, csvLine } from './print.ts'
import type { Cdr, CdrStore } from './types.ts'

const cdr: Cdr = {
  callId: 'c1',
  kind: 'pbx',
  direction: 'outbound',
  from: 'sip:101@pbx',
  fromName: 'Alice',
  fromExtension: '101',
  to: 'sip:+4930123@carrier',
  startedAtMs: Date.UTC(2026, 10, 20, 8),
  answeredAtMs: Date.UTC(2026, 10, 20, 8, 0, 4),
  endedAtMs: Date.UTC(2026, 10, 20, 8, 1, 4, 250),
  ringMs: 4_000,
  talkMs: 60_250,
  endReason: 'hangup',
  sipCallIds: ['a@b', 'c@d'],
  codecs: ['PCMA', 'opus'],
  mos: 4.2,
  packetsReceived: 6_000,
  packetsLost: 3,
  recordings: [{ id: 'r1', state: 'stored' }],
  tags: ['sales', 'vip'],
}

test('the columns are these, in this order: programs count on them', () => {
  assert.equal(
    csvHeader,
    'call_id,kind,direction,from,from_name,from_extension,to,to_name,to_extension,started_at,answered_at,ended_at,' +
      'ring_seconds,talk_seconds,end_reason,sip_status,sip_call_ids,codecs,mos,packets_received,packets_lost,' +
      'recording_ids,recording_states,peer,tags\r\n',
  )
})

test('a call is one line, what is not known an empty field', () => {
  assert.equal(
    csvLine(cdr),
    'c1,pbx,outbound,sip:101@pbx,Alice,101,sip:+4930123@carrier,,,2026-11-20T08:00:00.000Z,2026-11-20T08:00:04.000Z,' +
      '2026-11-20T08:01:04.250Z,4,60.3,hangup,,a@b c@d,PCMA opus,4.2,6000,3,r1,stored,,sales vip\r\n',
  )
})

for (const [name, field] of [
  ['Bob', 'Bob'],
  ['Bob, the "Builder"', '"Bob, the ""Builder"""'],
  ['two\r\nlines', '"two\r\nlines"'],
  ['=HYPERLINK("http://x";"y")', '"\'=HYPERLINK(""http://x"";""y"")"'],
  ['+4930123', '+4930123'],
  ['+4930123+cmd', "'+4930123+cmd"],
  ['-1+1', "'-1+1"],
  ['@SUM(A1)', "'@SUM(A1)"],
  ['\t=1', "'\t=1"],
] as const)
  test(`the name ${JSON.stringify(name)} is written ${JSON.stringify(field)} (RFC 4180, no formulas)`, () => {
    assert.equal(
      csvLine({ ...cdr, fromName: name }),
      csvLine(cdr).replace(',Alice,', () => `,${field},`),
    )
  })

test('all pages are streamed, as CSV under one header and as JSON lines', async () => {
  const store: CdrStore = {
    page: (_filter, _limit, cursor) =>
      Promise.resolve(cursor === undefined ? { items: [cdr], nextCursor: 'x' } : { items: [{ ...cdr, callId: 'c2' }] }),
    one: () => Promise.resolve(undefined),
  }
  assert.deepEqual(
    (await text(cdrStream(store, {}, 'csv'))).split('\r\n').map((line) => line.slice(0, 7)),
    ['call_id', 'c1,pbx,', 'c2,pbx,', ''],
  )
  const lines = (await text(cdrStream(store, {}, 'jsonl'))).trim().split('\n')
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as Cdr),
    [cdr, { ...cdr, callId: 'c2' }],
  )
})
