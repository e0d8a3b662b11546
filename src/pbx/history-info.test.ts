import assert from 'node:assert/strict'
import { test } from 'node:test'
import { printNameAddr } from '../sip/message/name-addr.ts'
import type { NameAddr } from '../sip/message/types.ts'
import { sipUri } from '../sip/message/uri.ts'
import { historyOf, type Stop } from './history-info.ts'

const stop = (user: string, more: Partial<Stop> = {}): Stop => ({ user, private: false, redirected: false, ...more })
const entry = (user: string, index: string): NameAddr => ({
  uri: sipUri(user, 'carrier'),
  params: new Map([['index', index]]),
})
const written = (before: readonly NameAddr[], stops: readonly Stop[]): readonly string[] =>
  historyOf(before, stops, 'pbx', sipUri('103', 'pbx')).map(printNameAddr)

test('a call that nobody of ours sent on has the history it came with', () => {
  assert.deepEqual(written([], []), [])
  assert.deepEqual(written([entry('+49301', '1')], []), ['<sip:+49301@carrier>;index=1'])
})

test('each that sends a call on is an entry one level deeper, the last one where it goes now (RFC 7044 §10.3, §10.4)', () => {
  assert.deepEqual(written([], [stop('101'), stop('102')]), [
    '<sip:101@pbx>;index=1',
    '<sip:102@pbx>;index=1.1;mp=1',
    '<sip:103@pbx>;index=1.1.1;mp=1.1',
  ])
  assert.deepEqual(written([entry('+49301', '1'), entry('+49302', '1.2')], [stop('102')]), [
    '<sip:+49301@carrier>;index=1',
    '<sip:+49302@carrier>;index=1.2',
    '<sip:102@pbx>;index=1.2.1',
    '<sip:103@pbx>;index=1.2.1.1;mp=1.2.1',
  ])
})

test('a redirection has its reason, somebody private says so (RFC 7044 §10.1.2, §10.2)', () => {
  assert.deepEqual(written([], [stop('101', { redirected: true }), stop('102', { private: true })]), [
    '<sip:101@pbx?Reason=SIP%3Bcause%3D302>;index=1',
    '<sip:102@pbx?Privacy=history>;index=1.1;mp=1',
    '<sip:103@pbx>;index=1.1.1;mp=1.1',
  ])
})
