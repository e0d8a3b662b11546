/** `patchbay doctor` on what becomes of finished recordings: the stores that they are copied to, the program that converts them. */
import type { StoreInUse } from './archive/archive.ts'
import { openStores, storesOn } from './archive/open-stores.ts'
import { probe } from './archive/probe.ts'
import { systemClock } from './core/clock.ts'
import type { Settings } from './core/settings/schema.ts'
import type { Finding } from './doctor.ts'
import { ffmpegVersion } from './recording/convert/ffmpeg.ts'

/** What a copy of a recording needs of each store: write, compare, read, delete. */
export async function archiveFindings(settings: Settings): Promise<Finding[]> {
  const names = storesOn(settings.storage)
  if (names.length === 0) {
    const forgotten = storesOn({ ...settings.storage, enabled: true })
    if (settings.storage.enabled || forgotten.length === 0) return [{ level: 'ok', what: 'archive', text: 'none' }]
    const text = `${forgotten.join(', ')}: off, for RECORDING_STORAGE_ENABLED is false`
    return [{ level: 'warn', what: 'archive', text }]
  }
  try {
    const stores = await openStores(settings.storage, systemClock)
    return await Promise.all(stores.map((inUse) => probeFinding(inUse)))
  } catch (error) {
    return [{ level: 'fail', what: 'archive', text: error instanceof Error ? error.message : String(error) }]
  }
}

async function probeFinding(inUse: StoreInUse): Promise<Finding> {
  const what = `archive ${inUse.store.name}`
  try {
    return { level: 'ok', what, text: `${await probe(inUse)} was written, read and deleted` }
  } catch (error) {
    return { level: 'fail', what, text: error instanceof Error ? error.message : String(error) }
  }
}

export async function conversionFindings({ recording: { format, ffmpeg } }: Settings): Promise<Finding[]> {
  const what = 'conversion'
  if (format === 'wav') return []
  const version = await ffmpegVersion(ffmpeg)
  if (version !== undefined) return [{ level: 'ok', what, text: `to ${format} by ffmpeg ${version}` }]
  return [
    {
      level: 'warn',
      what,
      text: `recordings stay WAV: "${ffmpeg}" cannot be run; install ffmpeg, or set RECORDING_FFMPEG`,
    },
  ]
}
