/**
 * The record layer of DTLS 1.2 (RFC 6347 §4.1) with AES-GCM (RFC 5288): datagrams to records and back.
 *
 *   connection  ── seal ─▶  here  ──▶  bytes of a datagram
 *               ◀─ open ──
 *
 * Epoch 0 is in the clear, epoch 1 encrypted; there is no third, for we renegotiate nothing. What is forged, repeated or
 * cut is passed over in silence (§4.1.2.7).
 */
import { createCipheriv, createDecipheriv } from 'node:crypto'
import { ReplayWindow } from '../rtp/replay-window.ts'
import type { CipherSuite } from './algorithms.ts'
import type { RecordKey } from './secrets.ts'

export const contentTypes = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const
export type ContentType = (typeof contentTypes)[keyof typeof contentTypes]

export const dtls12 = 0xfefd
/** In the first records and in HelloVerifyRequest, for those who look (RFC 6347 §4.2.1). */
export const dtls10 = 0xfeff

export const recordHeaderBytes = 13
const explicitNonceBytes = 8
const tagBytes = 16
/** What a record is longer than what it carries, once encrypted. */
export const sealedExtraBytes = recordHeaderBytes + explicitNonceBytes + tagBytes

export interface DtlsRecord {
  readonly type: number
  readonly epoch: 0 | 1
  readonly body: Buffer
}

/** Records of epoch 1 that overtook what makes them readable: the peer's Finished, and once more. */
const maxEarly = 4
const maxEarlyBytes = 1024

interface Keys {
  readonly suite: CipherSuite
  readonly write: RecordKey
  readonly read: RecordKey
}

export class RecordLayer {
  #keys: Keys | undefined
  /** The next number of each epoch. */
  readonly #next: [number, number]
  readonly #window = new ReplayWindow()
  #early: { readonly header: Buffer; readonly body: Buffer }[] = []

  /** @param before Of the same two addresses: numbers in the clear go on, for some refuse those that they have seen. */
  constructor(before?: RecordLayer) {
    this.#next = [before ? before.#next[0] : 0, 0]
  }

  /** What epoch 1 is encrypted with. */
  setKeys(suite: CipherSuite, write: RecordKey, read: RecordKey): void {
    this.#keys = { suite, write, read }
  }

  /** Whether epoch 1 can be read. */
  get canOpen(): boolean {
    return this.#keys !== undefined
  }

  /** One record. Epoch 1 needs keys. */
  seal(type: ContentType, epoch: 0 | 1, body: Uint8Array): Buffer {
    const sequence = this.#next[epoch]
    this.#next[epoch] = sequence + 1
    const header = Buffer.alloc(recordHeaderBytes)
    header[0] = type
    header.writeUInt16BE(dtls12, 1)
    header.writeUInt16BE(epoch, 3)
    header.writeUIntBE(sequence, 5, 6)
    if (epoch === 0) {
      header.writeUInt16BE(body.length, 11)
      return Buffer.concat([header, body])
    }
    const { suite, write } = this.#mustHaveKeys()
    const explicit = header.subarray(3, 11)
    const cipher = createCipheriv(suite.cipher, write.key, Buffer.concat([write.fixedIv, explicit]))
    cipher.setAAD(additional(header, body.length))
    const sealed = Buffer.concat([explicit, cipher.update(body), cipher.final(), cipher.getAuthTag()])
    header.writeUInt16BE(sealed.length, 11)
    return Buffer.concat([header, sealed])
  }

  /** Those that came before there were keys. */
  openEarly(): DtlsRecord[] {
    const early = this.#early
    this.#early = []
    return early.flatMap(({ header, body }) => this.#openSealed(header, body))
  }

  /** The records of a datagram that are authentic, in their order; those of epoch 1 once there are keys. */
  open(datagram: Uint8Array): DtlsRecord[] {
    const bytes = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length)
    const records: DtlsRecord[] = []
    let at = 0
    while (at + recordHeaderBytes <= bytes.length) {
      const end = at + recordHeaderBytes + bytes.readUInt16BE(at + 11)
      if (end > bytes.length || bytes[at + 1] !== dtls12 >> 8) break
      const header = bytes.subarray(at, at + recordHeaderBytes)
      const body = bytes.subarray(at + recordHeaderBytes, end)
      const epoch = header.readUInt16BE(3)
      const type = header.readUInt8(0)
      if (epoch === 0) records.push({ type, epoch, body })
      else if (epoch === 1 && this.#keys) records.push(...this.#openSealed(header, body))
      else if (epoch === 1 && this.#early.length < maxEarly && body.length <= maxEarlyBytes)
        this.#early.push({ header: Buffer.from(header), body: Buffer.from(body) })
      at = end
    }
    return records
  }

  #openSealed(header: Buffer, body: Buffer): DtlsRecord[] {
    const clear = this.#open(header, body)
    return clear ? [{ type: header.readUInt8(0), epoch: 1, body: clear }] : []
  }

  #open(header: Buffer, body: Buffer): Buffer | undefined {
    const sequence = header.readUIntBE(5, 6)
    const length = body.length - explicitNonceBytes - tagBytes
    if (!this.#keys || length < 0 || !this.#window.isNew(sequence)) return undefined
    const { suite, read } = this.#keys
    const nonce = Buffer.concat([read.fixedIv, body.subarray(0, explicitNonceBytes)])
    const decipher = createDecipheriv(suite.cipher, read.key, nonce)
    decipher.setAAD(additional(header, length))
    decipher.setAuthTag(body.subarray(body.length - tagBytes))
    const clear = decipher.update(body.subarray(explicitNonceBytes, explicitNonceBytes + length))
    try {
      decipher.final()
    } catch {
      return undefined
    }
    this.#window.take(sequence)
    return clear
  }

  #mustHaveKeys(): Keys {
    if (!this.#keys) throw new Error('epoch 1 has no keys yet')
    return this.#keys
  }
}

/** RFC 5246 §6.2.3.3: epoch and number, type, version, length of what is in it. */
function additional(header: Buffer, length: number): Buffer {
  const data = Buffer.alloc(recordHeaderBytes)
  header.copy(data, 0, 3, 11)
  header.copy(data, 8, 0, 3)
  data.writeUInt16BE(length, 11)
  return data
}
