/**
 * One device of an extension as the registrar remembers it: what it said of itself, the way it is reached, and how both
 * are written into answers, facts and the database.
 */
import { hash } from 'node:crypto'
import type { Timer } from '../core/clock.ts'
import { endpointText } from '../core/ip.ts'
import type { Registration } from '../events/catalogue.ts'
import { parseNameAddr, printNameAddr } from '../sip/message/name-addr.ts'
import { detached, isToken, quote } from '../sip/message/scan.ts'
import type { NameAddr } from '../sip/message/types.ts'
import { writtenUri } from '../sip/message/uri.ts'
import type { Flow } from '../sip/stack.types.ts'
import type { Extension } from './directory.ts'
import type { KeptBinding } from './registration-store.ts'

export interface BindingFacts {
  /** The same from the first REGISTER of a device to its last. */
  readonly id: string
  readonly path: readonly string[]
  readonly contact: NameAddr
  readonly uri: string
  readonly flow: Flow
  readonly callId: string
  readonly cseq: number
  readonly userAgent: string | undefined
  readonly expiresAtMs: number
}

/** There may be a hundred thousand of them, idle: the Contact is kept as text, and nothing keeps its REGISTER. */
export class Binding implements BindingFacts {
  readonly id: string
  readonly path: readonly string[]
  readonly uri: string
  readonly flow: Flow
  readonly callId: string
  readonly cseq: number
  readonly userAgent: string | undefined
  readonly expiresAtMs: number
  readonly timer: Timer
  readonly #contact: string

  /** @param timer Fires when it expires. */
  constructor(facts: BindingFacts, timer: Timer) {
    this.id = facts.id
    this.path = facts.path.length > 0 ? facts.path.map(detached) : noPath
    this.uri = detached(facts.uri)
    this.flow = facts.flow
    this.callId = detached(facts.callId)
    this.cseq = facts.cseq
    this.userAgent = facts.userAgent && detached(facts.userAgent)
    this.expiresAtMs = facts.expiresAtMs
    this.timer = timer
    this.#contact = detached(printNameAddr(facts.contact))
  }

  get contact(): NameAddr {
    const contact = parseNameAddr(this.#contact)
    if (!contact) throw new Error('a Contact that was read once cannot be read again')
    return contact
  }
}

const noPath: readonly string[] = []

/** `urn:uuid:…` of the device (RFC 5626 §4.1), in lower case. */
export const instanceOf = ({ params }: NameAddr): string | undefined =>
  params
    .get('+sip.instance')
    ?.replace(/^<(.*)>$/, '$1')
    .toLowerCase()

/** What a device finds its own Contact by in the answer (RFC 5627 §5.2, RFC 5626 §6). */
export function deviceParams({ params }: NameAddr): string {
  const [instance, regId] = [params.get('+sip.instance'), params.get('reg-id')]
  if (!instance) return ''
  return `;+sip.instance=${quote(instance)}${regId && isToken(regId) ? `;reg-id=${regId}` : ''}`
}

/** Numbered flows of one device lead to one device: the newest, which stands first. */
export const oneFlowEach = (bindings: readonly Binding[]): readonly Binding[] =>
  bindings.filter(({ contact }, index) => {
    const instance = instanceOf(contact)
    if (instance === undefined || !contact.params.has('reg-id')) return true
    return (
      bindings.findIndex((other) => instanceOf(other.contact) === instance && other.contact.params.has('reg-id')) ===
      index
    )
  })

/** Of the password that was proven, without telling anything of it. */
export const proofOf = ({ hashes }: Extension): string =>
  hash('sha256', `binding ${hashes.sha256} ${hashes.md5}`).slice(0, 16)

export const toKeep = (binding: Binding, extension: Extension): KeptBinding => ({
  id: binding.id,
  extension: extension.number,
  contact: printNameAddr(binding.contact),
  path: binding.path,
  local: binding.flow.local,
  remote: binding.flow.remote,
  callId: binding.callId,
  cseq: binding.cseq,
  ...(binding.userAgent !== undefined && { userAgent: binding.userAgent }),
  expiresAtMs: binding.expiresAtMs,
  proof: proofOf(extension),
})

export function restored(kept: KeptBinding, contact: NameAddr): BindingFacts {
  const { id, path, local, remote, callId, cseq, userAgent, expiresAtMs } = kept
  const text = `udp ${local.ip} ${local.port} ${remote.ip} ${remote.port}`
  const flow = { id: text, transport: 'udp', reliable: false, local, remote, open: true } as const
  return { id, path, contact, uri: writtenUri(contact.uri), flow, callId, cseq, userAgent, expiresAtMs }
}

/** `+sip.instance` with `reg-id`: one flow of one device (RFC 5626 §4.1, §4.2). */
export function deviceOf({ params }: NameAddr): string | undefined {
  const instance = params.get('+sip.instance')
  return instance ? `${instance.toLowerCase()} ${params.get('reg-id') ?? ''}` : undefined
}

export const registrationOf = (extension: string, binding: Binding): Registration => ({
  extension,
  contact: binding.uri,
  source: endpointText(binding.flow.remote.ip, binding.flow.remote.port),
  transport: binding.flow.transport,
  ...(binding.userAgent !== undefined && { userAgent: binding.userAgent }),
  expiresAtMs: binding.expiresAtMs,
})
