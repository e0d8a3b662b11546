/** Joins what people and programs see of the server: accounts, health, metrics, the console's build, the API. */
import { domainOf } from './addresses.ts'
import type { SettingsDesk } from './api/deps.ts'
import { createApi } from './api/server.ts'
import { type Auth, createAuth } from './auth/auth.ts'
import { ensureAdmin } from './auth/users.ts'
import { daysLeft } from './certificates.ts'
import type { Foundation } from './foundation.ts'
import { httpsIdentity } from './https-identity.ts'
import type { CallSide } from './join-calls.ts'
import { ensureConsoleBuilt } from './ops/console-build.ts'
import { folderHasRoom, Health, workersRun } from './ops/health.ts'
import { keepsUp } from './ops/load-watch.ts'
import { Metrics } from './ops/metrics.ts'
import { digestHashes } from './sip/auth/digest.ts'
import { version } from './version.ts'

/** The side of the server that speaks HTTP. */
export interface WebSide {
  readonly auth: Auth
  readonly health: Health
  readonly url: string
  /** Made now, when nobody may administer yet and no password was set. */
  readonly adminPassword: string | undefined
  /** The console is built and served. */
  readonly consoleReady: Promise<void>
  /** Of HTTPS. @throws {StartError} What is wrong with its files. */
  readonly renewCertificate: () => void
}

/** @throws {ApiError} `api.port-in-use`, `api.cannot-listen` */
export async function joinWeb(foundation: Foundation, calls: CallSide, settingsDesk: SettingsDesk): Promise<WebSide> {
  const { settings, clock, log, bus, database, jobs, audit, life, recordingDir, closing } = foundation
  const { live, registrar, trunks, sender, listening } = calls
  const { http } = settings
  const tokens = { secret: http.jwtSecret, issuer: http.jwtIssuer, lifeMs: http.tokenExpiry }
  const auth = createAuth({ ...database, clock, bus, tokens })
  if (http.keysInUrl) log.warn('Keys are taken in addresses (HTTP_KEYS_IN_URL), which logs and histories keep')
  const adminPassword = await ensureAdmin({
    users: database.users,
    clock,
    name: http.adminName,
    ...(settings.http.adminPassword && { password: settings.http.adminPassword }),
  })
  const health = makeHealth(foundation, calls)
  const consoleBuild = buildConsole(foundation)
  const tls = httpsIdentity(settings)
  const api = await createApi({
    version,
    clock,
    log,
    bus,
    history: database.history,
    liveCalls: live,
    liveRecordings: calls.recordings,
    directory: database.directory,
    registrations: registrar,
    trunks,
    sender,
    siprecPeers: calls.siprecPeers,
    orderRecording: (id, contact) => calls.reception.order(id, contact),
    auth,
    jobs,
    jobList: database.jobs,
    archive: foundation.archive,
    audit,
    life,
    bans: calls.bans,
    health,
    mediaIo: calls.media.io,
    ...(settings.http.metrics && { metrics: makeMetrics(foundation, calls) }),
    recordingDir,
    openKey: foundation.keys.openKey,
    proofs: foundation.proofs,
    digestHashes: (username, password) => digestHashes(username, settings.sip.realm, password),
    sipMessages: calls.sipMessages,
    sip: () => ({ domain: domainOf(calls.publicIp, listening), listeners: listening }),
    settingsDesk,
    pauseDefaults: () => {
      const { pausesRecording, pausesTranscription } = foundation.live.now.recording
      return { recording: pausesRecording, transcription: pausesTranscription }
    },
    consoleFolder: consoleBuild.folder,
    settings: {
      ...(tls && { tls }),
      trustedProxies: http.trustedProxies,
      requestsPerMinute: () => foundation.live.now.http.requestsPerMinute,
      apiKeys: http.apiKeys,
      keysInUrl: http.keysInUrl,
      ...(http.pauseKey && { pauseKey: http.pauseKey }),
    },
  })
  closing.push(() => api.close())
  const url = await api.listen({ host: settings.http.host, port: settings.http.port })
  const renewCertificate = (): void => api.renewCertificate()
  return { auth, health, url, adminPassword, consoleReady: consoleBuild.ready, renewCertificate }
}

function makeHealth(
  { clock, database, jobs, archive, recordingDir, recordingsWritable }: Foundation,
  { live, media, load }: CallSide,
): Health {
  return new Health({
    version,
    clock,
    checks: {
      database: () => database.ping(),
      recordings: recordingsWritable,
      disk: folderHasRoom(recordingDir),
      load: keepsUp(load),
      media: workersRun(() => media.workers()),
      jobs: () => jobs.summary(),
      ...(archive.stores.length > 0 && { archive: () => Promise.resolve(archive.summary()) }),
    },
    activeCalls: () => live.size,
    portsInUse: () => media.portStats().inUse,
  })
}

function makeMetrics(
  { bus, clock, jobs }: Foundation,
  { live, registrar, events, trunks, media, stack, load, sipCounts, certificates }: CallSide,
): Metrics {
  return new Metrics({
    bus,
    liveCalls: (kind) => live.list().filter((call) => call.snapshot().kind === kind).length,
    registrations: () => registrar.count(),
    subscriptions: () => events.count,
    trunks: () => trunks.list(),
    media: () => media.stats(),
    mediaWorkers: () => media.workers(),
    mediaPorts: () => media.portStats(),
    mediaIo: media.io,
    jobs: () => jobs.counts(),
    jobEnds: () => jobs.ends,
    sip: () => stack.counts(),
    load: () => ({ ...load.reading, refused: load.refused }),
    sipCounters: sipCounts,
    certificates: () => certificates.list().map((one) => ({ path: one.path, daysLeft: daysLeft(one, clock.wallMs()) })),
  })
}

/** Calls need no console: it is built while they are taken already. */
function buildConsole({ log, closing }: Foundation): { ready: Promise<void>; folder: () => string | undefined } {
  const stopping = new AbortController()
  closing.push(async () => stopping.abort())
  let built: string | undefined
  const ready = ensureConsoleBuilt({ log, signal: stopping.signal }).then((folder) => void (built = folder))
  return { ready, folder: () => built }
}
