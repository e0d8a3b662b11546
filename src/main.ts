/**
 * The server: takes settings, joins the parts, starts them in order, stops them in reverse. Only this file and its
 * neighbours know all folders.
 *
 *   cli/, demo/, tests  ── settings ─▶  startServer  ─▶  RunningServer { sip, url, stop() }
 *                                         └─ foundation.ts, then join-calls.ts, then join-web.ts
 */
import type { SipAddress } from './addresses.ts'
import { checkPasswords, takeFromFile } from './administration.ts'
import type { Auth } from './auth/auth.ts'
import { userName } from './auth/users.ts'
import { sleep } from './core/clock.ts'
import { createLogger, type Logger } from './core/logger.ts'
import { LiveSettings } from './core/settings/live.ts'
import type { LoadedSettings } from './core/settings/load.ts'
import { type Foundation, layFoundation } from './foundation.ts'
import { httpsIdentity } from './https-identity.ts'
import { type CallSide, joinCalls } from './join-calls.ts'
import { joinWeb, type WebSide } from './join-web.ts'
import type { Health } from './ops/health.ts'
import type { IsKept } from './recording/finish.ts'
import type { Manifest } from './recording/manifest.ts'
import { findInterrupted, repairInterrupted } from './recording/repair.ts'
import { createSettingsDesk } from './settings-desk.ts'
import { noteSettings } from './settings-notes.ts'
import { SettingsReload } from './settings-reload.ts'
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
  /** Read settings and certificates again. A fault in them goes to the log, and the settings of before stay. */
  reloadSettings(): Promise<void>
  /**
   * The clean stop: no new calls, BYE to those that live, files finished; bounded by `shutdownTimeout`. Twice is fine.
   */
  stop(): Promise<void>
}

export interface StartOptions {
  readonly loaded: LoadedSettings
  readonly log?: Logger
  /** Reads the settings again, for changes while the server runs; without it there are none. @throws {SettingsError} */
  readonly again?: () => LoadedSettings
}

/** @throws {StartError | SettingsError | DatabaseError} After closing what was open already. */
export async function startServer({ loaded, log: given, again }: StartOptions): Promise<RunningServer> {
  const closing: (() => Promise<unknown>)[] = []
  const live = new LiveSettings(loaded.settings)
  const log = given ?? createLogger({ level: () => live.now.log.level, pii: loaded.settings.log.pii })
  noteSettings(loaded, log)
  try {
    return await assemble({ loaded, live, log, again }, closing)
  } catch (error) {
    for (const close of closing.toReversed()) await close().catch(() => {})
    throw asStartError(error)
  }
}

interface Start {
  readonly loaded: LoadedSettings
  readonly live: LiveSettings
  readonly log: Logger
  readonly again: StartOptions['again']
}

async function assemble(start: Start, closing: Foundation['closing']): Promise<RunningServer> {
  const { live, log } = start
  const foundation = await layFoundation(live, log, closing)
  const { recordingDir: folder, keys, database } = foundation
  const isKept: IsKept = (recordingId) => database.isKept(recordingId)
  const interrupted = await findInterrupted({ folder, keys, isKept, log })
  const goingOn = new Set(foundation.sessions.goingOn.map(({ id }) => id))
  const isUnfinished = ({ callId }: Manifest): boolean => goingOn.has(callId)
  const calls = await joinCalls(foundation, {
    reserved: interrupted.filter((manifest) => !isUnfinished(manifest)).map(({ name }) => name),
    unfinished: interrupted.filter(isUnfinished),
  })
  const left = interrupted.filter(({ callId }) => !goingOn.has(callId) || calls.notTakenUp.includes(callId))
  let https: Pick<WebSide, 'renewCertificate'> | undefined
  const reload = joinReload(start, foundation, () => {
    calls.certificates.reload()
    https?.renewCertificate()
  })
  const settingsDesk = createSettingsDesk({ live, loaded: start.loaded, reload })
  const web = await joinWeb(foundation, calls, settingsDesk)
  const { auth, health, url, adminPassword, consoleReady } = web
  https = web
  await foundation.jobs.start()
  await foundation.life.erasures.resume()
  foundation.life.retention.start()
  health.started()
  log.info('Patchbay is ready', { version, url, sip: calls.listening, mediaIo: calls.media.io })
  repairMeanwhile(foundation, left)
  return {
    sip: calls.listening,
    url,
    adminPassword,
    consoleReady,
    oneTimeCode: () => oneTimeCode(auth, foundation),
    reloadCertificates: () => calls.certificates.reload(),
    async reloadSettings() {
      const outcome = await reload?.reload('signal')
      // A renewed certificate is taken beside a wrong setting too.
      if (!outcome?.ok) calls.certificates.reload()
    },
    stop: once(() => stopAll(foundation, calls, health)),
  }
}

function joinReload(
  { loaded, live, again }: Start,
  foundation: Foundation,
  renewCertificates: () => void,
): SettingsReload | undefined {
  if (!again) return undefined
  const { settings, clock, log, bus, audit, database, closing } = foundation
  const reload = new SettingsReload({
    live,
    read: again,
    check(next) {
      checkPasswords(next.extensions)
      httpsIdentity(next)?.()
    },
    also: [() => takeFromFile(database.directory, settings.sip.realm, live.now.extensions), renewCertificates],
    configFile: loaded.configFile,
    clock,
    log,
    bus,
    audit,
  })
  closing.push(async () => reload.close())
  return reload
}

/** Calls are taken meanwhile: after a crash there may be hours of audio to put together. */
function repairMeanwhile(foundation: Foundation, interrupted: readonly Manifest[]): void {
  const { settings, recordingDir: folder, keys, database, bus, clock, log, closing } = foundation
  const { combineLegs, loudness, decoders } = settings.recording
  const loudnessLufs = loudness === 0 ? undefined : loudness
  const stopping = new AbortController()
  const { signal } = stopping
  const repaired = repairInterrupted(interrupted, {
    folder,
    combineLegs,
    loudnessLufs,
    decoders,
    keys,
    isKept: (recordingId) => database.isKept(recordingId),
    bus,
    clock,
    log,
    signal,
  })
  closing.push(async () => {
    stopping.abort()
    await repaired
  })
}

async function oneTimeCode({ codes }: Auth, { settings, database: { users } }: Foundation): Promise<string> {
  const name = userName(settings.http.adminName)
  const admin = await users.byName(name)
  if (!admin) throw new StartError(`there is no user ${name} to sign in`)
  return codes.issue(admin)
}

async function stopAll(
  { settings, sessions, clock, log, closing }: Foundation,
  { desk, siprec, live, recordings }: CallSide,
  health: Health,
): Promise<void> {
  log.info('Stopping', { calls: live.size })
  health.stopping()
  desk.close()
  if (settings.siprec.handover) await siprec.handOver(sessions.keeper)
  const ended = live.endAll('shutdown').then(() => recordings.settled())
  const late = await Promise.race([ended.then(() => false), sleep(clock, settings.shutdownTimeout).then(() => true)])
  if (late)
    // The next start finishes what is left of them.
    log.warn('Stopping without the answers to some BYEs', { unfinishedRecordings: recordings.finishing })
  for (const close of closing.toReversed())
    await close().catch((error: unknown) => log.error('A part did not close', { error: String(error) }))
  log.info('Stopped')
}

function once(run: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined
  return () => (running ??= run())
}

/**
 * `patchbay serve`: start, print where, stop on SIGTERM or SIGINT.
 * @param read Reads the settings: now, and each time they may have changed.
 * @returns The exit status.
 */
export async function serveUntilStopped(read: () => LoadedSettings): Promise<number> {
  const loaded = read()
  const server = await startServer({ loaded, again: read })
  if (server.adminPassword)
    process.stderr.write(
      `\nFirst start: sign in at ${server.url} as ${loaded.settings.http.adminName} with the password ${server.adminPassword}   (shown once)\n\n`,
    )
  process.on('SIGHUP', () => void server.reloadSettings())
  await new Promise<void>((stop) => {
    process.once('SIGTERM', stop)
    process.once('SIGINT', stop)
  })
  await server.stop()
  return 0
}
