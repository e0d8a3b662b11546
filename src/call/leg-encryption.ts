/**
 * How the audio of one leg is encrypted: what offer and answer agreed, and what became of the handshake.
 *
 *   LegMedia, siprec/  ── keys, terms ─▶  here  ── told: each change ─▶  facts, console
 *   MediaPort  ── secured, failed ──▶           ── failed: no keys came ─▶  who ends the call
 *
 * Knows it from the first description on, and remembers what happened before somebody watches: early media shake hands
 * before the answer.
 */
import type { Clock, Timer } from '../core/clock.ts'
import type { Encryption } from '../events/catalogue.ts'
import type { MediaPort, PortDescription } from '../media/types.ts'
import type { AgreedKeys } from './leg-crypto.ts'

/**
 * Between a handshake that failed and the end: the peer may begin anew, and a stranger who put in a word without a valid
 * certificate must not end a call.
 */
export const handshakeGraceMs = 5_000

export interface EncryptionWatcher {
  readonly clock: Clock
  /** What stands now, and each change of it. */
  told(encryption: Encryption): void
  /** No keys came of the handshake: nobody hears anything. Once for each description. */
  failed(why: string): void
}

export class LegEncryption {
  #keys: AgreedKeys | undefined
  #now: Encryption | undefined
  #failure: string | undefined
  #watcher: EncryptionWatcher | undefined
  #timer: Timer | undefined

  constructor(port: Pick<MediaPort, 'on'>) {
    port.on('secured', ({ suite }) => {
      if (this.#now?.encryption !== 'dtls') return
      this.#forgive()
      this.#become({ encryption: 'dtls', suite })
    })
    port.on('handshake-failed', ({ why }) => {
      this.#failure = why
      this.#wait()
    })
  }

  /** Undefined until something was agreed. */
  get now(): Encryption | undefined {
    return this.#now
  }

  /** Why there are no keys, since the last description. */
  get failure(): string | undefined {
    return this.#failure
  }

  /** What a description agreed; undefined for plain RTP. */
  agreed(keys: PortDescription['srtp']): void {
    if (keys === 'awaited') return
    // The same certificate again shakes no hands again: what came of it stands.
    if (keys && this.#keys && isSameHandshake(keys, this.#keys)) return
    this.#keys = keys
    this.#forgive()
    this.#become(inWords(keys))
  }

  /** From now on, and what was before. @returns Stops it. */
  watch(watcher: EncryptionWatcher): () => void {
    this.#watcher = watcher
    if (this.#now) watcher.told(this.#now)
    if (this.#failure !== undefined) this.#wait()
    return () => {
      this.#watcher = undefined
      this.#timer?.cancel()
    }
  }

  #become(next: Encryption): void {
    const before = this.#now
    this.#now = next
    if (before?.encryption !== next.encryption || before.suite !== next.suite) this.#watcher?.told(next)
  }

  #wait(): void {
    this.#timer ??= this.#watcher?.clock.after(handshakeGraceMs, () => this.#watcher?.failed(this.#failure ?? ''))
  }

  #forgive(): void {
    this.#failure = undefined
    this.#timer?.cancel()
    this.#timer = undefined
  }
}

function inWords(keys: AgreedKeys | undefined): Encryption {
  if (!keys) return { encryption: 'none' }
  return 'fingerprints' in keys ? { encryption: 'dtls' } : { encryption: 'sdes', suite: keys.send.suite }
}

const isSameHandshake = (a: AgreedKeys, b: AgreedKeys): boolean =>
  'fingerprints' in a && 'fingerprints' in b && a.side === b.side && fingerprintsText(a) === fingerprintsText(b)

const fingerprintsText = ({ fingerprints }: { readonly fingerprints: readonly { hash: string; value: string }[] }) =>
  fingerprints.map(({ hash, value }) => `${hash} ${value}`).join()
