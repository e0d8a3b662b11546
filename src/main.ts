/**
 * The server: takes settings, joins the parts, starts them in order, stops them in reverse. Only this file and its
 * neighbours know all folders.
 *
 *   cli/, demo/, tests  ── settings ─▶  startServer  ─▶  RunningServer { sip, url, stop() }
 *                                         └─ foundation.ts, then join-calls.ts, then join-web.ts
 */
import type { SipAddress } from './addresses.ts'
import type { Auth } from './auth/auth.ts'
import { sleep } from './core/clock.ts'
import { createLogger, type Logger } from './core/logger.ts'
import type { LoadedSettings } from './core/settings/load.ts'
import type { Settings } from './core/settings/schema.ts'
import type { Database } from './database/open.ts'
import { type Foundation, layFoundation } from './foundation.ts'
import { type CallSide, joinCalls } from './join-calls.ts'
import { joinWeb } from './join-web.ts'
import type { Health } from './ops/health.ts'
import type { Manifest } from './recording/manifest.ts'
import { findInterrupted, repairInterrupted } from './recording/repair.ts'
import { noteSettings } from './settings-notes.ts'
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

async function assemble(settings: Settings, log: Logger, closing: Foundation['closing']): Promise<RunningServer> {
  const foundation = await layFoundation(settings, log, closing)
  const interrupted = await findInterrupted({ folder: foundation.recordingDir, keys: foundation.keys, log })
  const reserved = interrupted.map(({ name }) => name)
  const calls = await joinCalls(foundation, reserved)
  const { auth, health, url, adminPassword, consoleReady } = await joinWeb(foundation, calls)
  await foundation.jobs.start()
  foundation.life.retention.start()
  health.started()
  log.info('Patchbay is ready', { version, url, sip: calls.listening, mediaIo: calls.media.io })
  repairMeanwhile(foundation, interrupted)
  return {
    sip: calls.listening,
    url,
    adminPassword,
    consoleReady,
    oneTimeCode: () => oneTimeCode(auth, foundation.database),
    reloadCertificates: () => calls.certificates.reload(),
    stop: once(() => stopAll(foundation, calls, health)),
  }
}

/** Calls are taken meanwhile: after a crash there may be hours of audio to put together. */
function repairMeanwhile(foundation: Foundation, interrupted: readonly Manifest[]): void {
  const { settings, recordingDir: folder, keys, bus, clock, log, closing } = foundation
  const { combineLegs, loudness } = settings.recording
  const loudnessLufs = loudness === 0 ? undefined : loudness
  const stopping = new AbortController()
  const { signal } = stopping
  const repaired = repairInterrupted(interrupted, { folder, combineLegs, loudnessLufs, keys, bus, clock, log, signal })
  closing.push(async () => {
    stopping.abort()
    await repaired
  })
}

async function oneTimeCode({ codes }: Auth, { users }: Database): Promise<string> {
  const admin = await users.byName('admin')
  if (!admin) throw new StartError('there is no user admin to sign in')
  return codes.issue(admin)
}

async function stopAll(
  { settings, clock, log, closing }: Foundation,
  { desk, live, recordings }: CallSide,
  health: Health,
): Promise<void> {
  log.info('Stopping', { calls: live.size })
  health.stopping()
  desk.close()
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

/** `patchbay serve`: start, print where, stop on SIGTERM or SIGINT. @returns The exit status. */
export async function serveUntilStopped(loaded: LoadedSettings): Promise<number> {
  const log = defaultLog(loaded.settings)
  noteSettings(loaded, log)
  const server = await startServer({ loaded, log })
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
