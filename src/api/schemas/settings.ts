/** The settings: shown, checked, read again. Snake case where clients of loreste/siprec read it. */
import { z } from 'zod'

const paths = z.array(z.string()).readonly()

export const shownSettingsSchema = z
  .looseObject({ settings: z.record(z.string(), z.unknown()).describe('As in patchbay.yaml, secrets masked.') })
  .describe('Beside `settings`: `network`, `http`, `recording`, `logging`, `resources` as loreste/siprec shows them.')
  .meta({ id: 'ShownSettings' })

export const candidateSchema = z.record(z.string(), z.unknown()).describe('A settings file as JSON, in either shape.')

export const settingsCheckSchema = z
  .object({
    valid: z.boolean(),
    errors: z.array(z.string()).describe('The line that would refuse it.'),
    warnings: z.array(z.string()).describe('What is known and not supported.'),
    applied: paths.describe('What would be in force at once.'),
    waiting: paths.describe('What would wait for a restart.'),
  })
  .meta({ id: 'SettingsCheck' })

export const reloadSchema = z
  .object({
    success: z.boolean(),
    timestamp: z.string().describe('ISO 8601.'),
    by: z.enum(['file', 'signal', 'api']),
    applied: paths,
    waiting: paths,
    error: z.string().optional(),
  })
  .meta({ id: 'SettingsReload' })
export type Reload = z.infer<typeof reloadSchema>

export const reloadStatusSchema = z
  .object({
    enabled: z.boolean().describe('They can be read again.'),
    watching: z.boolean().describe('The file is, when it changes.'),
    config_file: z.string().optional(),
    last_reload: reloadSchema.nullable(),
  })
  .meta({ id: 'SettingsReloadStatus' })
