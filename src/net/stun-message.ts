/**
 * STUN on SIP ports: Binding requests, answers to them, the address in an answer.
 *
 * RFC 8489 §6.3.1, §7.3.1; no credentials, as RFC 5626 §8 wants on a SIP port.
 */
import {
  addressIn,
  errorCode,
  firstOptionalAttribute,
  isStun,
  printStun,
  stunAttributes,
  stunAttributesOf,
  stunIdOf,
  stunTypeOf,
  stunTypes,
  uint16,
  xorAddress,
} from '../stun/message.ts'
import type { Endpoint } from './network.ts'

export { isStun } from '../stun/message.ts'

const understood = new Set<number>([stunAttributes.username, stunAttributes.messageIntegrity])

export const stunIdBytes = 12

/** The transaction id of a success response, as hex; undefined for everything else. */
export const answeredStunId = (bytes: Buffer): string | undefined =>
  isStun(bytes) && stunTypeOf(bytes) === stunTypes.success ? stunIdOf(bytes).toString('hex') : undefined

/** @param id 12 random bytes. */
export const bindingRequest = (id: Buffer): Buffer => printStun({ type: stunTypes.request, id, attributes: [] })

/**
 * The answer to a Binding request: the address it came from, or 420 when it asks for what we do not understand.
 *
 * @returns undefined for what is no Binding request, or a broken one: nothing is to be sent then (§6.3).
 */
export function answerBinding(request: Buffer, from: Endpoint): Buffer | undefined {
  if (!isStun(request) || stunTypeOf(request) !== stunTypes.request) return undefined
  const found = stunAttributesOf(request)
  if (!found) return undefined
  const id = stunIdOf(request)
  const fingerprint = found.at(-1)?.type === stunAttributes.fingerprint
  const unknown = found.map(({ type }) => type).filter((type) => type < firstOptionalAttribute && !understood.has(type))
  if (unknown.length > 0) {
    const attributes = [
      [stunAttributes.errorCode, errorCode(420, 'Unknown Attribute')],
      [stunAttributes.unknownAttributes, uint16(...unknown)],
    ] as const
    return printStun({ type: stunTypes.error, id, attributes, fingerprint })
  }
  const attributes = [[stunAttributes.xorMappedAddress, xorAddress(request, from)]] as const
  return printStun({ type: stunTypes.success, id, attributes, fingerprint })
}

/** The address in the success response to the request of that id; undefined for everything else. */
export function mappedIn(bytes: Buffer, id: Buffer): Endpoint | undefined {
  if (!isStun(bytes) || stunTypeOf(bytes) !== stunTypes.success || !stunIdOf(bytes).equals(id)) return undefined
  const found = stunAttributesOf(bytes) ?? []
  const valueOf = (wanted: number): Buffer | undefined => found.find(({ type }) => type === wanted)?.value
  const masked = valueOf(stunAttributes.xorMappedAddress)
  if (masked) return addressIn(masked, bytes)
  const plain = valueOf(stunAttributes.mappedAddress) // servers of RFC 3489
  return plain && addressIn(plain, undefined)
}
