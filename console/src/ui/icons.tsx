/** The icons of the console: strokes on a 24-unit square, in the colour of the text. Decoration only, hidden from readers. */
import type { ReactNode } from 'react'

export interface IconProps {
  /** Pixels. */
  readonly size?: number
}

function icon(drawing: ReactNode) {
  return function Icon({ size = 20 }: IconProps) {
    return (
      <svg
        width={size}
        height={size}
        viewBox="0 0 24 24"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.8"
        strokeLinecap="round"
        strokeLinejoin="round"
        aria-hidden="true"
      >
        {drawing}
      </svg>
    )
  }
}

export const LiveIcon = icon(<path d="M3 12h4l3-8 4 16 3-8h4" />)
export const PhoneIcon = icon(
  <path d="M5 4h3.6l1.8 4.6-2.3 1.5a11 11 0 0 0 5.8 5.8l1.5-2.3L20 15.4V19a2 2 0 0 1-2.2 2A16 16 0 0 1 3 6.2 2 2 0 0 1 5 4z" />,
)
export const HangUpIcon = icon(
  <path d="M3.5 14.6c-1-3 3.3-6.1 8.5-6.1s9.5 3.1 8.5 6.1c-.2.7-.9 1-1.5.9l-3-.7c-.7-.2-1.1-.7-1.1-1.4v-1.2c-1.9-.6-3.9-.6-5.8 0v1.2c0 .7-.4 1.2-1.1 1.4l-3 .7c-.6.1-1.3-.2-1.5-.9z" />,
)
export const HistoryIcon = icon(
  <>
    <path d="M4 12a8 8 0 1 0 2.6-5.9L4 8.5" />
    <path d="M4 4v4.5h4.5M12 8v4.3l3 1.7" />
  </>,
)
export const WaveIcon = icon(<path d="M4 10v4M8 6v12M12 9v6M16 4v16M20 10v4" />)
export const PeopleIcon = icon(
  <>
    <circle cx="9" cy="8" r="3.5" />
    <path d="M2.5 20a6.5 6.5 0 0 1 13 0M16 4.8a3.5 3.5 0 0 1 0 6.4M18 14.3a6.5 6.5 0 0 1 3.5 5.7" />
  </>,
)
export const KeyIcon = icon(
  <>
    <circle cx="8" cy="15.5" r="4" />
    <path d="M11 12.5 20 3.5M16.5 7l3 3M13.5 10l2 2" />
  </>,
)
export const ShieldIcon = icon(
  <path d="M12 3 5 6v5.5c0 4.4 2.9 7.7 7 9.5 4.1-1.8 7-5.1 7-9.5V6zM9 12l2.2 2.2L15.2 10" />,
)
export const MessagesIcon = icon(<path d="M4 7h13M13 3l4 4-4 4M20 17H7M11 13l-4 4 4 4M4 12h3M17 12h3" />)
export const PlugIcon = icon(<path d="M9 3v5M15 3v5M6 8h12v3a6 6 0 0 1-12 0zM12 17v4" />)
export const TrunkIcon = icon(<path d="M4 8h13M13 4l4 4-4 4M20 16H7M11 12l-4 4 4 4" />)
export const RecorderIcon = icon(
  <>
    <rect x="3" y="5" width="18" height="14" rx="2.5" />
    <circle cx="8.5" cy="12" r="2.3" />
    <circle cx="15.5" cy="12" r="2.3" />
    <path d="M8.5 14.3h7" />
  </>,
)
export const SunIcon = icon(
  <>
    <circle cx="12" cy="12" r="4" />
    <path d="M12 2.5v2M12 19.5v2M2.5 12h2M19.5 12h2M5.3 5.3l1.4 1.4M17.3 17.3l1.4 1.4M5.3 18.7l1.4-1.4M17.3 6.7l1.4-1.4" />
  </>,
)
export const MoonIcon = icon(<path d="M20 14.5A8.5 8.5 0 1 1 9.5 4a6.7 6.7 0 0 0 10.5 10.5z" />)
export const PlusIcon = icon(<path d="M12 5v14M5 12h14" />)
export const DotsIcon = icon(<path d="M12 5.5v.01M12 12v.01M12 18.5v.01" strokeWidth="3" />)
export const CopyIcon = icon(
  <>
    <rect x="9" y="9" width="11" height="11" rx="2" />
    <path d="M5 15H4.5A1.5 1.5 0 0 1 3 13.5v-9A1.5 1.5 0 0 1 4.5 3h9A1.5 1.5 0 0 1 15 4.5V5" />
  </>,
)
export const CheckIcon = icon(<path d="m5 12.5 4.5 4.5L19 7.5" />)
export const DownloadIcon = icon(<path d="M12 4v11M7.5 10.5 12 15l4.5-4.5M5 20h14" />)
export const PlayIcon = icon(<path d="M7 4.5v15l12-7.5z" fill="currentColor" />)
export const PauseIcon = icon(<path d="M8 5v14M16 5v14" strokeWidth="4" />)
export const SoundIcon = icon(<path d="M4 9.5v5h3.5L12 19V5L7.5 9.5zM15.5 9a4 4 0 0 1 0 6M18 6.5a8 8 0 0 1 0 11" />)
export const MutedIcon = icon(<path d="M4 9.5v5h3.5L12 19V5L7.5 9.5zM16 9.5l5 5M21 9.5l-5 5" />)
export const SearchIcon = icon(
  <>
    <circle cx="10.5" cy="10.5" r="6" />
    <path d="m15 15 5.5 5.5" />
  </>,
)
export const BackIcon = icon(<path d="M19 12H5M11 6l-6 6 6 6" />)
export const JobsIcon = icon(<path d="M9 6h11M9 12h11M9 18h11M4 6l1 1 2-2.2M4 12l1 1 2-2.2M4 18l1 1 2-2.2" />)
export const AuditIcon = icon(
  <>
    <path d="M14 3H6.5A1.5 1.5 0 0 0 5 4.5v15A1.5 1.5 0 0 0 6.5 21h11a1.5 1.5 0 0 0 1.5-1.5V8z" />
    <path d="M14 3v5h5M9 13h6M9 17h4" />
  </>,
)
export const RetentionIcon = icon(<path d="M6 3h12M6 21h12M7.5 3c0 5 9 6 9 9s-9 4-9 9M16.5 3c0 5-9 6-9 9s9 4 9 9" />)
export const PersonOutIcon = icon(
  <>
    <circle cx="9.5" cy="8" r="3.5" />
    <path d="M3 20a6.5 6.5 0 0 1 11-4.7M16 16l5 5M21 16l-5 5" />
  </>,
)
export const AlertIcon = icon(<path d="M12 4 2.5 20h19zM12 10v4.5M12 17.3v.01" />)
export const SignOutIcon = icon(<path d="M14 4h4a2 2 0 0 1 2 2v12a2 2 0 0 1-2 2h-4M4 12h11M8 8l-4 4 4 4" />)
