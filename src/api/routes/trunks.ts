/** The trunks of the settings and how they fare. */
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { problemResponses } from '../problem.ts'
import { trunksSchema } from '../schemas/trunks.ts'

export function trunkRoutes(app: App, { trunks }: ApiDeps): void {
  app.get(
    '/api/trunks',
    {
      config: { access: 'viewer' },
      schema: {
        tags: ['trunks'],
        summary: 'Trunks, whether they are up, and their registrations',
        response: { 200: trunksSchema, ...problemResponses },
      },
    },
    () => ({ items: trunks.list() }),
  )
}
