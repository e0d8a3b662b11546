/** What `patchbay doctor` says of the keys that recordings are sealed with. Makes none. */
import { systemClock } from './core/clock.ts'
import type { Settings } from './core/settings/schema.ts'
import type { Finding } from './doctor.ts'
import { keysFolder, keysIn, masterKeysOf } from './join-sealing.ts'

const what = 'keys'

export async function keysFinding(settings: Settings): Promise<Finding> {
  const { recordings, keyBackupDir, notes } = settings.sealing
  if (!recordings) {
    const text = 'recordings are not sealed (ENABLE_RECORDING_ENCRYPTION)'
    return notes ? { level: 'warn', what, text: `${text}, so ENABLE_METADATA_ENCRYPTION has no effect` } : ok(text)
  }
  try {
    const [source] = masterKeysOf(settings, systemClock)
    if (keysIn(settings.sealing) !== 'file') return ok(`recordings are sealed with ${(await source.current()).id}`)
    const keys = await source.list()
    const folder = keysFolder(settings)
    const lost = `who loses ${folder} loses every sealed recording`
    if (keyBackupDir === '')
      return { level: 'warn', what, text: `${lost}: keep a copy elsewhere, or set KEY_BACKUP_PATH` }
    const there = keys.length === 0 ? 'the first is made at the start' : `${keys.length} in ${folder}`
    return ok(`${there}, copied to ${keyBackupDir}`)
  } catch (error) {
    const text = `recordings cannot be sealed, and the server will not start: ${error instanceof Error ? error.message : String(error)}`
    return { level: 'fail', what, text }
  }
}

const ok = (text: string): Finding => ({ level: 'ok', what, text })
