/** What sound is converted to, and how ffmpeg is told so. */
export const soundFormats = ['flac', 'mp3', 'opus'] as const
export type SoundFormat = (typeof soundFormats)[number]

export interface Bitrates {
  /** kbit/s. */
  readonly mp3: number
  readonly opus: number
}

/** Sound as it lies in a WAV of ours: 16-bit, interleaved. */
export interface Pcm {
  readonly sampleRateHz: number
  readonly channels: number
}

interface FormatFacts {
  readonly extension: string
  /** More channels than this stay WAV. */
  readonly mostChannels: number
  /** What comes back is what went in, sample for sample. */
  readonly lossless: boolean
  readonly encoder: (pcm: Pcm, bitrates: Bitrates) => readonly string[]
  /** Name of the container, for reading it again. */
  readonly container: string
}

export const formatFacts: Readonly<Record<SoundFormat, FormatFacts>> = {
  flac: {
    extension: '.flac',
    mostChannels: 8,
    lossless: true,
    encoder: () => ['-c:a', 'flac', '-sample_fmt', 's16', '-compression_level', '5', '-f', 'flac'],
    container: 'flac',
  },
  mp3: {
    extension: '.mp3',
    mostChannels: 2,
    lossless: false,
    // A header with the length would have to be written last, in front of the rest.
    encoder: (_pcm, { mp3 }) => ['-c:a', 'libmp3lame', '-b:a', `${mp3}k`, '-write_xing', '0', '-f', 'mp3'],
    container: 'mp3',
  },
  opus: {
    extension: '.opus',
    mostChannels: 255,
    lossless: false,
    // RFC 7845 §5.1.1: one or two channels are family 0, any number without an order of speakers is 255.
    encoder: ({ channels }, { opus }) => [
      '-c:a',
      'libopus',
      '-b:a',
      `${opus}k`,
      '-application',
      'voip',
      ...(channels > 2 ? ['-mapping_family', '255'] : []),
      '-f',
      'ogg',
    ],
    container: 'ogg',
  },
}

export const pcmInput = ({ sampleRateHz, channels }: Pcm): readonly string[] => [
  '-f',
  's16le',
  '-ar',
  String(sampleRateHz),
  '-ac',
  String(channels),
  '-i',
  'pipe:0',
]
