/** The OpenAPI 3.1 document, made from the schemas of the routes. */
import swagger from '@fastify/swagger'
import type { FastifyInstance } from 'fastify'
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod'

/** Before the first route: what is added later is described. */
export async function describeRoutes(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Patchbay',
        version,
        description:
          'Calls, recordings and extensions. Sign in for a session cookie, or send an API key as `X-API-Key` or ' +
          '`Authorization: Bearer`. Errors are problem documents (RFC 9457) with a code.',
      },
      tags: [
        { name: 'sign-in', description: 'Sessions of people' },
        { name: 'calls', description: 'Calls, live and past' },
        { name: 'siprec', description: 'Recording sessions that live now' },
        { name: 'recordings', description: 'Recordings and their files' },
        { name: 'extensions', description: 'The directory and registered devices' },
        { name: 'accounts', description: 'People and API keys' },
        { name: 'events', description: 'Facts as they happen' },
        { name: 'status', description: 'Health, status, metrics' },
      ],
      components: {
        securitySchemes: {
          cookie: { type: 'apiKey', in: 'cookie', name: 'patchbay_session' },
          apiKey: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
          bearer: { type: 'http', scheme: 'bearer' },
        },
      },
      security: [{ cookie: [] }, { apiKey: [] }, { bearer: [] }],
    },
    transform: jsonSchemaTransform,
    transformObject: jsonSchemaTransformObject,
  })
}
