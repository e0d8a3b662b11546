/** The audio element and its state: playing, where, how fast, which channels are muted. */
import { useCallback, useEffect, useRef, useState } from 'react'
import { AudioGraph } from './audio-graph.ts'

export interface Player {
  /** The element; undefined for the first render. */
  readonly audio: HTMLAudioElement | undefined
  readonly playing: boolean
  readonly positionS: number
  readonly muted: ReadonlySet<number>
  readonly rate: number
  /** Why it does not play. */
  readonly problem: string | undefined
  readonly toggle: () => void
  readonly toggleMute: (channel: number) => void
  readonly setRate: (rate: number) => void
  /** Seconds from the first sample. */
  readonly seek: (toS: number) => void
}

export function usePlayer(address: string, channels: number): Player {
  const [audio, setAudio] = useState<HTMLAudioElement>()
  const [playing, setPlaying] = useState(false)
  const [positionS, setPositionS] = useState(0)
  const [muted, setMuted] = useState<ReadonlySet<number>>(new Set())
  const [rate, setRate] = useState(1)
  const [problem, setProblem] = useState<string>()
  const graph = useRef<AudioGraph>(undefined)

  useEffect(() => {
    const element = new Audio()
    element.preload = 'metadata'
    element.src = address
    const watch = new AbortController()
    const on = (type: string, listener: () => void) =>
      element.addEventListener(type, listener, { signal: watch.signal })
    on('play', () => setPlaying(true))
    on('pause', () => setPlaying(false))
    on('ended', () => setPlaying(false))
    on('timeupdate', () => setPositionS(element.currentTime))
    on('seeking', () => setPositionS(element.currentTime))
    on('error', () => setProblem('The browser cannot play this file. Reload the page, or download the file.'))
    setAudio(element)
    setProblem(undefined)
    setPositionS(0)
    return () => {
      watch.abort()
      element.pause()
      element.removeAttribute('src')
      element.load()
      graph.current?.close()
      graph.current = undefined
    }
  }, [address])

  useEffect(() => graph.current?.mute(muted), [muted])
  useEffect(() => {
    if (audio) audio.playbackRate = rate
  }, [audio, rate])

  const toggle = useCallback(() => {
    if (!audio) return
    if (!audio.paused) {
      audio.pause()
      return
    }
    if (!graph.current) {
      graph.current = new AudioGraph(audio, channels)
      graph.current.mute(muted)
    }
    void graph.current.resume()
    audio.play().then(
      () => setProblem(undefined),
      (error: unknown) => setProblem(error instanceof Error ? error.message : String(error)),
    )
  }, [audio, channels, muted])

  const toggleMute = useCallback((channel: number) => {
    setMuted((before) => {
      const next = new Set(before)
      if (!next.delete(channel)) next.add(channel)
      return next
    })
  }, [])

  const seek = useCallback(
    (toS: number) => {
      if (audio) audio.currentTime = toS
    },
    [audio],
  )

  return { audio, playing, positionS, muted, rate, problem, toggle, toggleMute, setRate, seek }
}
