/**
 * Figures of recording sessions under the names that monitoring of loreste/siprec reads, where the value is truly that.
 *
 * Labels from short lists only: `source` of theirs, which a peer chooses, is left out. docs/migrating-from-siprec.md
 * lists which of its 110 names are here.
 */
import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { FactBus } from '../events/bus.ts'

const sessionSeconds = [1, 5, 15, 30, 60, 180, 600, 1_800, 3_600, 7_200]
const setUpSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5]
const pauseSeconds = [1, 5, 15, 30, 60, 180, 600, 1_800]
const fileBytes = [1e5, 1e6, 5e6, 2e7, 1e8, 5e8]

interface Session {
  readonly startedAtMs: number
  transport?: string
  answeredAtMs?: number
}

export function countSessions(registry: Registry, bus: FactBus): void {
  const registers = [registry]
  const counter = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Counter({ name, help, labelNames, registers })
  const created = counter('siprec_sessions_created_total', 'Recording sessions answered', ['transport'])
  const terminated = counter('siprec_sessions_terminated_total', 'Recording sessions that ended', [
    'transport',
    'reason',
  ])
  const failed = counter('siprec_session_failures_total', 'Recording sessions refused or broken off', [
    'transport',
    'failure_type',
  ])
  const length = new Histogram({
    name: 'siprec_session_duration_total_seconds',
    help: 'Length of recording sessions, from answer to end',
    labelNames: ['transport'],
    buckets: sessionSeconds,
    registers,
  })
  const setUp = new Histogram({
    name: 'siprec_sip_session_establish_time_seconds',
    help: 'From the INVITE of a recording session to its answer',
    buckets: setUpSeconds,
    registers,
  })
  const peak = new Gauge({
    name: 'siprec_peak_concurrent_calls',
    help: 'Most calls of all kinds that lived at a time since the start',
    registers,
  })
  let [living, most] = [0, 0]
  const sessions = new Map<string, Session>()

  bus.on('call.started', ({ callId, kind, atMs }) => {
    living++
    most = Math.max(most, living)
    peak.set(most)
    if (kind === 'siprec') sessions.set(callId, { startedAtMs: atMs })
  })
  bus.on('leg.started', ({ callId, transport }) => {
    const session = sessions.get(callId)
    if (session) session.transport ??= transport
  })
  bus.on('call.answered', ({ callId, atMs }) => {
    const session = sessions.get(callId)
    if (!session || session.answeredAtMs !== undefined) return
    session.answeredAtMs = atMs
    created.inc({ transport: session.transport ?? 'unknown' })
    setUp.observe(Math.max(0, atMs - session.startedAtMs) / 1_000)
  })
  bus.on('call.ended', ({ callId, atMs, reason }) => {
    living--
    const session = sessions.get(callId)
    if (!session) return
    sessions.delete(callId)
    const { transport = 'unknown', answeredAtMs } = session
    terminated.inc({ transport, reason })
    if (answeredAtMs !== undefined) length.observe({ transport }, Math.max(0, atMs - answeredAtMs) / 1_000)
    if (answeredAtMs === undefined || !orderly.has(reason)) failed.inc({ transport, failure_type: reason })
  })
}

/** Ends that are nobody's fault. */
const orderly: ReadonlySet<string> = new Set(['hangup', 'shutdown', 'cancelled', 'transferred'])

export function countPauses(registry: Registry, bus: FactBus): void {
  const registers = [registry]
  const paused = new Counter({
    name: 'siprec_sessions_paused_total',
    help: 'Pauses of recordings, by what was paused',
    labelNames: ['pause_type'],
    registers,
  })
  const resumed = new Counter({ name: 'siprec_sessions_resumed_total', help: 'Ends of pauses', registers })
  const length = new Histogram({
    name: 'siprec_session_pause_duration_seconds',
    help: 'Length of pauses',
    labelNames: ['pause_type'],
    buckets: pauseSeconds,
    registers,
  })
  const size = new Histogram({
    name: 'siprec_recording_size_bytes',
    help: 'Size of the files of a recording together',
    labelNames: ['format'],
    buckets: fileBytes,
    registers,
  })
  bus.on('recording.paused', ({ what }) => paused.inc({ pause_type: what }))
  bus.on('recording.resumed', ({ what, pausedMs }) => {
    resumed.inc()
    length.observe({ pause_type: what }, pausedMs / 1_000)
  })
  bus.on('recording.stored', ({ files }) =>
    size.observe(
      { format: 'wav' },
      files.reduce((sum, { bytes }) => sum + bytes, 0),
    ),
  )
}
