/**
 * What is changed through the API is recorded: who, from where, which route, what it was done to. No route has to
 * remember it; one that reads says so when reading matters (audio).
 *
 * The record is kept before the answer goes out. When it cannot be kept the answer is an error, and the log has what
 * was done.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Audit } from '../audit/audit.ts'
import type { Asker, AuditDetails } from '../audit/types.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * What the audit record calls it, `extension.removed`. Needed by each route that changes something, false where
     * nothing does in the end; a route that reads is recorded when it is given.
     */
    audit?: string | false
  }
  interface FastifyRequest {
    /** What a handler knows better than the address: the id of what was made, who signed in. */
    audited: { subject?: string; details?: AuditDetails; who?: string; kept?: boolean }
  }
}

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS'])

export function auditChanges(app: FastifyInstance, audit: Audit): void {
  app.decorateRequest('audited', null as never)
  app.addHook('onRequest', async (request) => {
    request.audited = {}
  })
  app.addHook('onSend', async (request, reply, payload) => {
    if (reply.statusCode < 400) await keep(audit, request)
    return payload
  })
}

async function keep(audit: Audit, request: FastifyRequest): Promise<void> {
  const action = actionOf(request)
  const { subject = subjectOf(request, action), details, who, kept } = request.audited
  if (!action || kept) return
  request.audited.kept = true
  const { identity } = request
  await audit.record({
    who: identity?.name ?? who ?? 'nobody',
    via: identity?.via ?? 'session',
    source: request.ip,
    action,
    ...(subject !== undefined && { subject }),
    ...(details && { details }),
  })
}

function actionOf({ method, routeOptions }: FastifyRequest): string | undefined {
  const { config, url } = routeOptions
  if (config.audit === false) return undefined
  return config.audit ?? (safeMethods.has(method) || !url ? undefined : `${method.toLowerCase()}.${url}`)
}

/** `extension.removed` of `/api/extensions/:number` is about `extension:101`; what has a `:callId`, about that call. */
function subjectOf({ params }: FastifyRequest, action: string | undefined): string | undefined {
  const [first] = Object.entries((params ?? {}) as Record<string, string>)
  if (!action || !first) return undefined
  const [name, value] = first
  return `${name === 'callId' ? 'call' : action.slice(0, action.indexOf('.'))}:${value}`
}

/** Who asks, for features that keep their own record of it. */
export const askerOf = ({ identity, ip }: FastifyRequest): Asker => ({
  who: identity?.name ?? 'nobody',
  via: identity?.via ?? 'session',
  source: ip,
})
