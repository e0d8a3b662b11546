import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FactBus } from '../events/bus.ts'
import { type MediaReading, Metrics } from './metrics.ts'

const party = { uri: 'sip:101@example.com' }

function start(media: () => Promise<readonly MediaReading[]> = () => Promise.resolve([])) {
  const bus = new FactBus()
  const metrics = new Metrics({
    bus,
    liveCalls: (kind) => (kind === 'pbx' ? 3 : 2),
    registrations: () => 7,
    subscriptions: () => 5,
    trunks: () => [
      { name: 'carrier', state: 'up' },
      { name: 'other', state: 'down' },
      { name: 'third', state: 'unknown' },
    ],
    media,
    mediaIo: 'native',
    mediaPorts: () => ({ inUse: 4, free: 90, resting: 6, takenEarly: 1, exhausted: 2 }),
    mediaWorkers: () => [{ worker: 0, state: 'stalled', downMs: 2500 }],
    sip: () => ({ dialogs: 4, transactions: 5, connections: 6 }),
    load: () => ({ lagMs: 0, busy: 0, refused: 0 }),
    sipCounters: () => ({ malformed: 7 }),
    certificates: () => [{ path: '/etc/a.pem', daysLeft: 12.5 }],
    jobs: () => Promise.resolve([{ kind: 'recording.archive', state: 'failed' as const, jobs: 3 }]),
    jobEnds: () => [{ kind: 'recording.archive', done: 9, retried: 2, failed: 3 }],
  })
  const line = async (name: string) =>
    (await metrics.text()).split('\n').find((text) => text.startsWith(`${name} `) || text.startsWith(`${name}{`))
  return { bus, metrics, line }
}

test('calls are counted by kind and by why they ended; their length from the answer', async () => {
  const { bus, metrics } = start()
  bus.publish({ name: 'call.started', atMs: 0, callId: 'a', kind: 'pbx', from: party, to: party })
  bus.publish({ name: 'call.answered', atMs: 5_000, callId: 'a', legId: 'l' })
  bus.publish({ name: 'call.answered', atMs: 6_000, callId: 'a', legId: 'm' })
  bus.publish({ name: 'call.ended', atMs: 25_000, callId: 'a', reason: 'hangup' })
  bus.publish({ name: 'call.ended', atMs: 26_000, callId: 'a', reason: 'hangup' })
  bus.publish({ name: 'call.started', atMs: 0, callId: 'b', kind: 'siprec', from: party, to: party })
  bus.publish({ name: 'call.ended', atMs: 1_000, callId: 'b', reason: 'failed' })

  const text = await metrics.text()

  assert.match(text, /^patchbay_calls_started_total\{kind="pbx"\} 1$/m)
  assert.match(text, /^patchbay_calls_answered_total\{kind="pbx"\} 1$/m)
  assert.match(text, /^patchbay_calls_ended_total\{kind="pbx",reason="hangup"\} 1$/m)
  assert.match(text, /^patchbay_calls_ended_total\{kind="siprec",reason="failed"\} 1$/m)
  assert.match(text, /^patchbay_call_duration_seconds_sum\{kind="pbx"\} 20$/m)
  assert.doesNotMatch(text, /^patchbay_call_duration_seconds_sum\{kind="siprec"\}/m)
})

test('recordings are counted under the names that monitoring in the field reads', async () => {
  const { bus, metrics } = start()
  const of = { atMs: 0, callId: 'a', recordingId: 'r' }
  const files = { baseName: 'a', files: [], participants: [], durationMs: 3_000 }
  bus.publish({ name: 'recording.started', ...of, folder: '/data' })
  bus.publish({ name: 'recording.stored', ...of, ...files, interrupted: false })
  bus.publish({ name: 'recording.stored', ...of, ...files, interrupted: true })
  bus.publish({ name: 'recording.failed', ...of, code: 'recording.disk-full', text: '' })

  const text = await metrics.text()

  assert.match(text, /^siprec_recordings_started_total\{format="wav"\} 1$/m)
  for (const status of ['success', 'interrupted', 'failed']) {
    assert.match(text, new RegExp(`^siprec_recordings_completed_total\\{format="wav",status="${status}"\\} 1$`, 'm'))
  }
  assert.match(text, /^siprec_recording_errors_total\{error_type="recording.disk-full",format="wav"\} 1$/m)
  assert.match(text, /^siprec_recording_duration_seconds_sum\{format="wav"\} 6$/m)
})

test('what lives now is read when somebody asks', async () => {
  const { line } = start()
  assert.equal(await line('siprec_active_calls'), 'siprec_active_calls 5')
  assert.equal(await line('siprec_sip_sessions_active'), 'siprec_sip_sessions_active 2')
  assert.equal(await line('patchbay_registrations'), 'patchbay_registrations 7')
  assert.equal(await line('patchbay_subscriptions'), 'patchbay_subscriptions 5')
  assert.equal(await line('patchbay_sip_dialogs'), 'patchbay_sip_dialogs 4')
  assert.equal(
    await line('patchbay_tls_certificate_days_left'),
    'patchbay_tls_certificate_days_left{path="/etc/a.pem"} 12.5',
  )
  assert.equal(await line('patchbay_sip_events_total'), 'patchbay_sip_events_total{event="malformed"} 7')
})

test('packets of the media threads add up, also when a thread was started anew', async () => {
  const reading = {
    sessions: 1,
    ports: 2,
    packetsSent: 0,
    cpuMs: 500,
    loopDelayP99Ms: 3,
    frameDelayP99Ms: 2,
    framesSkipped: 4,
    lost: { oversized: 0, unsent: 1, dropped: 5 },
  }
  let readings: MediaReading[] = []
  const { metrics, line } = start(() => Promise.resolve(readings))

  readings = [
    { ...reading, worker: 0, packetsReceived: 100 },
    { ...reading, worker: 1, packetsReceived: 10 },
  ]
  assert.equal(await line('siprec_rtp_packets_received_total'), 'siprec_rtp_packets_received_total 110')
  assert.equal(await line('siprec_ports_in_use'), 'siprec_ports_in_use 4')
  assert.equal(
    await line('patchbay_media_worker_delay_seconds'),
    'patchbay_media_worker_delay_seconds{worker="0"} 0.003',
  )
  readings = [
    { ...reading, worker: 0, packetsReceived: 150 },
    { ...reading, worker: 1, packetsReceived: 3 },
  ]
  assert.equal(await line('siprec_rtp_packets_received_total'), 'siprec_rtp_packets_received_total 163')
  assert.equal(await line('patchbay_media_frame_delay_seconds'), 'patchbay_media_frame_delay_seconds{worker="0"} 0.002')
  assert.equal(await line('patchbay_media_frames_skipped_total'), 'patchbay_media_frames_skipped_total 8')
  assert.match(await metrics.text(), /^patchbay_media_datagrams_lost_total\{why="dropped"\} 10$/m)
  assert.equal(await line('patchbay_media_io_info'), 'patchbay_media_io_info{kind="native"} 1')
})

test('refusals and devices are counted without naming them', async () => {
  const { bus, metrics } = start()
  bus.publish({ name: 'security.refused', atMs: 0, what: 'register', source: '192.0.2.66', why: 'wrong' })
  bus.publish({ name: 'worker.stalled', atMs: 0, worker: 1, callIds: ['a'] })
  bus.publish({ name: 'worker.lost', atMs: 0, worker: 1, callIds: ['a'], why: 'stalled' })
  metrics.httpAnswered({ method: 'GET', route: '/api/calls/:id', status: 200, seconds: 0.01 })

  const text = await metrics.text()

  assert.match(text, /^siprec_authentication_failures_total\{type="register"\} 1$/m)
  assert.match(text, /^patchbay_media_workers_lost_total 1$/m)
  assert.match(text, /^patchbay_media_worker_stalls_total 1$/m)
  assert.match(text, /^patchbay_media_worker_down_seconds\{worker="0"\} 2.5$/m)
  assert.doesNotMatch(text, /192\.0\.2\.66/)
})

test('a trunk is 1 or 0, and absent while nothing is known of it', async () => {
  const text = await start().metrics.text()
  const lines = text.split('\n').filter((line) => line.startsWith('patchbay_trunk_up'))
  assert.deepEqual(lines, ['patchbay_trunk_up{trunk="carrier"} 1', 'patchbay_trunk_up{trunk="other"} 0'])
})

test('how well legs were heard is counted when they end, troubles by their code, ports by their state', async () => {
  const { bus, metrics } = start()
  const quality = {
    mos: 4.1,
    scale: 'narrowband',
    lossShare: 0.02,
    discardShare: 0.01,
    burstRatio: 1,
    jitterMs: 12,
  } as const
  const verdicts = [{ code: 'high-loss', text: 'lost', advice: 'look' }]
  const media = { packetsReceived: 9, packetsLost: 1, packetsSent: 9, jitterMs: 12 }
  const ended = { name: 'leg.ended', atMs: 0, callId: 'a', legId: 'l' } as const
  bus.publish({ ...ended, media: { ...media, quality: { ...quality, delayMs: 60, verdicts } } })
  bus.publish({ ...ended, media })
  bus.publish(ended)

  const text = await metrics.text()

  assert.match(text, /^patchbay_media_mos_bucket\{le="4",scale="narrowband"\} 0$/m)
  assert.match(text, /^patchbay_media_mos_bucket\{le="4.2",scale="narrowband"\} 1$/m)
  assert.match(text, /^patchbay_media_loss_ratio_sum 0.03$/m)
  assert.match(text, /^patchbay_media_jitter_seconds_count 1$/m)
  assert.match(text, /^patchbay_media_delay_seconds_sum 0.06$/m)
  assert.match(text, /^patchbay_media_verdicts_total\{code="high-loss"\} 1$/m)
  assert.match(text, /^patchbay_media_verdicts_total\{code="echo"\} 0$/m)
  assert.match(text, /^patchbay_rtp_port_pairs\{state="resting"\} 6$/m)
  assert.match(text, /^patchbay_rtp_ports_exhausted_total 2$/m)
})

test('jobs are counted as they stand, and by how their attempts ended', async () => {
  const { line } = start()
  assert.equal(await line('patchbay_jobs'), 'patchbay_jobs{kind="recording.archive",state="failed"} 3')
  assert.equal(
    await line('patchbay_job_attempts_total'),
    'patchbay_job_attempts_total{kind="recording.archive",end="done"} 9',
  )
})
