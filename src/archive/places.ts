/** Where in a store the files of a recording lie: the prefix of the settings, filled in with what the recording has. */
import type { RecordingToArchive } from './locations.ts'

/** The user part of a URI; what it holds is made safe below. */
const userOf = (uri: string): string => /^(?:sips?|tel):([^@;?]+)/i.exec(uri)?.[1] ?? uri

/** One name of a path: nothing in it leads elsewhere or means something to a store. */
const safe = (text: string): string =>
  text
    .replaceAll(/[^A-Za-z0-9_.@+-]/g, '_')
    .replace(/^\.+$/, '_')
    .slice(0, 100) || 'none'

/** @param prefix As the settings have checked it. */
export function keyOf(prefix: string, recording: RecordingToArchive, file: string): string {
  const [date = '', time = ''] = new Date(recording.startedAtMs).toISOString().split('T')
  const [yyyy = '', mm = '', dd = ''] = date.split('-')
  const { kind, peer = '', from, to, callId, recordingId } = recording
  const places: Readonly<Record<string, string>> = {
    yyyy,
    mm,
    dd,
    hh: time.slice(0, 2),
    kind,
    peer: safe(peer),
    from: safe(userOf(from)),
    to: safe(userOf(to)),
    call: safe(callId),
    recording: safe(recordingId),
  }
  const folder = prefix.replaceAll(/\{(\w+)\}/g, (_, name: string) => places[name] ?? 'none')
  return folder === '' ? file : `${folder}/${file}`
}

/** A place beside one that another file has already: the beginning of the hash tells them apart, today and next time. */
export const besides = (key: string, sha256: string): string =>
  key.replace(/(\.[^/.]+(?:\.sealed)?)?$/, (extension) => `~${sha256.slice(0, 12)}${extension}`)
