/**
 * The server's TLS identity from the settings, and its renewal without a restart: when a file changes, and at SIGHUP.
 *
 *   settings ─▶ here ── identity ─▶ SIP stack
 */
import type { Clock, Timer } from './core/clock.ts'
import type { Logger } from './core/logger.ts'
import type { Settings } from './core/settings/schema.ts'
import { TlsError } from './net/failures.ts'
import { TlsIdentity } from './net/tls-identity.ts'
import { StartError } from './start-error.ts'

/** A renewed certificate is in force this long after it was written. */
const lookEveryMs = 30_000

/**
 * Without TLS there is still an identity, for trunks that are called by TLS: it holds the authorities at most.
 *
 * @throws {StartError} with the one line to print.
 */
export function tlsIdentityFrom({ sip, tls }: Settings): TlsIdentity {
  const { enable, certPath, keyPath, caFile, clientAuth } = tls
  try {
    const own = enable || sip.wssPorts.length > 0 ? { certPath, keyPath } : { certPath: '', keyPath: '' }
    return new TlsIdentity({ ...own, caPath: caFile, clientAuth })
  } catch (error) {
    throw error instanceof TlsError ? new StartError(error.message, { cause: error }) : error
  }
}

export interface CertificateWatch {
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
  const look = async (): Promise<void> => {
    await identity
      .reloadIfChanged()
      .then((changed) => changed && log.info('The TLS files have changed and were read again'), failed)
    if (!closed) timer = clock.after(lookEveryMs, () => void look())
  }
  void look()
  return {
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
