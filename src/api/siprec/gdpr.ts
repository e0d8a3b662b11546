/**
 * Export and erasure of one call as loreste/siprec has them: asked by Call-ID, answered when it is done.
 *
 * One implementation underneath, that of `/api/compliance/export` and `/erase`, which works in the background. What takes
 * longer than a client waits is answered 202 with where to look.
 */
import type { FastifyRequest } from 'fastify'
import { sleep } from '../../core/clock.ts'
import type { App } from '../app.ts'
import { askerOf } from '../audited.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../failures.ts'
import { problemResponses } from '../problem.ts'
import { gdprErasedSchema, gdprExportedSchema, gdprOrderSchema } from '../schemas/siprec-gdpr.ts'

const tags = ['compliance']
/** Clients and proxies give up after half a minute. */
const waitMs = 20_000
const lookEveryMs = 250
/** Calls with one Call-ID: a client that counts anew after each restart. */
const mostCalls = 50

export function gdprRoutes(app: App, deps: ApiDeps): void {
  app.post(
    '/api/compliance/gdpr/export',
    {
      config: { access: 'admin', audit: false },
      schema: {
        tags,
        summary: 'Everything of a call as one archive, by Call-ID; of several calls with it the latest',
        body: gdprOrderSchema,
        response: { 200: gdprExportedSchema, 202: gdprExportedSchema, ...problemResponses },
      },
    },
    async (request, reply) => {
      const { call_id } = request.body
      const { exports } = deps.life
      const [callId = ''] = await callsOf(call_id, deps)
      const { id } = await exports.request({ callId }, askerOf(request))
      const made = await whenDone(
        deps,
        () => exports.find(id),
        ({ state }) => state === 'ready' || state === 'failed',
      )
      if (made?.state === 'failed') throw new ApiError('api.internal', made.error)
      if (!made) return reply.code(202).send({ call_id, status: 'running', export_id: id })
      const { folder, name } = await exports.fileOf(id)
      return reply.send({ call_id, path: `${folder}/${name}`, status: 'exported', export_id: id })
    },
  )

  for (const method of ['POST', 'DELETE'] as const)
    app.route({
      method,
      url: '/api/compliance/gdpr/erase',
      config: { access: 'admin', audit: false },
      schema: {
        tags,
        summary: 'Erase everything of the calls with this Call-ID',
        body: gdprOrderSchema,
        response: { 200: gdprErasedSchema, 202: gdprErasedSchema, ...problemResponses },
      },
      handler: async (request: FastifyRequest<{ Body: { call_id: string } }>, reply) => {
        const { call_id } = request.body
        const erasure_ids: string[] = []
        for (const callId of await callsOf(call_id, deps)) {
          const why = 'asked for by POST or DELETE /api/compliance/gdpr/erase'
          erasure_ids.push((await deps.life.erasures.begin({ callId }, why, askerOf(request))).id)
        }
        const all = () => Promise.all(erasure_ids.map((id) => deps.life.erasures.find(id)))
        const done = await whenDone(deps, all, (each) => each.every(({ state }) => state !== 'running'))
        if (!done) return reply.code(202).send({ call_id, status: 'running', erasure_ids })
        const status = done.every(({ state }) => state === 'done') ? 'erased' : 'incomplete'
        return reply.send({ call_id, status, erasure_ids })
      },
    })
}

/** Our ids, the latest first. @throws {ApiError} `api.call-not-found` */
async function callsOf(callId: string, { history }: ApiDeps): Promise<string[]> {
  if (await history.call(callId)) return [callId]
  const { items } = await history.calls({ search: callId, limit: mostCalls })
  const ids = items.filter(({ legs }) => legs.some(({ sipCallId }) => sipCallId === callId)).map(({ id }) => id)
  if (ids.length === 0) throw new ApiError('api.call-not-found')
  return ids
}

/** Undefined when it takes longer than anybody waits. */
async function whenDone<Value>(
  { clock }: ApiDeps,
  look: () => Promise<Value>,
  isDone: (value: Value) => boolean,
): Promise<Value | undefined> {
  for (const untilMs = clock.now() + waitMs; clock.now() < untilMs; await sleep(clock, lookEveryMs)) {
    const value = await look()
    if (isDone(value)) return value
  }
  return undefined
}
