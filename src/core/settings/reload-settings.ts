/** Reading the settings anew while the server runs: `reload` of schema.ts. */
import { duration, flag, setting } from './fields.ts'

export const reloadSettings = {
  watch: setting(flag().default(true), {
    env: 'CONFIG_HOTRELOAD_ENABLED',
    description:
      'Read the settings file again when it changes. SIGHUP and the API do so in any case; both read `.env` again too.',
  }),
  every: setting(duration(500).default(2_000), {
    env: 'CONFIG_HOTRELOAD_DEBOUNCE',
    description: 'How often it is looked at; it is read when it has stood still for so long.',
  }),
}
