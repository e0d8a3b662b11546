/** How loud a leg was in the last seconds. */
import { Box } from '@mantine/core'
import { floorDbov, levelShare } from './level.ts'

export function LevelMeter({ dbov, of }: { readonly dbov: number | undefined; readonly of: string }) {
  const share = levelShare(dbov)
  const text = dbov === undefined ? 'not known yet' : `${Math.round(dbov)} dBov`
  return (
    <Box
      role="meter"
      aria-label={`Level of ${of}`}
      aria-valuemin={floorDbov}
      aria-valuemax={0}
      aria-valuenow={Math.round(Math.max(floorDbov, dbov ?? floorDbov))}
      aria-valuetext={text}
      title={text}
      w={64}
      h={6}
      bg="var(--mantine-color-default-border)"
      style={{ borderRadius: 3, overflow: 'hidden' }}
    >
      <Box h="100%" w={`${Math.round(share * 100)}%`} bg="var(--mantine-color-teal-6)" />
    </Box>
  )
}
