/** How long recordings are kept: rules, legal holds, what would go and why; deleting one by hand. */
import { z } from 'zod'
import { RetentionError } from '../../retention/failures.ts'
import type { Due } from '../../retention/retention.ts'
import type { App } from '../app.ts'
import { askerOf } from '../audited.ts'
import type { ApiDeps } from '../deps.ts'
import { ApiError } from '../failures.ts'
import { problemResponses } from '../problem.ts'
import { idParams } from '../schemas/common.ts'
import {
  holdSchema,
  holdsQuery,
  holdsSchema,
  newHoldSchema,
  newRetentionRuleSchema,
  orphansSchema,
  type Preview,
  previewRequestSchema,
  previewSchema,
  type RecordingRetention,
  recordingRetentionSchema,
  retentionRuleSchema,
  retentionRulesSchema,
  sweepResultSchema,
  whyQuery,
} from '../schemas/retention.ts'

const tags = ['retention']
const mostOrphans = 200

export function retentionRoutes(app: App, deps: ApiDeps): void {
  ruleRoutes(app, deps)
  holdRoutes(app, deps)
  recordingRoutes(app, deps)
}

function ruleRoutes(app: App, { life: { retention, orphans, settingDays } }: ApiDeps): void {
  app.get(
    '/api/retention/rules',
    {
      config: { access: 'viewer' },
      schema: { tags, summary: 'Rules, by name', response: { 200: retentionRulesSchema, ...problemResponses } },
    },
    async () => ({ items: await retention.rules(), settingDays: settingDays() }),
  )

  app.post(
    '/api/retention/rules',
    {
      config: { access: 'admin', audit: 'retention-rule.added' },
      schema: {
        tags,
        summary: 'Add a rule; of all that apply to a recording the longest counts',
        body: newRetentionRuleSchema,
        response: { 201: retentionRuleSchema, ...problemResponses },
      },
    },
    async ({ body, audited }, reply) => {
      const rule = await retention.addRule(body)
      audited.subject = `retention-rule:${rule.id}`
      audited.details = body
      return reply.code(201).send(rule)
    },
  )

  app.put(
    '/api/retention/rules/:id',
    {
      config: { access: 'admin', audit: 'retention-rule.replaced' },
      schema: {
        tags,
        summary: 'Replace a rule',
        params: idParams,
        body: newRetentionRuleSchema,
        response: { 200: retentionRuleSchema, ...problemResponses },
      },
    },
    async ({ params, body, audited }) => {
      audited.details = body
      return retention.replaceRule(params.id, body)
    },
  )

  app.delete(
    '/api/retention/rules/:id',
    {
      config: { access: 'admin', audit: 'retention-rule.removed' },
      schema: {
        tags,
        summary: 'Remove a rule',
        params: idParams,
        response: { 204: z.undefined(), ...problemResponses },
      },
    },
    async ({ params }, reply) => {
      await retention.removeRule(params.id)
      return reply.code(204).send()
    },
  )

  app.post(
    '/api/retention/preview',
    {
      config: { access: 'admin', audit: false },
      schema: {
        tags,
        summary: 'What would be deleted now, with these rules or those that are kept; nothing is changed',
        body: previewRequestSchema,
        response: { 200: previewSchema, ...problemResponses },
      },
    },
    async ({ body }) => {
      const { items, ...counts } = await retention.preview(body.limit, body.rules)
      return {
        items: items.map((due) => shownWithCase(due)),
        ...counts,
      }
    },
  )

  app.post(
    '/api/retention/sweep',
    {
      config: { access: 'admin', audit: 'retention.swept' },
      schema: {
        tags,
        summary: 'Delete now what is due; answers when all has been looked at, files go in the background',
        response: { 200: sweepResultSchema, ...problemResponses },
      },
    },
    () => retention.sweep(),
  )

  app.get(
    '/api/retention/orphans',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Files in the folder that belong to no recording; they are never deleted',
        response: { 200: orphansSchema, ...problemResponses },
      },
    },
    () => orphans(mostOrphans),
  )
}

function holdRoutes(app: App, { life: { holds } }: ApiDeps): void {
  app.get(
    '/api/holds',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'Legal holds, newest first',
        querystring: holdsQuery,
        response: { 200: holdsSchema, ...problemResponses },
      },
    },
    async ({ query }) => ({ items: await holds.list(query.all === 'true') }),
  )

  app.post(
    '/api/holds',
    {
      config: { access: 'admin', audit: false },
      schema: {
        tags,
        summary: 'Hold a recording, a call, or everything of a person: nothing of it is deleted while the hold stands',
        body: newHoldSchema,
        response: { 201: holdSchema, ...problemResponses },
      },
    },
    async (request, reply) => reply.code(201).send(await holds.place(request.body, askerOf(request))),
  )

  app.delete(
    '/api/holds/:id',
    {
      config: { access: 'admin', audit: false },
      schema: {
        tags,
        summary: 'Lift a hold',
        params: idParams,
        querystring: whyQuery,
        response: { 200: holdSchema, ...problemResponses },
      },
    },
    (request) => holds.lift(request.params.id, request.query.why, askerOf(request)),
  )
}

function recordingRoutes(app: App, { life: { retention }, history }: ApiDeps): void {
  app.get(
    '/api/recordings/:id/retention',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Why the recording stays or goes, and when',
        params: idParams,
        response: { 200: recordingRetentionSchema, ...problemResponses },
      },
    },
    async ({ params }) => {
      const due = await retention.why(params.id)
      if (due) return shown(due)
      if (await history.recording(params.id)) throw new RetentionError('retention.not-stored')
      throw new ApiError('api.recording-not-found')
    },
  )

  app.delete(
    '/api/recordings/:id',
    {
      config: { access: 'admin', audit: false },
      schema: {
        tags,
        summary: 'Delete a recording everywhere, in the background; what is known of the call stays',
        params: idParams,
        querystring: whyQuery,
        response: { 202: z.undefined(), ...problemResponses },
      },
    },
    async (request, reply) => {
      if (!(await history.recording(request.params.id))) throw new ApiError('api.recording-not-found')
      await retention.delete(request.params.id, request.query.why, askerOf(request))
      return reply.code(202).send()
    },
  )
}

const shownWithCase = (due: Due): Preview['items'][number] => {
  const { recordingId, callId, startedAtMs, endedAtMs } = due.recording
  return { recordingId, callId, startedAtMs, endedAtMs, ...shown(due) }
}

const shown = ({ decision, holds }: Due): RecordingRetention => ({ ...decision, holds })
