/**
 * What is counted, for Prometheus.
 *
 * Counters follow the facts; gauges are read when somebody asks. Names of SIPREC monitoring that is in the field
 * already are kept where the value is truly that; the rest begin with `patchbay_`. Labels take values from short lists
 * only, never what a peer sent.
 */
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import type { FactBus } from '../events/bus.ts'
import type { CallKind } from '../events/catalogue.ts'
import type { WorkerReading } from './health.ts'
import { type JobCount, type JobEnds, readJobs } from './job-metrics.ts'
import { countQuality, type PortReading, readPorts, readWorkers } from './media-metrics.ts'
import { countPauses, countSessions } from './siprec-metrics.ts'

/** What the media threads did, one entry a thread (a part of media's WorkerStats). */
export interface MediaReading {
  readonly worker: number
  readonly sessions: number
  readonly ports: number
  readonly packetsReceived: number
  readonly packetsSent: number
  readonly cpuMs: number
  readonly loopDelayP99Ms: number
  readonly frameDelayP99Ms: number
  readonly framesSkipped: number
  readonly lost: { readonly oversized: number; readonly unsent: number; readonly dropped: number }
}

/** What lives in the SIP stack (its `counts()`). */
export interface SipReading {
  readonly dialogs: number
  readonly transactions: number
  readonly connections: number
}

export interface MetricsOptions {
  readonly bus: FactBus
  readonly liveCalls: (kind: CallKind) => number
  readonly registrations: () => number
  readonly subscriptions: () => number
  /** Trunks of the settings, by name. */
  readonly trunks: () => readonly { readonly name: string; readonly state: 'up' | 'down' | 'unknown' }[]
  readonly media: () => Promise<readonly MediaReading[]>
  readonly mediaPorts: () => PortReading
  readonly mediaWorkers: () => readonly WorkerReading[]
  /** How packets come in and go out: `dgram` or `native`. */
  readonly mediaIo: string
  readonly sip: () => SipReading
  /** How the main thread keeps up (ops/load-watch.ts). */
  readonly load: () => { readonly lagMs: number; readonly busy: number; readonly refused: number }
  /** The TLS certificates in use. */
  readonly certificates: () => readonly CertificateReading[]
  /** Jobs in the table. */
  readonly jobs: () => Promise<readonly JobCount[]>
  /** Jobs that ended since the start. */
  readonly jobEnds: () => readonly JobEnds[]
  /** What the SIP stack counted since the start, by name. */
  readonly sipCounters: () => Readonly<Record<string, number>>
}

export interface CertificateReading {
  readonly path: string
  readonly daysLeft: number
}

export interface HttpReading {
  readonly method: string
  /** The route's pattern, `/api/calls/:id`, never the address asked for. */
  readonly route: string
  readonly status: number
  readonly seconds: number
}

const kinds = ['pbx', 'siprec'] as const
const callSeconds = [1, 5, 15, 30, 60, 180, 600, 1_800, 3_600, 7_200]
const httpSeconds = [0.005, 0.025, 0.1, 0.5, 2.5, 10]

export class Metrics {
  readonly #registry = new Registry()
  readonly #httpSeconds: Histogram<'method' | 'route' | 'status'>
  readonly #readMedia: () => Promise<void>

  constructor(options: MetricsOptions) {
    collectDefaultMetrics({ register: this.#registry })
    this.#httpSeconds = new Histogram({
      name: 'patchbay_http_request_duration_seconds',
      help: 'How long HTTP requests took',
      labelNames: ['method', 'route', 'status'],
      buckets: httpSeconds,
      registers: [this.#registry],
    })
    this.#countCalls(options.bus)
    this.#countRecordings(options.bus)
    this.#countRefusals(options.bus)
    this.#readLive(options)
    this.#readCertificates(options)
    countSessions(this.#registry, options.bus)
    countPauses(this.#registry, options.bus)
    countQuality(this.#registry, options.bus)
    readPorts(this.#registry, options.mediaPorts)
    readJobs(this.#registry, options)
    readWorkers(this.#registry, options.bus, options.mediaWorkers)
    this.#readMedia = this.#mediaReader(options.media)
    this.#tellMediaIo(options.mediaIo)
  }

  /** Of `text`. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** All of it, in the text format of Prometheus. */
  async text(): Promise<string> {
    await this.#readMedia()
    return this.#registry.metrics()
  }

  httpAnswered({ method, route, status, seconds }: HttpReading): void {
    this.#httpSeconds.observe({ method, route, status: String(status) }, seconds)
  }

  #counter<Label extends string>(name: string, help: string, labelNames: readonly Label[] = []): Counter<Label> {
    return new Counter({ name, help, labelNames: [...labelNames], registers: [this.#registry] })
  }

  #countCalls(bus: FactBus): void {
    const started = this.#counter('patchbay_calls_started_total', 'Calls begun', ['kind'])
    const answered = this.#counter('patchbay_calls_answered_total', 'Calls answered', ['kind'])
    const ended = this.#counter('patchbay_calls_ended_total', 'Calls ended, by why', ['kind', 'reason'])
    const digits = this.#counter('patchbay_digits_total', 'Digits pressed (RFC 4733)')
    const duration = new Histogram({
      name: 'patchbay_call_duration_seconds',
      help: 'Length of answered calls, from answer to end',
      labelNames: ['kind'],
      buckets: callSeconds,
      registers: [this.#registry],
    })
    const living = new Map<string, { readonly kind: CallKind; answeredAtMs?: number }>()
    bus.on('call.started', ({ callId, kind }) => {
      living.set(callId, { kind })
      started.inc({ kind })
    })
    bus.on('call.answered', ({ callId, atMs }) => {
      const call = living.get(callId)
      if (!call || call.answeredAtMs !== undefined) return
      call.answeredAtMs = atMs
      answered.inc({ kind: call.kind })
    })
    bus.on('call.ended', ({ callId, atMs, reason }) => {
      const call = living.get(callId)
      if (!call) return
      living.delete(callId)
      ended.inc({ kind: call.kind, reason })
      if (call.answeredAtMs !== undefined) {
        duration.observe({ kind: call.kind }, Math.max(0, atMs - call.answeredAtMs) / 1_000)
      }
    })
    bus.on('leg.digit', () => digits.inc())
  }

  #countRecordings(bus: FactBus): void {
    const format = 'wav'
    const started = this.#counter('siprec_recordings_started_total', 'Recordings begun', ['format'])
    const completed = this.#counter('siprec_recordings_completed_total', 'Recordings ended', ['format', 'status'])
    const errors = this.#counter('siprec_recording_errors_total', 'Recordings that failed', ['error_type', 'format'])
    const duration = new Histogram({
      name: 'siprec_recording_duration_seconds',
      help: 'Length of recordings',
      labelNames: ['format'],
      buckets: callSeconds,
      registers: [this.#registry],
    })
    bus.on('recording.started', () => started.inc({ format }))
    bus.on('recording.stored', ({ durationMs, interrupted }) => {
      completed.inc({ format, status: interrupted ? 'interrupted' : 'success' })
      duration.observe({ format }, durationMs / 1_000)
    })
    bus.on('recording.failed', ({ code }) => {
      completed.inc({ format, status: 'failed' })
      errors.inc({ error_type: code, format })
    })
  }

  #countRefusals(bus: FactBus): void {
    const refused = this.#counter('siprec_authentication_failures_total', 'Requests refused', ['type'])
    const registered = this.#counter('patchbay_registrations_added_total', 'Devices registered')
    bus.on('security.refused', ({ what }) => refused.inc({ type: what }))
    const banned = this.#counter('patchbay_security_bans_total', 'Sources banned, by why', ['why'])
    const bans = new Gauge({
      name: 'patchbay_security_bans',
      help: 'Sources that are banned now',
      registers: [this.#registry],
    })
    bus.on('security.banned', ({ why }) => {
      banned.inc({ why })
      bans.inc()
    })
    bus.on('security.released', () => bans.dec())
    bus.on('registration.added', () => registered.inc())
  }

  #gauge(name: string, help: string, read: () => number): void {
    const gauge: Gauge = new Gauge({ name, help, registers: [this.#registry], collect: () => gauge.set(read()) })
  }

  #readLive({ liveCalls, registrations, subscriptions, trunks, sip, sipCounters, load }: MetricsOptions): void {
    this.#gauge('siprec_active_calls', 'Calls of all kinds that live now', () =>
      kinds.reduce((sum, kind) => sum + liveCalls(kind), 0),
    )
    this.#gauge('siprec_sip_sessions_active', 'SIPREC sessions that live now', () => liveCalls('siprec'))
    this.#gauge('patchbay_registrations', 'Devices registered now', registrations)
    this.#gauge('patchbay_subscriptions', 'Subscriptions of devices to lamps, presence and the like', subscriptions)
    const up = new Gauge({
      name: 'patchbay_trunk_up',
      help: '1 when the trunk answers, 0 when it is down; absent while nothing is known of it',
      labelNames: ['trunk'],
      registers: [this.#registry],
      collect() {
        up.reset()
        for (const { name, state } of trunks()) if (state !== 'unknown') up.set({ trunk: name }, state === 'up' ? 1 : 0)
      },
    })
    this.#gauge('patchbay_sip_dialogs', 'SIP dialogs that live now', () => sip().dialogs)
    this.#gauge('patchbay_sip_transactions', 'SIP transactions that live now', () => sip().transactions)
    this.#gauge('patchbay_sip_connections', 'SIP connections open now', () => sip().connections)
    this.#gauge(
      'patchbay_main_thread_lag_seconds',
      'How late the main thread ran, at most, in the last fifth of a second',
      () => load().lagMs / 1_000,
    )
    this.#gauge('patchbay_main_thread_busy_ratio', 'Share of that time in which it worked', () => load().busy)
    const shed = new Counter({
      name: 'patchbay_calls_shed_total',
      help: 'New calls refused because the main thread was late',
      registers: [this.#registry],
      collect() {
        shed.reset()
        shed.inc(load().refused)
      },
    })
    const event = new Counter({
      name: 'patchbay_sip_events_total',
      help: 'What the SIP stack counted: messagesIn, malformed, guarded, unmatched, …',
      labelNames: ['event'],
      registers: [this.#registry],
      collect() {
        event.reset()
        for (const [name, count] of Object.entries(sipCounters())) event.inc({ event: name }, count)
      },
    })
    this.#gauge('siprec_system_memory_usage_bytes', 'Resident memory', () => process.memoryUsage.rss())
  }

  #readCertificates({ certificates }: MetricsOptions): void {
    const gauge = new Gauge({
      name: 'patchbay_tls_certificate_days_left',
      help: 'Days until a TLS certificate expires; below zero when it has',
      labelNames: ['path'],
      registers: [this.#registry],
      collect() {
        gauge.reset()
        for (const { path, daysLeft } of certificates()) gauge.set({ path }, daysLeft)
      },
    })
  }

  #tellMediaIo(kind: string): void {
    const name = 'patchbay_media_io_info'
    const help = 'How packets come in and go out: by node:dgram or by the native addon'
    new Gauge({ name, help, labelNames: ['kind'], registers: [this.#registry] }).set({ kind }, 1)
  }

  /** One question to the threads sets all that is known of them. */
  #mediaReader(media: MetricsOptions['media']): () => Promise<void> {
    const registers = [this.#registry]
    const received = this.#counter('siprec_rtp_packets_received_total', 'RTP packets received')
    const sent = this.#counter('patchbay_rtp_packets_sent_total', 'RTP packets sent')
    const cpu = this.#counter('patchbay_media_worker_cpu_seconds_total', 'Processor time of a media thread', ['worker'])
    const lost = this.#counter('patchbay_media_datagrams_lost_total', 'Datagrams lost here: why', ['why'])
    const ports = new Gauge({ name: 'siprec_ports_in_use', help: 'RTP ports in use', registers })
    const delay = new Gauge({
      name: 'patchbay_media_worker_delay_seconds',
      help: 'How late a media thread runs, 99th percentile since the last reading',
      labelNames: ['worker'],
      registers,
    })
    const frameDelay = new Gauge({
      name: 'patchbay_media_frame_delay_seconds',
      help: 'How late the 20 ms clock of sound runs, 99th percentile since the last reading; 0 while nothing needs it',
      labelNames: ['worker'],
      registers,
    })
    const skipped = this.#counter('patchbay_media_frames_skipped_total', 'Ticks of 20 ms that a media thread left out')
    const before = new Map<number, MediaReading>()
    return async () => {
      const readings = await media()
      ports.set(readings.reduce((sum, reading) => sum + reading.ports, 0))
      for (const reading of readings) {
        const last = before.get(reading.worker)
        const worker = String(reading.worker)
        received.inc(grown(last?.packetsReceived, reading.packetsReceived))
        sent.inc(grown(last?.packetsSent, reading.packetsSent))
        for (const why of ['oversized', 'unsent', 'dropped'] as const)
          lost.inc({ why }, grown(last?.lost[why], reading.lost[why]))
        cpu.inc({ worker }, grown(last?.cpuMs, reading.cpuMs) / 1_000)
        delay.set({ worker }, reading.loopDelayP99Ms / 1_000)
        frameDelay.set({ worker }, reading.frameDelayP99Ms / 1_000)
        skipped.inc(grown(last?.framesSkipped, reading.framesSkipped))
        before.set(reading.worker, reading)
      }
    }
  }
}

/** How much a count grew; a thread that was started anew counts from zero. */
const grown = (before: number | undefined, now: number): number =>
  before === undefined || now < before ? now : now - before
