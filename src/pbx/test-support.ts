/** What tests of this folder hand to a registrar or gatekeeper: requests that came over a flow, and what was answered. */

import { settingsSchema, type TrunkSetting } from '../core/settings/schema.ts'
import { createRequest } from '../sip/message/build.ts'
import { Headers } from '../sip/message/headers.ts'
import type { SipRequest } from '../sip/message/types.ts'
import type { Answer, Flow, IncomingRequest } from '../sip/stack.types.ts'
import type { Extension } from './directory.ts'
import type { StrangerWatch } from './gatekeeper.ts'
import { readTrunk, type Trunk } from './trunks.ts'

export const extension101: Extension = {
  number: '101',
  displayName: 'Alice',
  hashes: { realm: 'patchbay', md5: '', sha256: '' },
  ringSeconds: 30,
  record: true,
  maxContacts: 2,
  createdAtMs: 0,
}

/** A trunk of the settings. What is left out is as it is there. */
export function trunkWith(more: Partial<TrunkSetting> = {}): Trunk {
  const [setting] = settingsSchema.parse({ trunks: [{ name: 'carrier', host: 'sip.example', ...more }] }).trunks
  if (!setting) throw new Error('no trunk')
  return readTrunk(setting)
}

/** Lets everybody guess and counts nothing. */
export const unwatched: StrangerWatch = {
  senderOf: (_, flow) => ({ flow, device: flow.remote }),
  nonceSource: ({ device }) => device.ip,
  vouch: () => {},
  mayGuess: () => true,
  wrongAnswer: () => {},
  scanner: () => {},
  mayTell: () => true,
}

export const udpFlow = (ip = '192.0.2.10', port = 5060): Flow => ({
  id: `udp:${ip}:${port}`,
  transport: 'udp',
  reliable: false,
  local: { ip: '192.0.2.1', port: 5060 },
  remote: { ip, port },
  open: true,
})

export function requestWith(method: string, uri: string, headers: Readonly<Record<string, string>>): SipRequest {
  return createRequest(
    method,
    uri,
    new Headers(
      Object.entries({
        Via: 'SIP/2.0/UDP 192.0.2.10:5060;branch=z9hG4bKx',
        From: '<sip:101@patchbay>;tag=1',
        To: '<sip:101@patchbay>',
        'Call-ID': 'c1',
        CSeq: `1 ${method}`,
        ...headers,
      }),
    ),
  )
}

export interface Answered extends IncomingRequest {
  readonly answers: { readonly status: number; readonly answer: Answer }[]
}

/** A request as the stack hands it over; keeps what it was answered. */
export function incoming(request: SipRequest, flow: Flow = udpFlow()): Answered {
  const answers: { status: number; answer: Answer }[] = []
  return { request, flow, answers, respond: (status, answer = {}) => void answers.push({ status, answer }) }
}
