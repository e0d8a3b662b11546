/**
 * Recording sessions as clients of loreste/siprec ask for them and read them: found by the SIP Call-ID too, in snake case.
 *
 *   routes of this folder ─▶ here ─▶ live calls, live recordings
 */
import { join } from 'node:path'
import type { LiveCall, LiveCallSnapshot, LiveCalls } from '../../call/live-calls.ts'
import type { ActiveRecording, LiveRecordings } from '../../recording/types.ts'
import { ApiError } from '../failures.ts'
import type { Mute, Pause, SessionStats, SiprecSession } from '../schemas/siprec-sessions.ts'

export interface Session {
  readonly call: LiveCall
  readonly snapshot: LiveCallSnapshot
  /** Of the recording session. */
  readonly callId: string
  /** None yet, or none that could begin. */
  readonly recording: ActiveRecording | undefined
}

export interface SessionDeps {
  readonly liveCalls: LiveCalls
  readonly liveRecordings: LiveRecordings
  readonly recordingDir: string
}

/** Oldest first. */
export function liveSessions({ liveCalls, liveRecordings }: SessionDeps): Session[] {
  return liveCalls.list().flatMap((call): Session[] => {
    const snapshot = call.snapshot()
    if (snapshot.kind !== 'siprec') return []
    const callId = snapshot.legs[0]?.sipCallId ?? snapshot.id
    return [{ call, snapshot, callId, recording: liveRecordings.liveOf(snapshot.id) }]
  })
}

/** @param id Ours, or the SIP Call-ID. @throws {ApiError} `api.session-not-found` */
export function findSession(deps: SessionDeps, id: string): Session {
  const sessions = liveSessions(deps)
  // Ours first: a client may choose the id of another session for its Call-ID.
  const session = sessions.find((one) => one.snapshot.id === id) ?? sessions.find((one) => one.callId === id)
  if (!session) throw new ApiError('api.session-not-found')
  return session
}

export function shownSession({ snapshot, callId, recording }: Session, { recordingDir }: SessionDeps): SiprecSession {
  const people = [snapshot.from, snapshot.to, ...snapshot.legs.map(({ party }) => party)].map(({ uri }) => uri)
  return {
    ...snapshot,
    call_id: callId,
    state: snapshot.answeredAtMs === undefined ? 'connecting' : 'connected',
    created_at: new Date(snapshot.startedAtMs).toISOString(),
    participants: [...new Set(people)],
    ...(recording && { recording_path: join(recordingDir, `${recording.name}.wav`) }),
    paused: recording?.status.recordingPaused ?? false,
  }
}

export function statsOf(deps: SessionDeps, nowMs: number): SessionStats {
  const sessions = liveSessions(deps)
  const count = (holds: (session: Session) => boolean): number => sessions.filter(holds).length
  return {
    active_calls: deps.liveCalls.size,
    active_sessions: sessions.length,
    recording_sessions: count(({ recording }) => recording !== undefined),
    paused_sessions: count(({ recording }) => recording?.status.recordingPaused === true),
    muted_sessions: count(({ recording }) => (recording?.status.mutedLegs.length ?? 0) > 0),
    active_streams: sessions.reduce((sum, { snapshot }) => sum + snapshot.legs.length, 0),
    timestamp: new Date(nowMs).toISOString(),
  }
}

const nanosecondsPerMs = 1_000_000
const isoOf = (ms: number | undefined): string | undefined =>
  ms === undefined ? undefined : new Date(ms).toISOString()

export function pauseOf({ callId, recording }: Session, nowMs: number): Pause {
  const status = recording?.status
  const recordingPaused = status?.recordingPaused ?? false
  const transcriptionPaused = status?.transcriptionPaused ?? false
  const [pausedAt, autoResumeAt] = [isoOf(status?.pausedAtMs), isoOf(status?.autoResumeAtMs)]
  return {
    session_id: callId,
    is_paused: recordingPaused || transcriptionPaused,
    recording_paused: recordingPaused,
    transcription_paused: transcriptionPaused,
    ...(pausedAt && { paused_at: pausedAt }),
    ...(status?.pausedAtMs !== undefined && { pause_duration: (nowMs - status.pausedAtMs) * nanosecondsPerMs }),
    ...(autoResumeAt && { auto_resume_at: autoResumeAt }),
  }
}

/** Legs by direction: what the caller says comes in, all else goes out. */
export function legsBySide({ snapshot: { from, legs } }: Session): { inbound: string[]; outbound: string[] } {
  const caller = legs.find(({ party }) => party.uri === from.uri) ?? legs[0]
  const ids = (isCallers: boolean): string[] => legs.filter((leg) => (leg === caller) === isCallers).map(({ id }) => id)
  return { inbound: ids(true), outbound: ids(false) }
}

export function muteOf(session: Session): Mute {
  const muted = new Set(session.recording?.status.mutedLegs)
  const { inbound, outbound } = legsBySide(session)
  const all = (ids: readonly string[]): boolean => ids.length > 0 && ids.every((id) => muted.has(id))
  const [mute_inbound, mute_outbound] = [all(inbound), all(outbound)]
  return { session_id: session.callId, is_muted: mute_inbound || mute_outbound, mute_inbound, mute_outbound }
}
