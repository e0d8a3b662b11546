/** Keeps bindings over a restart. Declared here, kept by database/. */
import type { Address } from '../sip/stack.types.ts'

/** A binding by datagrams: reached again after a restart by the addresses alone. */
export interface KeptBinding {
  /** Made with the first REGISTER of the device. */
  readonly id: string
  readonly extension: string
  /** The Contact as written, with its parameters. */
  readonly contact: string
  readonly path: readonly string[]
  readonly local: Address
  readonly remote: Address
  readonly callId: string
  readonly cseq: number
  readonly userAgent?: string
  readonly expiresAtMs: number
  /** Tells whether the password is the one that was proven then. */
  readonly proof: string
}

export interface RegistrationStore {
  /** Written soon, together with others; a crash loses the last second. */
  save(binding: KeptBinding): void
  remove(id: string): void
}
