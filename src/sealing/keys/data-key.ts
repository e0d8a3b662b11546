/**
 * The data key of a recording under a master key: AES-256-GCM with a random nonce (NIST SP 800-38D); beside the text stands
 * whose key it is, so that it opens for no other recording.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import type { WrappedKey } from '../container/key-place.ts'
import { dataKeyBytes, tagBytes } from '../container/layout.ts'
import { SealingError } from '../failures.ts'
import type { MasterKey } from './master-keys.ts'

const beside = (master: string, recordingId: string): Buffer =>
  Buffer.from(`patchbay data key 1\n${master}\n${recordingId}`)

export function wrapDataKey({ id, key, via }: MasterKey, dataKey: Uint8Array, recordingId: string): WrappedKey {
  const nonce = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes }).setAAD(beside(id, recordingId))
  const wrapped = Buffer.concat([cipher.update(dataKey), cipher.final(), cipher.getAuthTag()])
  return {
    master: id,
    ...(via !== undefined && { via }),
    nonce: nonce.toString('base64'),
    wrapped: wrapped.toString('base64'),
  }
}

/** @throws {SealingError} `sealing.key-refused` */
export function unwrapDataKey(master: MasterKey, wrapped: WrappedKey, recordingId: string): Uint8Array {
  const bytes = Buffer.from(wrapped.wrapped, 'base64')
  const nonce = Buffer.from(wrapped.nonce, 'base64')
  if (bytes.length !== dataKeyBytes + tagBytes || nonce.length !== 12) throw new SealingError('sealing.key-refused')
  const decipher = createDecipheriv('aes-256-gcm', master.key, nonce, { authTagLength: tagBytes })
  decipher.setAAD(beside(master.id, recordingId)).setAuthTag(bytes.subarray(dataKeyBytes))
  try {
    return Buffer.concat([decipher.update(bytes.subarray(0, dataKeyBytes)), decipher.final()])
  } catch (cause) {
    throw new SealingError('sealing.key-refused', undefined, { cause })
  }
}
