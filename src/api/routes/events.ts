/** The WebSocket of live facts. */
import type { App } from '../app.ts'
import type { EventHub } from '../event-hub.ts'
import { ApiError } from '../failures.ts'
import { problemResponses } from '../problem.ts'
import { eventsQuerySchema } from '../schemas/events.ts'

export function eventRoutes(app: App, hub: EventHub): void {
  app.route({
    method: 'GET',
    url: '/api/events',
    config: { access: 'viewer' },
    schema: {
      tags: ['events'],
      summary: 'WebSocket: each fact as one JSON text; send {"type":"subscribe","kinds":["call"]} to narrow it',
      querystring: eventsQuerySchema,
      response: problemResponses,
    },
    handler: () => {
      throw new ApiError('api.upgrade-required')
    },
    wsHandler: (socket, request) => {
      if (request.identity) hub.add(socket, request.identity, request.query.kinds)
    },
  })
}
