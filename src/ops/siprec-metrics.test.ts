import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Registry } from 'prom-client'
import { FactBus } from '../events/bus.ts'
import { countPauses, countSessions } from './siprec-metrics.ts'

function counted() {
  const registry = new Registry()
  const bus = new FactBus()
  countSessions(registry, bus)
  countPauses(registry, bus)
  const value = async (line: string): Promise<string | undefined> =>
    (await registry.metrics())
      .split('\n')
      .find((one) => one.startsWith(`${line} `))
      ?.slice(line.length + 1)
  return { bus, value }
}

const party = { uri: 'sip:a@example.com' }

function session(bus: FactBus, callId: string, atMs: number, kind: 'siprec' | 'pbx' = 'siprec'): void {
  bus.publish({ name: 'call.started', atMs, callId, kind, from: party, to: party })
  const leg = { legId: `${callId}-1`, role: 'stream', party, sipCallId: 'x', transport: 'tcp', remote: 'y' } as const
  bus.publish({ name: 'leg.started', atMs, callId, ...leg })
}

test('a recording session is counted by its transport, with how long it took to answer and to end', async () => {
  const { bus, value } = counted()
  session(bus, 's', 1_000)
  bus.publish({ name: 'call.answered', atMs: 1_020, callId: 's', legId: 's-1' })
  bus.publish({ name: 'call.answered', atMs: 1_030, callId: 's', legId: 's-2' })
  bus.publish({ name: 'call.ended', atMs: 61_020, callId: 's', reason: 'hangup' })
  assert.equal(await value('siprec_sessions_created_total{transport="tcp"}'), '1')
  assert.equal(await value('siprec_sip_session_establish_time_seconds_sum'), '0.02')
  assert.equal(await value('siprec_session_duration_total_seconds_sum{transport="tcp"}'), '60')
  assert.equal(await value('siprec_sessions_terminated_total{transport="tcp",reason="hangup"}'), '1')
  assert.equal(await value('siprec_session_failures_total{transport="tcp",failure_type="hangup"}'), undefined)
})

test('a refused session is a failure and none that was created; calls of phones count for the peak alone', async () => {
  const { bus, value } = counted()
  session(bus, 's', 1_000)
  session(bus, 'c', 1_000, 'pbx')
  bus.publish({ name: 'call.ended', atMs: 1_001, callId: 's', reason: 'no-common-codec' })
  bus.publish({ name: 'call.ended', atMs: 2_000, callId: 'c', reason: 'hangup' })
  session(bus, 't', 3_000)
  assert.equal(await value('siprec_session_failures_total{transport="tcp",failure_type="no-common-codec"}'), '1')
  assert.equal(await value('siprec_sessions_created_total{transport="tcp"}'), undefined)
  assert.equal(await value('siprec_peak_concurrent_calls'), '2')
})

test('pauses are counted by what was paused, with their length', async () => {
  const { bus, value } = counted()
  const of = { callId: 's', recordingId: 'r', by: 'api', what: 'both' } as const
  bus.publish({ name: 'recording.paused', atMs: 1, ...of })
  bus.publish({ name: 'recording.resumed', atMs: 2, ...of, pausedMs: 4_000 })
  assert.equal(await value('siprec_sessions_paused_total{pause_type="both"}'), '1')
  assert.equal(await value('siprec_sessions_resumed_total'), '1')
  assert.equal(await value('siprec_session_pause_duration_seconds_sum{pause_type="both"}'), '4')
})
