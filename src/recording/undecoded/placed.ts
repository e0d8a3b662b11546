/**
 * The frames in a file of packets as they came, each where its timestamp puts it: as the recorder does for what it
 * decodes (media/worker/recording/timeline.ts).
 */
import { copyOf, type SpeechFormat, type SpeechPacket } from '../../media/worker/recording/speech-packet.ts'
import { Timeline } from '../../media/worker/recording/timeline.ts'
import { emptyRtpPacket, parseRtp } from '../../rtp/packet.ts'
import type { Form, Frame } from './frames.ts'

export interface PlacedFrame extends Frame {
  /** In ticks of the codec's clock from the first one on; a whole number of frames apart or not. */
  readonly position: number
}

export interface Placed {
  /** In the order of their positions. */
  readonly frames: readonly PlacedFrame[]
  /** Wall time of position 0. */
  readonly startedAtMs: number
  /** Packets that could not be read. */
  readonly unreadable: number
}

const headBytes = 16
const recordBytes = 8

/** @param dump A file in the format rtpdump. Undefined when there is no frame in it. */
export function placedFrames(dump: Buffer, form: Form): Placed | undefined {
  const line = dump.indexOf('\n') + 1
  if (line === 0 || dump.length < line + headBytes) return undefined
  const firstAtMs = dump.readUInt32BE(line) * 1000 + dump.readUInt32BE(line + 4) / 1000
  const placed: PlacedFrame[] = []
  let unreadable = 0
  const place = ({ bytes, from, to }: SpeechPacket, position: number): void => {
    for (const [i, frame] of (form.framesOf(bytes.subarray(from, to)) ?? []).entries())
      placed.push({ ...frame, position: position + i * form.frameTicks })
  }
  const timeline = new Timeline(form.clockRateHz, place, copyOf)
  const format: SpeechFormat = { encoding: '', clockRateHz: form.clockRateHz, codec: undefined }
  const packet = emptyRtpPacket()
  for (let at = line + headBytes; at + recordBytes <= dump.length; ) {
    const length = dump.readUInt16BE(at)
    if (length < recordBytes || at + length > dump.length) break
    const nowMs = dump.readUInt32BE(at + 4)
    const bytes = dump.subarray(at + recordBytes, at + length)
    at += length
    const frames = parseRtp(bytes, packet)
      ? form.framesOf(bytes.subarray(packet.payloadStart, packet.payloadEnd))
      : undefined
    if (!frames) {
      unreadable++
      continue
    }
    const { ssrc, sequence, timestamp, payloadType, marker, payloadStart: from, payloadEnd: to } = packet
    const ticks = frames.length * form.frameTicks
    timeline.packet({ ssrc, sequence, timestamp, ticks, format, payloadType, marker, bytes, from, to }, nowMs)
    timeline.settle(nowMs)
  }
  timeline.finish()
  placed.sort((a, b) => a.position - b.position)
  const first = placed[0]
  if (!first) return undefined
  const startedAtMs = firstAtMs + (first.position * 1000) / form.clockRateHz
  const frames = placed.map((frame) => Object.assign(frame, { position: frame.position - first.position }))
  return { frames, startedAtMs, unreadable }
}
