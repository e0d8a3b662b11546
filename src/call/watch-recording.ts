/** Hears of all recordings and tells the calls: one listener for all, for there may be thousands of calls. */
import type { FactBus } from '../events/bus.ts'
import type { LiveCalls } from './live-calls.ts'
import type { RecordNotice } from './record-notice.ts'

export function watchRecording(bus: FactBus, live: LiveCalls): void {
  const tell = (callId: string, say: (notice: RecordNotice) => void): void => {
    const notice = live.get(callId)?.notice
    if (notice) say(notice)
  }
  bus.on('recording.started', ({ callId }) => tell(callId, (notice) => notice.here('on')))
  bus.on('recording.failed', ({ callId }) => tell(callId, (notice) => notice.here('off')))
  bus.on('recording.paused', ({ callId, what }) => {
    if (what !== 'transcription') tell(callId, (notice) => notice.here('paused'))
  })
  bus.on('recording.resumed', ({ callId, what }) => {
    if (what !== 'transcription') tell(callId, (notice) => notice.here('on'))
  })
  bus.on('srs.started', ({ callId, server }) => tell(callId, (notice) => notice.elsewhere(server, true)))
  bus.on('srs.ended', ({ callId, server }) => tell(callId, (notice) => notice.elsewhere(server, false)))
  bus.on('srs.paused', ({ callId }) => tell(callId, (notice) => notice.elsewherePaused(true)))
  bus.on('srs.resumed', ({ callId }) => tell(callId, (notice) => notice.elsewherePaused(false)))
}
