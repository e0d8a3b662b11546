/** Export and erasure in the words of loreste/siprec. */
import { z } from 'zod'

export const gdprOrderSchema = z
  .object({ call_id: z.string().min(1).max(512).describe('The SIP Call-ID, or our id of the call.') })
  .meta({ id: 'GdprOrder' })

export const gdprExportedSchema = z
  .object({
    call_id: z.string(),
    status: z.enum(['exported', 'running']),
    path: z.string().optional().describe('The archive, on the server. Download it from /api/compliance/exports.'),
    export_id: z.string(),
  })
  .meta({ id: 'GdprExported' })

export const gdprErasedSchema = z
  .object({
    call_id: z.string(),
    status: z.enum(['erased', 'running', 'incomplete']).describe('`incomplete`: /api/compliance/erasures says why.'),
    erasure_ids: z.array(z.string()).readonly(),
  })
  .meta({ id: 'GdprErased' })
