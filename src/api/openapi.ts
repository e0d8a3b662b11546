/** The OpenAPI 3.1 document, made from the schemas of the routes. */
import swagger, { type SwaggerTransform, type SwaggerTransformObject } from '@fastify/swagger'
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
          'Calls, recordings, extensions and trunks. Sign in for a session cookie, or send an API key as `X-API-Key` or ' +
          '`Authorization: Bearer`. Errors are problem documents (RFC 9457) with a code.',
        license: { name: 'Apache 2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/', description: 'The server this document came from' }],
      tags: [
        { name: 'sign-in', description: 'Sessions of people' },
        { name: 'calls', description: 'Calls, live and past' },
        { name: 'siprec', description: 'Recording clients and their sessions that live now' },
        { name: 'recordings', description: 'Recordings and their files' },
        { name: 'jobs', description: 'What still has to be done' },
        { name: 'extensions', description: 'The directory and registered devices' },
        { name: 'trunks', description: 'Trunks and how they fare' },
        { name: 'security', description: 'Who is banned from SIP' },
        { name: 'sip', description: 'SIP messages of everybody' },
        { name: 'retention', description: 'How long recordings are kept, legal holds' },
        { name: 'compliance', description: 'What is kept of a person, given and taken away' },
        { name: 'audit', description: 'Who did what' },
        { name: 'accounts', description: 'People and API keys' },
        { name: 'settings', description: 'The settings in force, checked, read again' },
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
    transform: describeRoute,
    transformObject: describeDocument,
  })
}

const describeRoute: SwaggerTransform = (input) => {
  const { schema, url } = jsonSchemaTransform(input)
  const open = input.route.config?.access === 'public'
  const operationId = operationIdOf(String(input.route.method), url)
  return { url, schema: { ...schema, operationId, ...(open && { security: [] }) } }
}

/** A name for programs that make a client of the document: `GET /api/calls/:id/messages` is `getCallsByIdMessages`. */
function operationIdOf(method: string, url: string): string {
  const words = url
    .replace(/^\/api(?=\/)/, '')
    .replaceAll(':', 'by-')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '')
  return method.toLowerCase() + words.map((word) => word.slice(0, 1).toUpperCase() + word.slice(1)).join('')
}

/** Each schema exists as it is sent and as it is read; what no route uses of them is left out. */
const describeDocument: SwaggerTransformObject = (input) => {
  const document = jsonSchemaTransformObject(input)
  if (!('components' in document)) return document
  const schemas: Record<string, unknown> = document.components?.schemas ?? {}
  const used = new Set<string>()
  const collect = (part: unknown): void => {
    for (const [, name = ''] of JSON.stringify(part).matchAll(/"#\/components\/schemas\/(\w+)"/g)) {
      if (used.has(name)) continue
      used.add(name)
      collect(schemas[name] ?? {})
    }
  }
  collect(document.paths ?? {})
  for (const name of Object.keys(schemas)) if (!used.has(name)) delete schemas[name]
  return document
}
