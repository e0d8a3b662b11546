/**
 * The settings in force while the server runs: some can be changed at once, the others wait for a restart.
 *
 *   main.ts ── start ─▶  here  ◀── now ─── whoever reads a setting when it needs it
 *   settings-reload.ts ── change ─▶
 *
 * `now` never shows a value that is not in force.
 */
import { settingLeaves } from './load.ts'
import type { Settings } from './schema.ts'

/** Paths whose values are read when they are needed. For calls and sessions that begin afterwards, where they are of calls. */
export const changedAtOnce: ReadonlySet<string> = new Set([
  'extensions',
  'http.requestsPerMinute',
  'log.level',
  'recording.autoResume',
  'recording.cleanupDays',
  'recording.combineLegs',
  'recording.decoders',
  'recording.loudness',
  'recording.maxPause',
  'recording.pauseDigits',
  'recording.pausesRecording',
  'recording.pausesTranscription',
  'rtp.codecs',
  'rtp.opus.bitrate',
  'rtp.opus.complexity',
  'rtp.opus.dtx',
  'rtp.opus.fec',
  'rtp.srtp',
  'rtp.timeout',
  'rtp.transcode',
  'security.allowedSources',
  'security.callsAtATime',
  'security.callsPerSecond',
  'security.deniedSources',
  'security.messagesPerSecond',
  'security.messagesPerSecondInAll',
  'security.trustedNetworks',
  'sip.maxCalls',
  'siprec.allowedSources',
  'siprec.askWhenSilent',
  'siprec.multipartResponse',
  'siprec.srtp',
])

export interface SettingsChange {
  /** Paths whose new values are in force. */
  readonly applied: readonly string[]
  /** Paths whose new values need a restart. */
  readonly waiting: readonly string[]
}

export class LiveSettings {
  readonly #start: Settings
  #now: Settings

  constructor(start: Settings) {
    this.#start = start
    this.#now = start
  }

  get now(): Settings {
    return this.#now
  }

  /** What would become of these settings; nothing changes. */
  compare(next: Settings): SettingsChange {
    const differ = (before: Settings, path: string): boolean =>
      JSON.stringify(at(before, path)) !== JSON.stringify(at(next, path))
    return {
      applied: allPaths.filter((path) => changedAtOnce.has(path) && differ(this.#now, path)),
      waiting: allPaths.filter((path) => !changedAtOnce.has(path) && differ(this.#start, path)),
    }
  }

  change(next: Settings): SettingsChange {
    const change = this.compare(next)
    const settings = structuredClone(this.#now)
    for (const path of change.applied) put(settings, path, at(next, path))
    this.#now = settings
    return change
  }
}

const lists = ['extensions', 'trunks', 'siprecPeers', 'recordingServers', 'certificates']
const allPaths: readonly string[] = [...settingLeaves().map(({ path }) => path.join('.')), ...lists]

type Tree = Record<string, unknown>

const at = (settings: Settings, path: string): unknown =>
  path.split('.').reduce<unknown>((inner, key) => (inner as Tree | undefined)?.[key], settings)

function put(settings: Settings, path: string, value: unknown): void {
  const keys = path.split('.')
  const last = keys.pop() ?? ''
  const inner = keys.reduce<Tree>((tree, key) => tree[key] as Tree, settings as unknown as Tree)
  inner[last] = value
}
