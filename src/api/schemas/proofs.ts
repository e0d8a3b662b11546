/** Proofs of recordings, and what came of verifying one. */
import { z } from 'zod'

export const proofSchema = z
  .object({
    recordingId: z.string(),
    serial: z.int(),
    statement: z
      .string()
      .optional()
      .describe('JSON: what was recorded, with the SHA-256 of each file; absent when it was erased.'),
    link: z.string().describe('JSON: what is signed.'),
    signature: z.string().describe('base64: Ed25519 over `link`.'),
    publicKey: z.object({ id: z.string(), pem: z.string() }).describe('That of this server.'),
  })
  .meta({ id: 'Proof' })

export const problemOfProofSchema = z.object({
  what: z.enum(['changed', 'missing', 'added', 'proof', 'chain', 'key']),
  file: z.string().optional(),
  text: z.string(),
})

export const verdictSchema = z
  .object({
    recordingId: z.string(),
    name: z.string().describe('What its file names begin with.'),
    state: z
      .enum(['intact', 'elsewhere', 'broken', 'unproven', 'deleted'])
      .describe('`elsewhere`: what is missing here was archived; the rest is intact. `unproven`: it has no proof yet.'),
    serial: z.int().optional(),
    madeAtMs: z.number().optional(),
    problems: z.array(problemOfProofSchema).readonly(),
  })
  .meta({ id: 'ProofVerdict' })
export type ProofVerdict = z.infer<typeof verdictSchema>

export const chainSchema = z
  .object({
    intact: z.boolean(),
    links: z.int().describe('That fit.'),
    broken: z.object({ serial: z.int(), why: z.string() }).optional(),
    head: z.string().describe('SHA-256 of the last link.'),
    publicKey: z.object({ id: z.string(), pem: z.string() }),
  })
  .meta({ id: 'ProofChain' })
