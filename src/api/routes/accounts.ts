/** Users and API keys. Who manages them is an administrator. */
import { z } from 'zod'
import { addUser } from '../../auth/users.ts'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { problemResponses } from '../problem.ts'
import {
  apiKeyCreatedSchema,
  apiKeysSchema,
  newApiKeySchema,
  newUserSchema,
  userSavedSchema,
  usersSchema,
} from '../schemas/auth.ts'
import { idParams } from '../schemas/common.ts'

const tags = ['accounts']

export function accountRoutes(app: App, { auth, clock }: ApiDeps): void {
  app.get(
    '/api/users',
    {
      config: { access: 'admin' },
      schema: { tags, summary: 'People who may sign in', response: { 200: usersSchema, ...problemResponses } },
    },
    async () => ({ items: await auth.users.list() }),
  )

  app.post(
    '/api/users',
    {
      config: { access: 'admin', audit: 'user.added' },
      schema: {
        tags,
        summary: 'Add a person',
        body: newUserSchema,
        response: { 201: userSavedSchema, ...problemResponses },
      },
    },
    async ({ body, audited }, reply) => {
      const saved = await addUser(auth.users, body, clock)
      audited.subject = `user:${saved.user.name}`
      audited.details = { role: saved.user.role }
      return reply.code(201).send(saved)
    },
  )

  app.get(
    '/api/api-keys',
    {
      config: { access: 'admin' },
      schema: { tags, summary: 'API keys, without the keys', response: { 200: apiKeysSchema, ...problemResponses } },
    },
    async () => ({ items: await auth.apiKeys.list() }),
  )

  app.post(
    '/api/api-keys',
    {
      config: { access: 'admin', audit: 'api-key.made' },
      schema: {
        tags,
        summary: 'Make an API key; it is shown in this answer and never again',
        body: newApiKeySchema,
        response: { 201: apiKeyCreatedSchema, ...problemResponses },
      },
    },
    async ({ body, audited }, reply) => {
      const { name, role } = body
      const created = await auth.apiKeys.create(name, role)
      audited.subject = `api-key:${created.apiKey.id}`
      audited.details = { name, role }
      return reply.code(201).send(created)
    },
  )

  app.delete(
    '/api/api-keys/:id',
    {
      config: { access: 'admin', audit: 'api-key.revoked' },
      schema: {
        tags,
        summary: 'Revoke an API key',
        params: idParams,
        response: { 204: z.undefined(), ...problemResponses },
      },
    },
    async ({ params }, reply) => {
      await auth.apiKeys.remove(params.id)
      return reply.code(204).send()
    },
  )
}
