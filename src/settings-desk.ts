/** The settings as the API shows, checks and reads them again: secrets masked, in our shape and in that of loreste/siprec. */
import type { SettingsDesk } from './api/deps.ts'
import type { LiveSettings } from './core/settings/live.ts'
import { type LoadedSettings, loadSettings, SettingsError, settingLeaves } from './core/settings/load.ts'
import { maskedSettings } from './core/settings/show.ts'
import { inTheirShape } from './core/settings/siprec/file-shape.ts'
import type { SettingsReload } from './settings-reload.ts'

export interface SettingsDeskOptions {
  readonly live: LiveSettings
  readonly loaded: LoadedSettings
  /** Absent where the server runs inside another program: nothing is read again. */
  readonly reload: SettingsReload | undefined
  readonly env?: Readonly<Record<string, string | undefined>>
}

export function createSettingsDesk({ live, loaded, reload, env = process.env }: SettingsDeskOptions): SettingsDesk {
  const ours = new Map(settingLeaves().map((leaf) => [leaf.env, leaf.path]))
  return {
    shown() {
      const settings = maskedSettings(live.now)
      return { ...inTheirShape(settings, ours), settings }
    },
    check(candidate) {
      try {
        const { settings, unsupported } = loadSettings({ env, file: candidate })
        const warnings = unsupported.map(({ names, why }) => `${names.join(', ')}: ${why}`)
        return { valid: true, errors: [], warnings, ...live.compare(settings) }
      } catch (error) {
        if (!(error instanceof SettingsError)) throw error
        return { valid: false, errors: [error.message], warnings: [], applied: [], waiting: [] }
      }
    },
    reload: () => reload?.reload('api'),
    status: () => ({
      enabled: reload !== undefined,
      watched: reload?.watched !== undefined,
      ...(loaded.configFile !== undefined && { configFile: loaded.configFile }),
      ...(reload?.last && { last: reload.last }),
    }),
  }
}
