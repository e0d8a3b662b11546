/** What console and API are served with by HTTPS, from the settings; HTTP without. */
import { readFileSync } from 'node:fs'
import { createSecureContext } from 'node:tls'
import type { HttpsIdentity } from './api/deps.ts'
import type { Settings } from './core/settings/schema.ts'
import { StartError } from './start-error.ts'

/** @returns Reads it each time: files are renewed. @throws {StartError} with the one line to print. */
export function httpsIdentity({ http }: Pick<Settings, 'http'>): (() => HttpsIdentity) | undefined {
  if (!http.tls) return undefined
  return () => {
    const identity = {
      cert: readPem('HTTP_TLS_CERT_FILE', http.tlsCert),
      key: readPem('HTTP_TLS_KEY_FILE', http.tlsKey),
    }
    try {
      createSecureContext(identity)
    } catch (error) {
      throw new StartError(`HTTP_TLS_CERT_FILE, HTTP_TLS_KEY_FILE: ${reasonOf(error)}`, { cause: error })
    }
    return identity
  }
}

function readPem(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new StartError(`${name}: ${path} cannot be read: ${reasonOf(error)}`)
  }
}

const reasonOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
