/**
 * The server: the only file that knows all folders. Reads nothing itself; takes settings, joins the parts, starts them
 * in order, stops them in reverse.
 *
 *   cli/, demo/, tests  ── settings ─▶  startServer  ─▶  RunningServer { sip, url, stop() }
 */
import { resolve } from 'node:path'
import { advertiser, domainOf, mediaSettings, reachableAt, type SipAddress, sipSockets } from './addresses.ts'
import { databasePath, takeFromFile } from './administration.ts'
import { createApi } from './api/server.ts'
import { type Auth, createAuth } from './auth/auth.ts'
import { ensureAdmin } from './auth/users.ts'
import { LiveCalls } from './call/live-calls.ts'
import type { CallServices } from './call/services.ts'
import { tlsIdentityFrom, watchCertificates } from './certificates.ts'
import { sleep, systemClock } from './core/clock.ts'
import { createLogger, type Logger } from './core/logger.ts'
import { parseNetworks } from './core/networks.ts'
import type { LoadedSettings } from './core/settings/load.ts'
import type { Settings } from './core/settings/schema.ts'
import { type Database, openDatabase } from './database/open.ts'
import { FactBus } from './events/bus.ts'
import { allowedMethods, FrontDesk } from './front-desk.ts'
import { createMediaPlane } from './media/plane.ts'
import { ensureConsoleBuilt } from './ops/console-build.ts'
import { folderIsWritable, Health } from './ops/health.ts'
import { Metrics } from './ops/metrics.ts'
import { Dialplan } from './pbx/dialplan.ts'
import { Gatekeeper } from './pbx/gatekeeper.ts'
import { Registrar } from './pbx/registrar.ts'
import { readTrunk } from './pbx/trunks.ts'
import { repairInterrupted } from './recording/repair.ts'
import { Recordings } from './recording/service.ts'
import { DigestVerifier, digestHashes } from './sip/auth/digest.ts'
import { createSipStack } from './sip/stack.ts'
import { SipTrace } from './sip/trace.ts'
import { isSiprec } from './siprec/body.ts'
import { SiprecServer } from './siprec/server.ts'
import { asStartError, StartError } from './start-error.ts'
import { version } from './version.ts'

export interface RunningServer {
  /** Addresses SIP is spoken at, as bound. */
  readonly sip: readonly SipAddress[]
  /** The console and API. */
  readonly url: string
  /** Made at the first start, when no password was set: print it once. */
  readonly adminPassword: string | undefined
  /** The console is built and served. */
  readonly consoleReady: Promise<void>
  /** A code that signs one browser in, once, within ten minutes. */
  oneTimeCode(): Promise<string>
  /** Read certificate and key again. A fault in them goes to the log and changes nothing. */
  reloadCertificates(): void
  /**
   * The clean stop: no new calls, BYE to those that live, files finished; bounded by `shutdownTimeout`. Twice is fine.
   */
  stop(): Promise<void>
}

export interface StartOptions {
  readonly loaded: LoadedSettings
  readonly log?: Logger
}

/** @throws {StartError | SettingsError | DatabaseError} After closing what was open already. */
export async function startServer({
  loaded: { settings },
  log = defaultLog(settings),
}: StartOptions): Promise<RunningServer> {
  const closing: (() => Promise<unknown>)[] = []
  try {
    return await assemble(settings, log, closing)
  } catch (error) {
    for (const close of closing.toReversed()) await close().catch(() => {})
    throw asStartError(error)
  }
}

const defaultLog = ({ log }: Settings): Logger => createLogger({ level: log.level, pii: log.pii })

async function assemble(settings: Settings, log: Logger, closing: (() => Promise<unknown>)[]): Promise<RunningServer> {
  const clock = systemClock
  const bus = new FactBus((error) => log.error('A listener of facts failed', { error: String(error) }))
  const recordingDir = resolve(settings.recording.dir)

  // A call whose recording has nowhere to go is found out now, not when it is lost.
  const recordingsWritable = folderIsWritable(recordingDir)
  await recordingsWritable()
  const database = await openDatabase({ path: databasePath(settings), log })
  closing.push(() => database.close())
  database.keep(bus, clock)
  await takeFromFile(database.directory, settings.sip.realm, settings.extensions)
  await database.markInterrupted(clock.wallMs())
  const { combineLegs } = settings.recording
  await repairInterrupted({ folder: recordingDir, combineLegs, bus, clock, log })

  const media = await createMediaPlane(mediaSettings(settings), {
    log,
    onWorkerLost: (worker, callIds) => bus.publish({ name: 'worker.lost', atMs: clock.wallMs(), worker, callIds }),
  })
  closing.push(() => media.close())
  const live = new LiveCalls()
  const trace = new SipTrace(clock)
  const registrar = new Registrar({
    clock,
    bus,
    minExpiresMs: settings.sip.minExpires,
    maxExpiresMs: settings.sip.maxExpires,
  })
  closing.push(async () => registrar.close())
  const gatekeeper = makeGatekeeper(settings, database, bus)
  const tls = tlsIdentityFrom(settings)
  const certificates = watchCertificates(tls, clock, log)
  closing.push(async () => certificates.close())
  const stack = await createSipStack({
    clock,
    log,
    listen: sipSockets(settings),
    tls,
    ...(settings.nat.behindNat && { advertisedIp: settings.nat.externalIp }),
    userAgent: `Patchbay/${version}`,
    supported: ['siprec'],
    allow: allowedMethods,
    guard: gatekeeper.admit,
    observe: trace.observe,
  })
  closing.push(() => stack.close())

  const recordings = new Recordings({ folder: recordingDir, combineLegs, bus, clock, log })
  const services: CallServices = {
    clock,
    log,
    stack,
    media,
    bus,
    live,
    recorder: recordings,
    advertisedIp: advertiser(settings),
    messages: (sipCallIds) => trace.messages(sipCallIds),
    rtpTimeoutMs: settings.rtp.timeout,
  }
  const dialplan = new Dialplan({
    gatekeeper,
    directory: database.directory,
    registrar,
    trunks: settings.trunks.map(readTrunk),
    services,
  })
  const siprec = new SiprecServer(
    { ...services, recordings },
    // The gatekeeper has admitted the source, by address or by digest.
    { admit: () => true, streamSilentMs: settings.rtp.timeout, askWhenSilentMs: settings.siprec.askWhenSilent },
  )
  const desk = new FrontDesk({ gatekeeper, registrar, dialplan, siprec, live, maxCalls: settings.sip.maxCalls })
  stack.on('request', (incoming) => desk.request(incoming))
  stack.on('invite', (invite) => desk.invite(invite))

  const auth = createAuth({ ...database, clock, bus })
  const adminPassword = await ensureAdmin({
    users: database.users,
    clock,
    ...(settings.http.adminPassword && { password: settings.http.adminPassword }),
  })
  const health = new Health({
    version,
    clock,
    checks: { database: () => database.ping(), recordings: recordingsWritable },
    activeCalls: () => live.size,
    portsInUse: async () => (await media.stats()).reduce((sum, { ports }) => sum + ports, 0),
  })
  const metrics = new Metrics({
    bus,
    liveCalls: (kind) => live.list().filter((call) => call.snapshot().kind === kind).length,
    registrations: () => registrar.count(),
    media: () => media.stats(),
    sip: () => stack.counts(),
    sipCounters: () => ({ ...stack.counters }),
  })
  const listening = reachableAt(stack.listening)
  let consoleFolder: string | undefined
  // Calls need no console: it is built while they are taken already.
  const stopBuilding = new AbortController()
  closing.push(async () => stopBuilding.abort())
  const consoleReady = ensureConsoleBuilt({ log, signal: stopBuilding.signal }).then(
    (folder) => void (consoleFolder = folder),
  )
  const api = await createApi({
    version,
    clock,
    log,
    bus,
    history: database.history,
    liveCalls: live,
    directory: database.directory,
    registrations: registrar,
    auth,
    health,
    ...(settings.http.metrics && { metrics }),
    recordingDir,
    digestHashes: (username, password) => digestHashes(username, settings.sip.realm, password),
    sip: () => ({ domain: domainOf(settings, listening), listeners: listening }),
    consoleFolder: () => consoleFolder,
  })
  closing.push(() => api.close())
  const url = await api.listen({ host: settings.http.host, port: settings.http.port })
  health.started()
  log.info('Patchbay is ready', { version, url, sip: listening })

  return {
    sip: listening,
    url,
    adminPassword,
    consoleReady,
    oneTimeCode: () => oneTimeCode(auth, database),
    reloadCertificates: () => certificates.reload(),
    stop: once(() => stopAll({ settings, log, desk, health, live, recordings, closing })),
  }
}

function makeGatekeeper(settings: Settings, { directory }: Database, bus: FactBus): Gatekeeper {
  const peers = settings.siprecPeers.flatMap(({ sources }) => sources)
  return new Gatekeeper({
    digest: new DigestVerifier({
      realm: settings.sip.realm,
      clock: systemClock,
      nonceLifeMs: settings.sip.nonceTimeout,
      algorithms: settings.sip.authAlgorithms,
    }),
    directory,
    trunks: settings.trunks.map(readTrunk),
    siprecSources: parseNetworks([...settings.siprec.allowedSources, ...peers]),
    isSiprec,
    bus,
    wallMs: () => systemClock.wallMs(),
  })
}

async function oneTimeCode({ codes }: Auth, { users }: Database): Promise<string> {
  const admin = await users.byName('admin')
  if (!admin) throw new StartError('there is no user admin to sign in')
  return codes.issue(admin)
}

interface Stopping {
  readonly settings: Settings
  readonly log: Logger
  readonly desk: FrontDesk
  readonly health: Health
  readonly live: LiveCalls
  readonly recordings: Recordings
  readonly closing: readonly (() => Promise<unknown>)[]
}

async function stopAll({ settings, log, desk, health, live, recordings, closing }: Stopping): Promise<void> {
  log.info('Stopping', { calls: live.size })
  health.stopping()
  desk.close()
  const ended = live.endAll('shutdown').then(() => recordings.settled())
  const late = await Promise.race([
    ended.then(() => false),
    sleep(systemClock, settings.shutdownTimeout).then(() => true),
  ])
  if (late)
    log.warn('Some calls did not end in time; their recordings are finished at the next start', { calls: live.size })
  for (const close of closing.toReversed())
    await close().catch((error: unknown) => log.error('A part did not close', { error: String(error) }))
  log.info('Stopped')
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => (running ??= run())
}

/** `patchbay serve`: start, print where, stop on SIGTERM or SIGINT. @returns The exit status. */
export async function serveUntilStopped(loaded: LoadedSettings): Promise<number> {
  const server = await startServer({ loaded })
  if (server.adminPassword)
    process.stderr.write(
      `\nFirst start: sign in at ${server.url} as admin with the password ${server.adminPassword}   (shown once)\n\n`,
    )
  process.on('SIGHUP', () => server.reloadCertificates())
  await new Promise<void>((stop) => {
    process.once('SIGTERM', stop)
    process.once('SIGINT', stop)
  })
  await server.stop()
  return 0
}
