/** Figures and flags in the words of loreste/siprec. */
import { z } from 'zod'

export const simpleMetricsSchema = z
  .object({
    status: z.enum(['healthy', 'unhealthy']),
    version: z.string(),
    uptime_seconds: z.int(),
    active_calls: z.int(),
    active_sessions: z.int(),
    ports_in_use: z.int(),
    memory_mb: z.number(),
  })
  .meta({ id: 'SimpleMetrics' })

export const complianceStatusSchema = z
  .object({
    pci_enabled: z.boolean().describe('False: card numbers are not looked for.'),
    pii_detection_enabled: z.boolean().describe('False: personal data in speech is not found or masked.'),
    gdpr_enabled: z.boolean().describe('Export and erasure need no switch.'),
    audit_tamper_proof: z.boolean().describe('Each audit record covers the one before.'),
    tls_enabled: z.boolean(),
    tls_only: z.boolean(),
    srtp_enabled: z.boolean(),
    srtp_required: z.boolean(),
    recording_encryption_enabled: z.boolean(),
    api_authentication_enabled: z.boolean(),
  })
  .meta({ id: 'ComplianceStatus' })
