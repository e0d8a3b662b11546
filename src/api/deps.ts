/** What the API is given: join-web.ts hands it in. */

import type { Archive } from '../archive/archive.ts'
import type { Audit } from '../audit/audit.ts'
import type { Auth } from '../auth/auth.ts'
import type { CallHistory } from '../call/history.ts'
import type { LabelStore } from '../call/labels.ts'
import type { LiveCalls } from '../call/live-calls.ts'
import type { CdrStore } from '../cdr/types.ts'
import type { Erasures } from '../compliance/erasures.ts'
import type { Exports } from '../compliance/exports.ts'
import type { Clock } from '../core/clock.ts'
import type { Logger } from '../core/logger.ts'
import type { FactBus } from '../events/bus.ts'
import type { TracedMessage } from '../events/catalogue.ts'
import type { Jobs } from '../jobs/runner.ts'
import type { JobStore } from '../jobs/types.ts'
import type { Health } from '../ops/health.ts'
import type { Metrics } from '../ops/metrics.ts'
import type { DigestHashes, Directory } from '../pbx/directory.ts'
import type { Registrations } from '../pbx/registrations.ts'
import type { TrunkStatuses } from '../pbx/trunk-status.ts'
import type { Proofs } from '../proof/proofs.ts'
import type { LiveRecordings } from '../recording/types.ts'
import type { Holds } from '../retention/holds.ts'
import type { Orphans } from '../retention/orphans.ts'
import type { Retention } from '../retention/retention.ts'
import type { OpenKey } from '../sealing/container/reader.ts'
import type { BanList } from '../security/bans.ts'
import type { RecordingSender } from '../siprec/client/sender.ts'
import type { PeerBook } from '../siprec/peers/peer-book.ts'
import type { SiprecReception } from '../siprec/peers/reception.ts'
import type { AccessSettings } from './access.ts'
import type { Status } from './schemas/status.ts'

export interface ApiDeps {
  readonly version: string
  readonly clock: Clock
  readonly log: Logger
  readonly bus: FactBus
  readonly history: CallHistory
  readonly liveCalls: LiveCalls
  readonly liveRecordings: LiveRecordings
  readonly directory: Directory
  readonly registrations: Registrations
  readonly trunks: TrunkStatuses
  readonly siprecPeers: PeerBook
  readonly sender: Sender
  /** Ask a recording client to send a session; resolves with its answer. */
  readonly orderRecording: SiprecReception['order']
  readonly auth: Auth
  readonly audit: Audit
  readonly life: LifeDeps
  readonly bans: BanList
  /** Copies of recordings in stores. */
  readonly archive: Pick<Archive, 'of' | 'open'>
  readonly jobs: Pick<Jobs, 'retry' | 'cancel'>
  readonly jobList: Pick<JobStore, 'list' | 'counts'>
  readonly health: Health
  /** How packets come in and go out. */
  readonly mediaIo: 'dgram' | 'native'
  /** Absent: `/metrics` is not served. */
  readonly metrics?: Metrics
  /** Folder that the names of recording files are relative to. */
  readonly recordingDir: string
  /** For files that are sealed. */
  readonly openKey: OpenKey
  readonly proofs: Proofs
  /** Hashes of an extension's password in our realm (sip/auth). */
  readonly digestHashes: (username: string, password: string) => DigestHashes
  /** The latest SIP messages that are in memory, in order. */
  readonly sipMessages: (query: SipMessageQuery) => readonly TracedMessage[]
  /** What to point a phone or an SBC at. */
  readonly sip: () => Status['sip']
  /** Folder of the built console; undefined while it is being built. */
  readonly consoleFolder: () => string | undefined
  readonly settingsDesk: SettingsDesk
  /** Both when left out. */
  readonly pauseDefaults?: () => PauseDefaults
  readonly settings?: ApiSettings
}

/** Calls that are sent to recording servers elsewhere. */
export type Sender = Pick<RecordingSender, 'of' | 'pause' | 'serverStates'> & {
  readonly servers: Pick<RecordingSender['servers'], 'has'>
}

/** What became of reading the settings again. */
export interface SettingsReloaded {
  readonly atMs: number
  readonly by: 'file' | 'signal' | 'api'
  readonly ok: boolean
  readonly error?: string
  /** Paths in force now, and paths that wait for a restart. */
  readonly applied: readonly string[]
  readonly waiting: readonly string[]
}

/** The settings of the server. */
export interface SettingsDesk {
  /** Those in force, secrets masked. */
  readonly shown: () => { readonly settings: Record<string, unknown> }
  /** What would become of a settings file. */
  readonly check: (candidate: Record<string, unknown>) => {
    valid: boolean
    errors: string[]
    warnings: string[]
    applied: readonly string[]
    waiting: readonly string[]
  }
  /** Read them again; undefined where they cannot be. */
  readonly reload: () => Promise<SettingsReloaded> | undefined
  readonly status: () => { enabled: boolean; watched: boolean; configFile?: string; last?: SettingsReloaded }
}

/** What a pause stops that does not say so. */
export interface PauseDefaults {
  readonly recording: boolean
  readonly transcription: boolean
}

export interface SipMessageQuery {
  readonly sipCallId?: string | undefined
  /** The peer's. */
  readonly address?: string | undefined
  /** Part of the text. */
  readonly search?: string | undefined
  readonly limit: number
}

/** In PEM. */
export interface HttpsIdentity {
  readonly cert: string
  readonly key: string
}

export interface ApiSettings extends AccessSettings {
  /** Reads what HTTPS is served with; HTTP when left out. */
  readonly tls?: () => HttpsIdentity
  /** Addresses of reverse proxies whose X-Forwarded headers are believed. Default: none. */
  readonly trustedProxies?: readonly string[]
  /** Requests a minute from one address; 0 for no bound. Default 1200: ten times what a busy console asks. */
  readonly requestsPerMinute?: number | (() => number)
}

/** How long recordings are kept, what people write to them, records of calls. */
export interface LifeDeps {
  readonly retention: Retention
  readonly holds: Holds
  readonly exports: Exports
  readonly erasures: Erasures
  readonly cdr: CdrStore
  readonly labels: LabelStore
  /** Files in the folder that belong to no recording, up to `limit`. */
  readonly orphans: (limit: number) => Promise<Orphans>
  /** RECORDING_CLEANUP_DAYS as it is now. */
  readonly settingDays: () => number
}
