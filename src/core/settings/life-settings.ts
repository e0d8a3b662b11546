/** How long recordings are kept, and what is made of them for people who ask: part of `recording`. */
import { duration, setting, text, whole } from './fields.ts'

export const lifeSettings = {
  cleanupDays: setting(whole(0, 36_500).default(0), {
    env: 'RECORDING_CLEANUP_DAYS',
    description:
      'Recordings that no rule is about are deleted so many days after their end ([retention.md](retention.md)). 0 keeps them.',
  }),
  exportDir: setting(text().default(''), {
    env: 'COMPLIANCE_GDPR_EXPORT_DIR',
    description: 'Folder of exports ([privacy.md](privacy.md)). Empty: `exports` in DATA_DIR.',
  }),
  exportKeepDays: setting(whole(1, 365).default(7), {
    env: 'EXPORT_KEEP_DAYS',
    description: 'An export can be downloaded for so many days; then its file is deleted.',
  }),
  cleanupEvery: setting(duration().default(3_600_000), {
    env: 'RECORDING_CLEANUP_INTERVAL',
    description: 'How often recordings are looked through for those whose time is over. 0: only when asked to.',
  }),
}
