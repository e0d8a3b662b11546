/** Colours and shapes; everything else is Mantine's default. */
import { type CSSVariablesResolver, createTheme, type MantineColor } from '@mantine/core'

export const theme = createTheme({
  primaryColor: 'cyan',
  // White on shade 9 and shade 9 on white reach 4.5:1 (WCAG 2.2, 1.4.3).
  primaryShade: 9,
  defaultRadius: 'md',
  autoContrast: true,
  cursorType: 'pointer',
  headings: { fontWeight: '650' },
  components: { Modal: { styles: { title: { fontWeight: 650 } } } },
})

/** Mantine's dimmed text is too pale to read for many: 4.5:1 on every background we use (WCAG 2.2, 1.4.3). */
export const cssVariables: CSSVariablesResolver = () => ({
  variables: {},
  light: { '--mantine-color-dimmed': '#596068' },
  dark: { '--mantine-color-dimmed': '#a6a7ab' },
})

/** One colour a track: the channel's waveform and the name beside it. Repeats after four channels. */
const trackColors: readonly MantineColor[] = ['cyan', 'violet', 'orange', 'green']

export function trackColor(channel: number): MantineColor {
  return trackColors[channel % trackColors.length] ?? 'cyan'
}
