import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { LiveCallSnapshot } from '../../call/live-calls.ts'
import { findSession, type SessionDeps } from './session-view.ts'

const live = (id: string, sipCallId: string) => ({
  snapshot: () => ({ id, kind: 'siprec', legs: [{ sipCallId }] }) as unknown as LiveCallSnapshot,
})

test('a client that chose our id of another session for its Call-ID is not taken for that session', () => {
  const calls = [live('evil', 'victim'), live('victim', 'call-id')]
  const deps = {
    liveCalls: { list: () => calls },
    liveRecordings: { liveOf: () => undefined },
    recordingDir: '/data',
  } as unknown as SessionDeps
  assert.equal(findSession(deps, 'victim').snapshot.id, 'victim')
  assert.equal(findSession(deps, 'call-id').snapshot.id, 'victim')
})
