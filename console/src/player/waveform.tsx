/** The waveform itself: one line a channel, drawn by wavesurfer.js from peaks we computed; a click seeks. */
import { useComputedColorScheme, useMantineTheme } from '@mantine/core'
import { type KeyboardEvent, useEffect, useRef } from 'react'
import WaveSurfer from 'wavesurfer.js'
import { clockTime } from '../format.ts'
import type { PlacedMark } from '../recording/marks.ts'
import { trackColor } from '../theme.ts'
import type { Peaks } from './peaks.ts'

/** Same as the rows of names beside it in styles.css. */
const lineHeightPx = 80

interface WaveformProps {
  readonly audio: HTMLAudioElement
  readonly peaks: Peaks
  readonly positionS: number
  readonly muted: ReadonlySet<number>
  readonly marks: readonly PlacedMark[]
}

export function Waveform({ audio, peaks, positionS, muted, marks }: WaveformProps) {
  const container = useRef<HTMLDivElement>(null)
  const { colors } = useMantineTheme()
  const scheme = useComputedColorScheme('light')
  const durationS = peaks.format.samples / peaks.format.sampleRateHz

  useEffect(() => {
    if (!container.current) return undefined
    const quiet = scheme === 'dark' ? '#5c5f66' : '#ced4da'
    const wave = WaveSurfer.create({
      container: container.current,
      media: audio,
      peaks: peaks.channels.map((channel) => channel),
      duration: durationS,
      height: lineHeightPx,
      cursorColor: scheme === 'dark' ? '#f1f3f5' : '#212529',
      cursorWidth: 1,
      barWidth: 2,
      barGap: 1,
      barRadius: 2,
      barMinHeight: 1,
      dragToSeek: true,
      splitChannels: peaks.channels.map((_, channel) => {
        const color = colors[trackColor(channel)]
        return {
          waveColor: muted.has(channel) ? quiet : (color?.[scheme === 'dark' ? 7 : 4] ?? quiet),
          progressColor: muted.has(channel) ? quiet : (color?.[scheme === 'dark' ? 4 : 8] ?? quiet),
        }
      }),
    })
    return () => wave.destroy()
  }, [audio, peaks, durationS, scheme, colors, muted])

  const seek = (event: KeyboardEvent) => {
    const stepS = { ArrowLeft: -5, ArrowRight: 5, PageDown: -30, PageUp: 30 }[event.key]
    if (stepS !== undefined) audio.currentTime = Math.min(durationS, Math.max(0, audio.currentTime + stepS))
    else if (event.key === 'Home') audio.currentTime = 0
    else if (event.key === 'End') audio.currentTime = durationS
    else return
    event.preventDefault()
  }

  const channels = peaks.channels.length
  return (
    <div className="waveform-area">
      <div
        ref={container}
        className="waveform"
        role="slider"
        tabIndex={0}
        aria-label="Position in the recording"
        aria-valuemin={0}
        aria-valuemax={Math.round(durationS)}
        aria-valuenow={Math.round(positionS)}
        aria-valuetext={`${clockTime(positionS * 1000)} of ${clockTime(durationS * 1000)}`}
        onKeyDown={seek}
      />
      {marks.map(({ kind, fromS, untilS, channel, text }) => (
        <div
          key={`${fromS} ${text}`}
          className="waveform-mark"
          data-kind={kind}
          aria-hidden="true"
          style={{
            left: `${(100 * fromS) / durationS}%`,
            width: `${(100 * (untilS - fromS)) / durationS}%`,
            top: channel === undefined ? 0 : `${(100 * channel) / channels}%`,
            height: channel === undefined ? '100%' : `${100 / channels}%`,
          }}
        />
      ))}
    </div>
  )
}
