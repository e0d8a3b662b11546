/**
 * Routes of loreste/siprec whose function is not built yet: 501 with a code, so that nobody takes an empty answer for an
 * answer. docs/migrating-from-siprec.md lists them.
 */
import type { App } from '../app.ts'
import { ApiError } from '../failures.ts'

const noSpeech = 'speech is not transcribed yet'
const noSocket = `${noSpeech}; facts of calls are at /api/events`

const missing: Readonly<Record<string, string>> = {
  '/api/stt/*': noSpeech,
  '/ws': noSocket,
  '/ws/*': noSocket,
  '/websocket-client': `${noSpeech}; the console shows calls live`,
  '/api/cluster/*': 'a server stands alone; there is no cluster yet',
}

export function missingRoutes(app: App): void {
  for (const [url, why] of Object.entries(missing)) {
    const refuse = () => {
      throw new ApiError('api.not-built', why)
    }
    const route = { url, config: { access: 'viewer', audit: false }, schema: { hide: true }, handler: refuse } as const
    // Before the handshake of a WebSocket, which otherwise would be left waiting.
    app.route({ ...route, method: 'GET', preHandler: async () => refuse(), wsHandler: (socket) => socket.close() })
    app.route({ ...route, method: ['POST', 'PUT', 'DELETE'] })
  }
}
