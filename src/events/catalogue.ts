/**
 * The facts of the platform: what happened, in the past tense. Whoever tells one does not know who listens.
 *
 * Times are milliseconds since 1970 (`atMs`). Ids are opaque. docs/events.md is checked against this catalogue.
 */
import type { CommunicationSession, HeardSpan, VendorFacts } from './siprec.ts'

/** Someone at an end of a call, as far as known. */
export interface Party {
  /** Address of record or the number's URI, `sip:alice@example.com`. */
  readonly uri: string
  /** Display name. */
  readonly name?: string
  /** The extension when this is one of ours. */
  readonly extension?: string
  /** Asked not to be named to who is called (RFC 3323); known here all the same. */
  readonly private?: boolean
}

export type CallKind = 'pbx' | 'siprec'

/** Why a call ended, in words a person understands; the SIP status beside it where there is one. */
export type EndReason =
  | 'hangup' // somebody hung up an answered call
  | 'transferred' // its other party went on in another call
  | 'cancelled' // the caller gave up before the answer
  | 'busy'
  | 'declined'
  | 'no-answer'
  | 'unreachable' // the callee has no registered device, or none could be reached
  | 'not-found' // nobody has this number
  | 'not-allowed' // the extension may not call this number, or has made too many calls
  | 'no-common-codec'
  | 'encryption-failed' // no keys in common, or the handshake that should agree on them failed
  | 'media-timeout' // no packet came from either side for RTP_TIMEOUT
  | 'media-lost' // the media worker of the call died
  | 'limit' // a recording session reached its longest duration
  | 'shutdown'
  | 'interrupted' // the process died during the call; found at the next start
  | 'failed'

interface At {
  readonly atMs: number
}
interface OfCall extends At {
  readonly callId: string
}
interface OfLeg extends OfCall {
  readonly legId: string
}

export type LegRole = 'caller' | 'callee' | 'stream'

/** Counters of one RTP stream direction pair, at the time of the fact. */
export interface MediaSummary {
  readonly codec?: string
  readonly packetsReceived: number
  readonly packetsLost: number
  readonly packetsSent: number
  /** Interarrival jitter, RFC 3550 §6.4.1. */
  readonly jitterMs: number
  /** Where the packets came from, `192.0.2.1:4000`, once learned. */
  readonly source?: string
  readonly quality?: Quality
}

/** How well a leg is heard. Shares are 0 to 1. */
export interface Quality {
  /** Mean opinion score of a conversation, 1 to 4.5 (ITU-T G.107, G.107.1), and the rating it comes from. */
  readonly mos?: number
  readonly rating?: number
  /** Scores of different scales are not to be compared. */
  readonly scale?: 'narrowband' | 'wideband'
  readonly lossShare: number
  /** Came, but too late to be played. */
  readonly discardShare: number
  /** Of the sound decoded here, what was made up for what was missing; while somebody listened at the end. */
  readonly concealedShare?: number
  /** 1 for losses at random, more when they come together. */
  readonly burstRatio: number
  readonly jitterMs: number
  /** One way on this side: half of the round trip, a packet, the jitter buffer. */
  readonly delayMs: number
  readonly roundTripMs?: number
  /** Of the last seconds, 0 at most. */
  readonly levelDbov?: number
  /** How this party hears us, as it reports. */
  readonly heardByPeer?: { readonly lossShare: number; readonly jitterMs: number; readonly mos?: number }
  /** What is wrong: now, or in a summary ever. */
  readonly verdicts: readonly QualityVerdict[]
}

export interface QualityVerdict {
  /** `one-way-audio`, `high-loss`, …: docs/media.md lists them. */
  readonly code: string
  readonly text: string
  readonly advice: string
}

/** How the audio of a leg is encrypted. */
export interface Encryption {
  /** Not at all, with keys in the signalling (RFC 4568), or agreed on the media path (RFC 5764). */
  readonly encryption: 'none' | 'sdes' | 'dtls'
  /** Of SRTP, `AES_CM_128_HMAC_SHA1_80`; with DTLS once the handshake is over. */
  readonly suite?: string
}

/** One file of a recording. */
export interface RecordingFile {
  /** Name relative to the recording folder. */
  readonly name: string
  /** `raw`: packets of a codec that is not decoded, as they came, in the format rtpdump; it has no samples. */
  readonly kind: 'leg' | 'combined' | 'raw'
  /** The leg or the SIPREC stream label this file holds; absent for the combined file. */
  readonly legId?: string
  readonly label?: string
  readonly channels: number
  readonly sampleRateHz: number
  readonly samples: number
  readonly bytes: number
  /** Wall time of the first sample. */
  readonly startedAtMs: number
}

/** What a pause keeps off the disk. */
export type PausedPart = 'recording' | 'transcription'

/**
 * Who asked for a pause: a person by API, a person by digits, the signalling of the call (`a=inactive`), or nobody: its
 * time was up.
 */
export type PauseCause = 'api' | 'digits' | 'signalling' | 'time'

/** A stretch of a recording in which something was kept off the disk, or did not come; a player shows it. */
export interface RecordingMark {
  /** `muted`: one leg. `silent`: nothing came of one leg for RTP_TIMEOUT, though it should have. */
  readonly kind: 'paused' | 'muted' | 'silent'
  readonly what?: PausedPart
  readonly legId?: string
  /** Wall time, as `startedAtMs` of a file. */
  readonly fromMs: number
  /** Absent when it lasted until the end, or until the process died. */
  readonly untilMs?: number
  readonly by: PauseCause
  /** The user, the API key, or the extension. */
  readonly who?: string
}

/** How well one leg of a recording was heard. */
export interface RecordedLeg {
  readonly legId: string
  /** In plain words: `callee sent no audio after 12 s: RTP came from another address, 192.0.2.9:4000, and was refused`. */
  readonly verdict: string
  /** Of what was wrong with it at any time, as in docs/media.md; none when nothing was. */
  readonly codes: readonly string[]
  readonly packetsReceived: number
  readonly packetsLost: number
  readonly packetsRefused: number
  readonly jitterMs: number
  /** 0 to 1. */
  readonly lossShare?: number
  /** As `Quality.mos`. */
  readonly mos?: number
}

/** A participant of a recorded call and the channel of the combined file that holds its voice. */
export interface Participant {
  readonly uri?: string
  readonly name?: string
  readonly legId?: string
  readonly label?: string
  readonly channel?: number
  /** The channel was guessed from the order of the streams, not named by the metadata. */
  readonly guessed?: boolean
  /** When it was on that leg; after a transfer a leg has had several. */
  readonly heard?: readonly HeardSpan[]
}

/** Where a recording came from, as far as it decides what becomes of it. */
export interface RecordingOrigin {
  /** Name of the SIPREC peer or the trunk that the call came by. */
  readonly peer?: string
  readonly tags?: readonly string[]
  /** Asked for with the call itself (`X-Recording-Retention`): delete it so many days after its end. */
  readonly retentionDays?: number
}

/** One SIP message as it crossed the wire, credentials removed. */
export interface TracedMessage extends At {
  readonly direction: 'in' | 'out'
  readonly transport: string
  readonly local: string
  readonly remote: string
  readonly sipCallId: string
  /** The first line: `INVITE sip:102@… SIP/2.0` or `SIP/2.0 200 OK`. */
  readonly summary: string
  readonly text: string
}

export interface Facts {
  'call.started': OfCall & { readonly kind: CallKind; readonly from: Party; readonly to: Party }
  'call.ringing': OfLeg
  'call.answered': OfLeg
  'call.ended': OfCall & { readonly reason: EndReason; readonly sipStatus?: number; readonly by?: LegRole }
  /** A leg left, and another took its place. */
  'call.transferred': OfLeg & {
    /**
     * `recall`: the target was not reached, so the transferer was rung again. `replaced`: the new leg asked for the
     * place itself (RFC 3891).
     */
    readonly kind: 'blind' | 'attended' | 'recall' | 'replaced'
    readonly replacedBy: string
    /** Attended: the call from which the new leg came. */
    readonly fromCallId?: string
  }
  /** All messages of the call's dialogs, told once after it ended. */
  'call.traced': OfCall & { readonly messages: readonly TracedMessage[] }
  'leg.started': OfLeg & {
    readonly role: LegRole
    readonly party: Party
    readonly sipCallId: string
    readonly transport: string
    readonly remote: string
    /** SIPREC only: the label of the stream. */
    readonly label?: string
  }
  'leg.answered': OfLeg & { readonly codec?: string }
  /** How its audio is encrypted: when it is agreed, and with each change. */
  'leg.encryption': OfLeg & Encryption
  /** The first RTP packet came and its source is now locked. */
  'leg.media-started': OfLeg & { readonly source: string; readonly codec: string }
  /** Something began or ceased to be wrong with its sound, or RTP_QUALITY_INTERVAL passed. */
  'leg.quality': OfLeg & { readonly quality: Quality }
  /** What its phone wishes to become of recording (`a=recordpref`, RFC 7866 §7.1.3). */
  'leg.record-preference': OfLeg & { readonly preference: 'on' | 'off' | 'pause' | 'nopreference' }
  /** `x` for one that was pressed while the recording was paused, or the leg muted. */
  'leg.digit': OfLeg & { readonly digit: string; readonly durationMs: number }
  'leg.ended': OfLeg & { readonly media?: MediaSummary; readonly sipStatus?: number }
  'registration.added': At & Registration
  'registration.refreshed': At & Registration
  /** `disconnected`: its connection is gone. */
  'registration.removed': At &
    Registration & { readonly reason: 'unregistered' | 'expired' | 'replaced' | 'removed' | 'disconnected' }
  'recording.started': OfCall & {
    readonly recordingId: string
    readonly folder: string
    readonly origin?: RecordingOrigin
  }
  /** Files are complete and closed. `interrupted`: the process or a media worker died meanwhile; what it wrote is there. */
  'recording.stored': OfCall & {
    readonly recordingId: string
    /** The names of all its files begin with this. */
    readonly baseName: string
    readonly origin?: RecordingOrigin
    readonly files: readonly RecordingFile[]
    readonly participants: readonly Participant[]
    readonly durationMs: number
    readonly interrupted: boolean
    /** Oldest first; absent when there are none. */
    readonly marks?: readonly RecordingMark[]
    /** Of each leg that ended in order; absent of what a process that died left. */
    readonly heard?: readonly RecordedLeg[]
  }
  /** What comes from now on is silence in the files. `what`: that which was not paused before. */
  'recording.paused': OfCall & {
    readonly recordingId: string
    readonly what: PausedPart | 'both'
    readonly by: PauseCause
    readonly who?: string
    readonly autoResumeAtMs?: number
  }
  /** `what`: that which nobody holds any more. */
  'recording.resumed': OfCall & {
    readonly recordingId: string
    readonly what: PausedPart | 'both'
    readonly by: PauseCause
    readonly who?: string
    readonly pausedMs: number
  }
  /** One leg is kept off the disk, or no longer (`on: false`). */
  'recording.muted': OfLeg & {
    readonly recordingId: string
    readonly on: boolean
    readonly by: PauseCause
    readonly who?: string
  }
  'recording.failed': OfCall & { readonly recordingId: string; readonly code: string; readonly text: string }
  /** All files of a recording are in a store (`local`, `s3`, `gcs`, `azure`), compared by checksum. */
  'recording.archived': OfCall & {
    readonly recordingId: string
    readonly store: string
    /** Where they lie: `s3://bucket/key`. */
    readonly uris: readonly string[]
    readonly bytes: number
  }
  /** A store began to refuse, or not to answer; copies wait and are tried again. `code`: of docs/errors.md. */
  'archive.failing': At & { readonly store: string; readonly code: string; readonly text: string }
  'archive.recovered': At & { readonly store: string }
  /** Its proof was made (docs/proof.md): the link of the chain, and its signature. Keep them elsewhere, and nothing before can be made anew. */
  'recording.proven': OfCall & {
    readonly recordingId: string
    readonly serial: number
    readonly link: string
    readonly signature: string
  }
  /** It is not as it was when it was stored. */
  'recording.proof-broken': OfCall & { readonly recordingId: string; readonly problems: readonly string[] }
  /** Its time was over, or a person wanted it: no file of it is left anywhere. */
  'recording.deleted': OfCall & { readonly recordingId: string }
  /** A job was given up after its attempts; it is kept, and a person can retry it. `text`: what the last attempt said. */
  'job.failed': At & {
    readonly jobId: string
    readonly kind: string
    readonly key: string
    readonly attempts: number
    readonly text: string
  }
  /** The archive of everything of a call or a person can be downloaded. */
  'export.ready': At & { readonly exportId: string; readonly calls: number; readonly bytes: number }
  /** Everything of a call or a person was taken out; whether nothing was left. */
  'erasure.done': At & { readonly erasureId: string; readonly calls: number; readonly verified: boolean }
  /** A recording session that ran when the last process ended goes on, with these streams. */
  'siprec.session-resumed': OfCall & { readonly legIds: readonly string[] }
  /** Who is in a SIPREC communication session, whenever metadata changed it. */
  'siprec.metadata-updated': OfCall & {
    readonly participants: readonly Participant[]
    /** The metadata document as received; empty when only headers of the INVITE told something. */
    readonly raw: string
    /** What was wrong with it, when it could not be read in full. */
    readonly problems: readonly string[]
    /** The communication sessions so far, with who was in them. */
    readonly sessions: readonly CommunicationSession[]
    /** What the client tells beyond the RFCs. */
    readonly vendor?: VendorFacts
  }
  /** A call of ours is recorded by a server elsewhere (RFC 7866), from now on. `sipCallId`: of the session with it. */
  'srs.started': OfCall & { readonly server: string; readonly sipCallId: string }
  /** `closed`, `stopped`: by us. `lost`: it was not heard any more. */
  'srs.ended': OfCall & { readonly server: string; readonly reason: 'stopped' | 'closed' | 'by-server' | 'lost' }
  /** Nothing of the call is sent to recording servers from now on, or it is again. */
  'srs.paused': OfCall
  'srs.resumed': OfCall
  /** It did not take a call; the next of its list is asked. */
  'srs.refused': OfCall & { readonly server: string; readonly text: string }
  /** No server of a list takes the call: it is recorded by none of them any more. */
  'srs.failed': OfCall & { readonly servers: readonly string[]; readonly text: string }
  /** A recording server answered: for the first time, or again. */
  'srs.up': At & { readonly server: string }
  'srs.down': At & { readonly server: string; readonly reason: string }
  /** A text message (RFC 3428); what it says is in no fact. `bytes`: its length. */
  'message.delivered': At & { readonly from: Party; readonly to: Party; readonly bytes: number }
  'message.failed': At & {
    readonly from: Party
    readonly to: Party
    readonly bytes: number
    readonly sipStatus: number
  }
  /** It answered: for the first time, or again after it was down. */
  'trunk.up': At & { readonly trunk: string }
  /** It does not answer, or refuses our registration. */
  'trunk.down': At & { readonly trunk: string; readonly reason: string }
  'security.refused': At & {
    readonly what: 'register' | 'invite' | 'request' | 'login'
    readonly source: string
    readonly why: string
    /** The user name it gave. */
    readonly who?: string
  }
  /** A source is not listened to until then, but for devices of it that had proved themselves. */
  'security.banned': At & {
    /** An IPv4 address, or the /64 of an IPv6 one. */
    readonly source: string
    readonly why: 'guessing' | 'scanning'
    /** The user name it tried last. */
    readonly who?: string
    readonly sinceMs: number
    readonly untilMs: number
  }
  'security.released': At & { readonly source: string; readonly by: 'time' | 'person' }
  /** Messages of a source, or of strangers in all (`all`), were above the allowance and dropped; told once a minute each. */
  'security.limited': At & { readonly source: string }
  /** An extension may not call that number, or made too many calls; or a trunk brought too many. */
  'security.call-refused': At & {
    /** Who called; absent when the call came by the trunk. */
    readonly extension?: string
    /** As it was dialled, or as the trunk would have been asked for it. */
    readonly number: string
    /** Absent when it does not matter where the call would have gone. */
    readonly trunk?: string
    readonly why: 'high-risk' | 'calls-at-a-time' | 'calls-per-second' | 'calls-per-hour' | 'trunk-full'
  }
  /** The main thread is late, and new calls are refused in part. */
  'server.overloaded': At & { readonly lagMs: number; readonly busy: number }
  'server.recovered': At & { readonly refused: number }
  /** The settings were read again; `applied` are in force, `waiting` need a restart: paths such as `rtp.timeout`. */
  'server.settings-changed': At & {
    readonly by: 'file' | 'signal' | 'api'
    readonly applied: readonly string[]
    readonly waiting: readonly string[]
  }
  /** They were wrong; those of before stay in force. */
  'server.settings-refused': At & { readonly by: 'file' | 'signal' | 'api'; readonly error: string }
  /** A media worker does nothing any more; these calls are on it. New ones go to others. */
  'worker.stalled': At & { readonly worker: number; readonly callIds: readonly string[] }
  /** It goes on. */
  'worker.recovered': At & { readonly worker: number; readonly stalledMs: number }
  /** A media worker is no more, and is replaced; these calls end. `stalled`: it was given up on after MEDIA_STALL_LIMIT. */
  'worker.lost': At & {
    readonly worker: number
    readonly callIds: readonly string[]
    readonly why: 'died' | 'stalled'
  }
}

/** A device's binding of an extension (RFC 3261 §10). */
export interface Registration {
  readonly extension: string
  readonly contact: string
  readonly source: string
  readonly transport: string
  readonly userAgent?: string
  readonly expiresAtMs: number
}

export type FactName = keyof Facts
/** A fact with its name, as it travels. */
export type Fact = { [Name in FactName]: { readonly name: Name } & Facts[Name] }[FactName]
export type FactOf<Name extends FactName> = Extract<Fact, { readonly name: Name }>
