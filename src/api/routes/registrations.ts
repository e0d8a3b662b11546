/** The devices registered for an extension. */
import { z } from 'zod'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { problemResponses } from '../problem.ts'
import { extensionParams, registrationsSchema } from '../schemas/extensions.ts'
import { extensionOf } from './extensions.ts'

const tags = ['extensions']

export function registrationRoutes(app: App, { directory, registrations }: ApiDeps): void {
  app.get(
    '/api/extensions/:number/registrations',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Devices registered for an extension',
        params: extensionParams,
        response: { 200: registrationsSchema, ...problemResponses },
      },
    },
    ({ params }) => ({ items: registrations.of(extensionOf(directory, params.number).number) }),
  )

  app.delete(
    '/api/extensions/:number/registrations',
    {
      config: { access: 'admin', audit: 'extension.devices-dropped' },
      schema: {
        tags,
        summary: 'Forget the devices registered for an extension; they may register again',
        params: extensionParams,
        response: { 204: z.undefined(), ...problemResponses },
      },
    },
    async ({ params }, reply) => {
      registrations.drop(extensionOf(directory, params.number).number)
      return reply.code(204).send()
    },
  )
}
