/**
 * The settings read again while the server runs: when the file changes, at SIGHUP, by the API.
 *
 *   file, SIGHUP, api/ ── reload ─▶  here ── read ─▶ core/settings/load.ts
 *                                     ├─ what can change at once ─▶ LiveSettings, extensions, certificates
 *                                     └─ what became of it ─▶ fact, audit record, status
 *
 * A wrong file changes nothing: the settings of before stay in force, and what is wrong is told once for each try.
 */
import { stat } from 'node:fs/promises'
import type { Audit } from './audit/audit.ts'
import type { Clock, Timer } from './core/clock.ts'
import type { Logger } from './core/logger.ts'
import type { LiveSettings, SettingsChange } from './core/settings/live.ts'
import { type LoadedSettings, SettingsError } from './core/settings/load.ts'
import type { Settings } from './core/settings/schema.ts'
import type { FactBus } from './events/bus.ts'
import { StartError } from './start-error.ts'

/** Who asked, for the fact and the audit record: `file`, `signal`, or a user's name. */
export type ReloadCause = 'file' | 'signal' | 'api'

export interface ReloadOutcome extends SettingsChange {
  readonly atMs: number
  readonly by: ReloadCause
  readonly ok: boolean
  /** The line that says what is wrong. */
  readonly error?: string
}

export interface SettingsReloadOptions {
  readonly live: LiveSettings
  /** Reads all of it again. @throws {SettingsError} */
  readonly read: () => LoadedSettings
  /** Looks at what a setting leads to, before anything changes. @throws {SettingsError | StartError} */
  readonly check: (next: Settings) => void
  /** What is done besides, in order, when the settings were taken: each gets those in force. */
  readonly also: readonly (() => Promise<void> | void)[]
  readonly configFile: string | undefined
  readonly clock: Clock
  readonly log: Logger
  readonly bus: FactBus
  readonly audit: Pick<Audit, 'record'>
  /** The file's size and time of change; undefined when it is not there. */
  readonly look?: (path: string) => Promise<string | undefined>
}

export class SettingsReload {
  readonly #options: SettingsReloadOptions
  #last: ReloadOutcome | undefined
  #running: Promise<unknown> = Promise.resolve()
  #timer: Timer | undefined
  #closed = false

  constructor(options: SettingsReloadOptions) {
    this.#options = options
    const { reload } = options.live.now
    if (reload.watch && options.configFile !== undefined) void this.#watch(options.configFile, reload.every)
  }

  get watched(): string | undefined {
    return this.#options.live.now.reload.watch ? this.#options.configFile : undefined
  }

  /** The last try. */
  get last(): ReloadOutcome | undefined {
    return this.#last
  }

  /** One after the other. Never rejects: what is wrong is in the outcome. */
  reload(by: ReloadCause): Promise<ReloadOutcome> {
    const outcome = this.#running.then(() => this.#reload(by))
    this.#running = outcome
    return outcome
  }

  close(): void {
    this.#closed = true
    this.#timer?.cancel()
  }

  async #reload(by: ReloadCause): Promise<ReloadOutcome> {
    const { live, read, check, also, clock, log, bus } = this.#options
    const atMs = clock.wallMs()
    try {
      const { settings } = read()
      check(settings)
      const change = live.change(settings)
      for (const step of also) await step()
      this.#last = { atMs, by, ok: true, ...change }
      bus.publish({ name: 'server.settings-changed', atMs, by, ...change })
      log.info('The settings were read again', { by, ...change })
      if (by !== 'api') await this.#record(by, change)
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown.message : String(thrown)
      this.#last = { atMs, by, ok: false, error, applied: [], waiting: [] }
      bus.publish({ name: 'server.settings-refused', atMs, by, error })
      const sentence = 'The settings were not taken; those of before stay in force'
      const expected = thrown instanceof SettingsError || thrown instanceof StartError
      log[expected ? 'warn' : 'error'](sentence, { by, error })
    }
    return this.#last
  }

  /** What the API is asked for it records itself. */
  async #record(by: ReloadCause, change: SettingsChange): Promise<void> {
    if (change.applied.length === 0) return
    const details = { by, ...change }
    await this.#options.audit
      .record({ who: 'server', via: 'server', action: 'settings.reloaded', details })
      .catch((error: unknown) =>
        this.#options.log.error('The audit record of changed settings was not kept', { error: String(error) }),
      )
  }

  /** A file that stood still since the last look, and is not the one that was read, is read. */
  async #watch(path: string, everyMs: number): Promise<void> {
    const { clock, look = lookAt } = this.#options
    let taken = await look(path)
    let before = taken
    const again = async (): Promise<void> => {
      const seen = await look(path)
      // While it is being replaced there may be none.
      if (seen !== undefined && seen !== taken && seen === before) {
        taken = seen
        await this.reload('file')
      }
      before = seen
      wait()
    }
    const wait = (): void => {
      if (!this.#closed) this.#timer = clock.after(everyMs, () => void again())
    }
    wait()
  }
}

async function lookAt(path: string): Promise<string | undefined> {
  const there = await stat(path).catch(() => undefined)
  return there && `${there.mtimeMs} ${there.size} ${there.ino}`
}
