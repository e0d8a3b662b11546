/** Extensions: create, change, delete. Passwords are kept as hashes only. */
import { z } from 'zod'
import { newPassword } from '../../core/random.ts'
import { type Directory, DirectoryError, type Extension } from '../../pbx/directory.ts'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { problemResponses } from '../problem.ts'
import {
  extensionChangesSchema,
  extensionParams,
  extensionSavedSchema,
  extensionSchema,
  extensionsSchema,
  newExtensionSchema,
  type Extension as ShownExtension,
} from '../schemas/extensions.ts'

const tags = ['extensions']

export function extensionRoutes(app: App, { directory, registrations, digestHashes, clock }: ApiDeps): void {
  const shown = ({
    number,
    displayName,
    ringSeconds,
    record,
    maxContacts,
    srtp,
    codecs,
    sound,
    recordTo,
    createdAtMs,
  }: Extension): ShownExtension => ({
    number,
    displayName,
    ringSeconds,
    record,
    maxContacts,
    ...(srtp && { srtp }),
    ...(codecs && { codecs }),
    ...(sound && { sound }),
    ...(recordTo && { recordTo }),
    createdAtMs,
    registrations: registrations.of(number),
  })

  app.get(
    '/api/extensions',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'All extensions', response: { 200: extensionsSchema, ...problemResponses } },
    },
    () => ({ items: directory.list().map(shown) }),
  )

  app.post(
    '/api/extensions',
    {
      config: { access: 'admin', audit: 'extension.added' },
      schema: {
        tags,
        summary: 'Add an extension',
        body: newExtensionSchema,
        response: { 201: extensionSavedSchema, ...problemResponses },
      },
    },
    async ({ body, audited }, reply) => {
      const { password, ...wanted } = body
      audited.subject = `extension:${wanted.number}`
      const generated = password === undefined ? newPassword() : undefined
      const hashes = digestHashes(wanted.number, password ?? generated ?? '')
      await directory.add({ ...wanted, hashes, createdAtMs: clock.wallMs() })
      reply.code(201).header('location', `/api/extensions/${encodeURIComponent(wanted.number)}`)
      return { extension: shown(extensionOf(directory, wanted.number)), ...(generated && { password: generated }) }
    },
  )

  app.get(
    '/api/extensions/:number',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'One extension',
        params: extensionParams,
        response: { 200: extensionSchema, ...problemResponses },
      },
    },
    ({ params }) => shown(extensionOf(directory, params.number)),
  )

  app.patch(
    '/api/extensions/:number',
    {
      config: { access: 'admin', audit: 'extension.changed' },
      schema: {
        tags,
        summary: 'Change an extension',
        params: extensionParams,
        body: extensionChangesSchema,
        response: { 200: extensionSavedSchema, ...problemResponses },
      },
    },
    async ({ params, body, audited }) => {
      audited.details = { changed: Object.keys(body).filter((name) => name !== 'generatePassword') }
      const { password, generatePassword, srtp, codecs, sound, recordTo, ...changes } = body
      const generated = generatePassword ? newPassword() : undefined
      const wanted = generated ?? password
      const extension = await directory.change(params.number, {
        ...changes,
        ...(srtp !== undefined && { srtp: srtp ?? undefined }),
        ...(codecs !== undefined && { codecs: codecs ?? undefined }),
        ...(sound !== undefined && { sound: sound ?? undefined }),
        ...(recordTo !== undefined && { recordTo: recordTo ?? undefined }),
        ...(wanted !== undefined && { hashes: digestHashes(params.number, wanted) }),
      })
      return { extension: shown(extension), ...(generated && { password: generated }) }
    },
  )

  app.delete(
    '/api/extensions/:number',
    {
      config: { access: 'admin', audit: 'extension.removed' },
      schema: {
        tags,
        summary: 'Delete an extension; its devices are no longer registered',
        params: extensionParams,
        response: { 204: z.undefined(), ...problemResponses },
      },
    },
    async ({ params }, reply) => {
      await directory.remove(params.number)
      registrations.drop(params.number)
      return reply.code(204).send()
    },
  )
}

/** @throws {DirectoryError} `directory.not-found` */
export function extensionOf(directory: Directory, number: string): Extension {
  const extension = directory.find(number)
  if (!extension) throw new DirectoryError('directory.not-found')
  return extension
}
