/** Proofs of recordings: shown, and verified (docs/proof.md). */
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { problemResponses } from '../problem.ts'
import { idParams } from '../schemas/common.ts'
import { chainSchema, proofSchema, verdictSchema } from '../schemas/proofs.ts'

const tags = ['recordings']

export function proofRoutes(app: App, { proofs }: ApiDeps): void {
  app.get(
    '/api/recordings/:id/proof',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'The signed proof of a recording',
        params: idParams,
        response: { 200: proofSchema, ...problemResponses },
      },
    },
    async ({ params }) => ({ ...(await proofs.of(params.id)), publicKey: proofs.publicKey }),
  )

  app.post(
    '/api/recordings/:id/proof/verify',
    {
      config: { access: 'viewer', audit: false },
      schema: {
        tags,
        summary: 'Read all files of a recording and say whether they are as they were',
        params: idParams,
        response: { 200: verdictSchema, ...problemResponses },
      },
    },
    ({ params }) => proofs.verify(params.id),
  )

  app.post(
    '/api/proofs/verify',
    {
      config: { access: 'viewer', audit: false },
      schema: {
        tags,
        summary: 'Verify the chain of all proofs, files left aside',
        response: { 200: chainSchema, ...problemResponses },
      },
    },
    async () => ({ ...(await proofs.verifyChain()), publicKey: proofs.publicKey }),
  )
}
