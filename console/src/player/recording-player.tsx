/** A recording to listen to: a track a party with its mute, play, speed, and the files to download. Space plays and pauses. */
import {
  ActionIcon,
  Alert,
  Anchor,
  Button,
  Group,
  Progress,
  SegmentedControl,
  Stack,
  Text,
  Tooltip,
} from '@mantine/core'
import { lazy, Suspense, useEffect, useState } from 'react'
import type { Leg } from '../../../src/api/schemas/calls.ts'
import type { Recording } from '../../../src/api/schemas/recordings.ts'
import { clockTime, fileSize, fullTime } from '../format.ts'
import { MarkList } from '../recording/mark-list.tsx'
import { marksIn, type PlacedMark } from '../recording/marks.ts'
import { trackColor } from '../theme.ts'
import { DownloadIcon, MutedIcon, PauseIcon, PlayIcon, SoundIcon } from '../ui/icons.tsx'
import { ErrorNote } from '../ui/notes.tsx'
import { fileAddress, fileTitle, fileToPlay, isPlayable, type Track, tracksOf } from './tracks.ts'
import { type PeaksState, usePeaks } from './use-peaks.ts'
import { type Player, usePlayer } from './use-player.ts'

/** wavesurfer.js comes only with the first waveform. */
const Waveform = lazy(async () => ({ default: (await import('./waveform.tsx')).Waveform }))

interface RecordingPlayerProps {
  readonly recording: Recording
  readonly legs: readonly Leg[]
}

export function RecordingPlayer({ recording, legs }: RecordingPlayerProps) {
  const [chosen, setChosen] = useState<string>()
  const file = recording.files.find(({ name }) => name === chosen) ?? fileToPlay(recording.files)
  const address = file ? fileAddress(recording.id, file.name) : ''
  const channels = file?.channels ?? 1
  const player = usePlayer(address, channels)
  const peaks = usePeaks(address, file)
  useSpaceKey(player.toggle)
  if (!file)
    return (
      <Stack gap="sm">
        <Alert color="blue" title="Packets alone">
          The voices came in a codec that is not decoded here, such as G.729. The packets were stored as received;
          Wireshark opens them.
        </Alert>
        <Downloads recording={recording} legs={legs} />
      </Stack>
    )

  const tracks = tracksOf(file, recording, legs)
  const marks = marksIn(file, recording, legs)
  const durationMs = (file.samples / file.sampleRateHz) * 1000
  return (
    <Stack gap="sm">
      {recording.state === 'interrupted' ? (
        <Alert color="orange" title="Interrupted">
          The server ended unexpectedly during this call. The recording was repaired at its next start and holds what
          had been written until then.
        </Alert>
      ) : null}
      {hasCombined(recording) || recording.files.length < 2 ? null : (
        <SegmentedControl
          aria-label="File to play"
          value={file.name}
          onChange={setChosen}
          data={recording.files
            .filter(isPlayable)
            .map((each) => ({ value: each.name, label: fileTitle(each, recording, legs) }))}
        />
      )}
      <div className="tracks">
        <div className="track-names">
          {tracks.map((track) => (
            <TrackName key={track.channel} track={track} player={player} />
          ))}
        </div>
        <WaveformArea peaks={peaks} player={player} channels={channels} marks={marks} />
      </div>
      <MarkList marks={marks} onSeek={player.seek} />
      {player.problem && peaks.error === undefined ? <Alert color="red">{player.problem}</Alert> : null}
      <Group gap="md">
        <Button
          leftSection={player.playing ? <PauseIcon size={16} /> : <PlayIcon size={16} />}
          onClick={player.toggle}
          disabled={!player.audio || peaks.error !== undefined}
          w={110}
        >
          {player.playing ? 'Pause' : 'Play'}
        </Button>
        <Text className="tabular" data-testid="player-time">
          {clockTime(player.positionS * 1000)} / {clockTime(durationMs)}
        </Text>
        <SegmentedControl
          size="xs"
          aria-label="Speed"
          value={String(player.rate)}
          onChange={(value) => player.setRate(Number(value))}
          data={['0.75', '1', '1.5', '2'].map((value) => ({ value, label: `${value}×` }))}
        />
        <Text size="xs" c="dimmed" visibleFrom="sm">
          First sample {fullTime(file.startedAtMs)}. Space plays and pauses.
        </Text>
      </Group>
      <Downloads recording={recording} legs={legs} />
    </Stack>
  )
}

/** Legs of different sampling rates are kept apart; one of them plays at a time. */
function hasCombined({ files }: Recording): boolean {
  return files.some(({ kind }) => kind === 'combined')
}

function TrackName({ track, player }: { readonly track: Track; readonly player: Player }) {
  const { channel, name, guessed } = track
  const muted = player.muted.has(channel)
  const label = muted ? `Hear ${name}` : `Mute ${name}`
  return (
    <Group gap="xs" wrap="nowrap">
      <Tooltip label={label}>
        <ActionIcon
          variant="light"
          color={muted ? 'gray' : trackColor(channel)}
          aria-label={label}
          aria-pressed={muted}
          onClick={() => player.toggleMute(channel)}
        >
          {muted ? <MutedIcon size={18} /> : <SoundIcon size={18} />}
        </ActionIcon>
      </Tooltip>
      <div className="truncate">
        <Text fw={600} size="sm" truncate c={muted ? 'dimmed' : undefined} title={name}>
          {name}
        </Text>
        <Text size="xs" c="dimmed">
          Channel {channel + 1}
          {guessed ? ', guessed' : ''}
        </Text>
      </div>
    </Group>
  )
}

interface WaveformAreaProps {
  readonly peaks: PeaksState
  readonly player: Player
  readonly channels: number
  readonly marks: readonly PlacedMark[]
}

function WaveformArea({ peaks, player, channels, marks }: WaveformAreaProps) {
  if (peaks.error) return <ErrorNote error={peaks.error} />
  const reading = (
    <Stack h={80 * channels} justify="center">
      <Progress value={100 * peaks.progress} animated aria-label="Reading the recording" />
    </Stack>
  )
  if (!peaks.done) return reading
  if (!peaks.peaks || !player.audio) return <Text c="dimmed">The file holds no audio.</Text>
  return (
    <Suspense fallback={reading}>
      <Waveform
        audio={player.audio}
        peaks={peaks.peaks}
        positionS={player.positionS}
        muted={player.muted}
        marks={marks}
      />
    </Suspense>
  )
}

function Downloads({ recording, legs }: RecordingPlayerProps) {
  return (
    <Group gap="md" component="ul" style={{ listStyle: 'none', margin: 0, padding: 0 }} aria-label="Files">
      {recording.files.map((file) => (
        <li key={file.name}>
          <Anchor href={fileAddress(recording.id, file.name)} download={file.name} size="sm" title={file.name}>
            <Group gap={4} wrap="nowrap">
              <DownloadIcon size={16} />
              {fileTitle(file, recording, legs)} ({fileSize(file.bytes)})
            </Group>
          </Anchor>
        </li>
      ))}
    </Group>
  )
}

/** Space plays and pauses, unless it means something where the focus is. */
function useSpaceKey(toggle: () => void): void {
  useEffect(() => {
    const pressed = (event: KeyboardEvent) => {
      const target = event.target instanceof Element ? event.target : undefined
      const taken = target?.closest('input, textarea, select, button, a, pre, [role=dialog], [contenteditable]')
      if (event.key !== ' ' || event.repeat || taken) return
      event.preventDefault()
      toggle()
    }
    window.addEventListener('keydown', pressed)
    return () => window.removeEventListener('keydown', pressed)
  }, [toggle])
}
