/** What is said of the settings at the start and after they were read again: variables without effect, files not read. */
import { existsSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Logger } from './core/logger.ts'
import type { LoadedSettings } from './core/settings/load.ts'

/** Where loreste/siprec looks for a file by itself; here CONFIG_FILE names it. */
const theirFolders = ['.', '/etc/siprec', join(homedir(), '.siprec')]
const theirFiles = theirFolders.flatMap((folder) =>
  ['config.yaml', 'config.yml', 'config.json'].map((name) => join(folder, name)),
)

export function noteSettings(
  { unsupported, configFile }: LoadedSettings,
  log: Logger,
  isThere: (path: string) => boolean = existsSync,
): void {
  const list = (protects: boolean) =>
    Object.fromEntries(
      unsupported.filter((group) => group.protects === protects).map(({ names, why }) => [names.join(' '), why]),
    )
  const unprotected = list(true)
  if (Object.keys(unprotected).length > 0)
    log.warn('Settings that should protect something are known and not supported', { settings: unprotected })
  const without = list(false)
  if (Object.keys(without).length > 0)
    log.warn('Settings are known and not supported; `patchbay config check` says more', { settings: without })
  const unread = configFile === undefined ? theirFiles.find(isThere) : undefined
  if (unread !== undefined)
    log.warn('A settings file is there and is not read; CONFIG_FILE would name it', { path: unread })
}
