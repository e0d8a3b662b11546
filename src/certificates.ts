/**
 * The server's TLS identity from the settings, and its renewal without a restart: when a file changes, and at SIGHUP.
 *
 *   settings ─▶ here ── identity ─▶ SIP stack
 */
import type { Clock, Timer } from './core/clock.ts'
import type { Logger } from './core/logger.ts'
import type { Settings } from './core/settings/schema.ts'
import { TlsError } from './net/failures.ts'
import { type CertificateFact, TlsIdentity } from './net/tls-identity.ts'
import { StartError } from './start-error.ts'

/** A renewed certificate is in force this long after it was written. */
const lookEveryMs = 30_000

/**
 * Without TLS there is still an identity, for trunks that are called by TLS: it holds the authorities at most.
 *
 * @throws {StartError} with the one line to print.
 */
export function tlsIdentityFrom({ sip, tls, certificates }: Settings): TlsIdentity {
  const { enable, certPath, keyPath, caFile, clientAuth } = tls
  const more = certificates.map((one) => ({ certPath: one.cert, keyPath: one.key }))
  try {
    const own = enable || sip.wssPorts.length > 0 ? { certPath, keyPath, more } : { certPath: '', keyPath: '' }
    return new TlsIdentity({ ...own, caPath: caFile, clientAuth })
  } catch (error) {
    throw error instanceof TlsError ? new StartError(error.message, { cause: error }) : error
  }
}

/** Judgement: who renews by itself does so a month before; what has not been by then wants a person. */
const warnDays = 14
const dayMs = 86_400_000

export const daysLeft = ({ expiresAtMs }: CertificateFact, nowMs: number): number => (expiresAtMs - nowMs) / dayMs

export interface CertificateWatch {
  /** Those in use. */
  list(): readonly CertificateFact[]
  /** Read the files now, changed or not. */
  reload(): void
  close(): void
}

export function watchCertificates(identity: TlsIdentity, clock: Clock, log: Logger): CertificateWatch {
  const failed = (error: unknown): void =>
    log.error('The TLS files were not taken; the former certificate stays in use', {
      error: error instanceof Error ? error.message : String(error),
    })
  let closed = false
  let timer: Timer | undefined
  let warnedMs = -Infinity
  const warn = (): void => {
    if (clock.now() - warnedMs < dayMs) return
    for (const one of identity.certificates) {
      const days = daysLeft(one, clock.wallMs())
      if (days > warnDays) continue
      warnedMs = clock.now()
      const facts = { path: one.path, expires: new Date(one.expiresAtMs).toISOString() }
      if (days > 0) log.warn('A TLS certificate expires soon', { ...facts, daysLeft: Math.floor(days) })
      else log.error('A TLS certificate has expired: phones and trunks that check it do not connect', facts)
    }
  }
  const look = async (): Promise<void> => {
    await identity.reloadIfChanged().then((changed) => {
      if (!changed) return
      log.info('The TLS files have changed and were read again')
      warnedMs = -Infinity
    }, failed)
    warn()
    if (!closed) timer = clock.after(lookEveryMs, () => void look())
  }
  void look()
  return {
    list: () => identity.certificates,
    reload() {
      try {
        identity.reload()
        log.info('The TLS files were read again')
      } catch (error) {
        failed(error)
      }
    },
    close() {
      closed = true
      timer?.cancel()
    },
  }
}
