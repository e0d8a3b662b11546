/** Recording clients: list them with how they fare, add, change, delete. Passwords are kept as hashes only. */
import { z } from 'zod'
import { newId } from '../../core/random.ts'
import { PeerError, type SiprecPeer } from '../../siprec/peers/peer.ts'
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { problemResponses } from '../problem.ts'
import {
  newSiprecPeerSchema,
  type SiprecPeer as ShownPeer,
  siprecOrderedSchema,
  siprecOrderSchema,
  siprecPeerChangesSchema,
  siprecPeerParams,
  siprecPeerSchema,
  siprecPeersSchema,
} from '../schemas/siprec-peers.ts'

const tags = ['siprec']

export function siprecPeerRoutes(app: App, { siprecPeers, orderRecording, digestHashes, clock }: ApiDeps): void {
  const shown = ({ hashes: _hashes, ...peer }: SiprecPeer): ShownPeer => ({
    ...peer,
    state: siprecPeers.stateOf(siprecPeers.get(peer.id)),
  })

  app.get(
    '/api/siprec-peers',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'Recording clients and how they fare',
        response: { 200: siprecPeersSchema, ...problemResponses },
      },
    },
    () => ({ items: siprecPeers.list().map(shown), unnamed: siprecPeers.stateOf(undefined) }),
  )

  app.post(
    '/api/siprec-peers',
    {
      config: { access: 'admin', audit: 'siprec-peer.added' },
      schema: {
        tags,
        summary: 'Add a recording client',
        body: newSiprecPeerSchema,
        response: { 201: siprecPeerSchema, ...problemResponses },
      },
    },
    async ({ body: { password, ...wanted }, audited }, reply) => {
      const hashes = wanted.username !== undefined && password ? digestHashes(wanted.username, password) : undefined
      if (wanted.username !== undefined && !hashes) throw new PeerError('siprec-peer.unknowable')
      const added = await siprecPeers.add({
        ...wanted,
        id: newId(),
        origin: 'api',
        createdAtMs: clock.wallMs(),
        ...(hashes && { hashes }),
      })
      audited.subject = `siprec-peer:${added.id}`
      audited.details = { name: added.name }
      reply.code(201).header('location', `/api/siprec-peers/${added.id}`)
      return shown(added)
    },
  )

  app.get(
    '/api/siprec-peers/:id',
    {
      config: { access: 'viewer' },
      schema: {
        tags,
        summary: 'One recording client',
        params: siprecPeerParams,
        response: { 200: siprecPeerSchema, ...problemResponses },
      },
    },
    ({ params }) => shown(siprecPeers.get(params.id)),
  )

  app.patch(
    '/api/siprec-peers/:id',
    {
      config: { access: 'admin', audit: 'siprec-peer.changed' },
      schema: {
        tags,
        summary: 'Change a recording client; sessions that live go on as they began',
        params: siprecPeerParams,
        body: siprecPeerChangesSchema,
        response: { 200: siprecPeerSchema, ...problemResponses },
      },
    },
    async ({ params, body, audited }) => {
      audited.details = { changed: Object.keys(body) }
      const { password, username, certificate, srtp, codecs, retentionDays, contact, ...changes } = body
      const known = siprecPeers.get(params.id)
      const name = username === undefined ? known.username : (username ?? undefined)
      // The hashes hold the user name: another one needs the password again.
      const kept = name === known.username ? known.hashes : undefined
      const hashes = name !== undefined && password ? digestHashes(name, password) : kept
      if (name !== undefined && !hashes) throw new PeerError('siprec-peer.unknowable')
      const changed = await siprecPeers.change(params.id, {
        ...changes,
        username: name,
        hashes: name === undefined ? undefined : hashes,
        ...(certificate !== undefined && { certificate: certificate ?? undefined }),
        ...(srtp !== undefined && { srtp: srtp ?? undefined }),
        ...(codecs !== undefined && { codecs: codecs ?? undefined }),
        ...(retentionDays !== undefined && { retentionDays: retentionDays ?? undefined }),
        ...(contact !== undefined && { contact: contact ?? undefined }),
      })
      return shown(changed)
    },
  )

  app.delete(
    '/api/siprec-peers/:id',
    {
      config: { access: 'admin', audit: 'siprec-peer.removed' },
      schema: {
        tags,
        summary: 'Delete a recording client; sessions that live go on',
        params: siprecPeerParams,
        response: { 204: z.undefined(), ...problemResponses },
      },
    },
    async ({ params }, reply) => {
      await siprecPeers.remove(params.id)
      return reply.code(204).send()
    },
  )

  app.post(
    '/api/siprec-peers/:id/sessions',
    {
      config: { access: 'operator', audit: 'siprec-peer.ordered' },
      schema: {
        tags,
        summary: 'Ask a recording client to send a session (RFC 7866 §6.1.1)',
        params: siprecPeerParams,
        body: siprecOrderSchema,
        response: { 200: siprecOrderedSchema, ...problemResponses },
      },
    },
    ({ params, body }) => orderRecording(params.id, body.contact),
  )
}
