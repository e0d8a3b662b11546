/**
 * Who we are in TLS and whom we believe: certificate, key and authorities from files, read again when they change.
 *
 *   files ── read, checked ──▶  here  ──▶  listeners and connections of host-network.ts
 *
 * A file that is unreadable at the start ends it with one line; at a later change the former identity stays in force,
 * for an operator who replaces certificate and key one after the other must not lose calls between.
 * TLS 1.2 and 1.3. Of several certificates the one whose names hold what the client asks for (SNI, RFC 6066 §3) is
 * shown, else the first.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { createSecureContext, type SecureContext, type TlsOptions } from 'node:tls'
import { TlsError } from './failures.ts'

/** What is asked of those who connect: nothing, a certificate that is checked if there is one, or a valid one. */
export type ClientAuth = 'none' | 'request' | 'require'

export interface CertificateFiles {
  /** PEM: the certificate first, then those between it and its authority. */
  readonly certPath: string
  /** PEM, not encrypted. */
  readonly keyPath: string
}

export interface TlsFiles {
  /** PEM: our certificate first, then those between it and its authority. Empty: we only connect, without one. */
  readonly certPath: string
  /** PEM, not encrypted. */
  readonly keyPath: string
  /** PEM: authorities believed instead of the system's. Empty: the system's. */
  readonly caPath: string
  readonly clientAuth: ClientAuth
  /** For other names of ours. */
  readonly more?: readonly CertificateFiles[]
}

/** A certificate that is in use, as an operator asks after it. */
export interface CertificateFact {
  readonly path: string
  /** Milliseconds since 1970. */
  readonly expiresAtMs: number
}

interface Material {
  readonly cert?: Buffer
  readonly key?: Buffer
  readonly ca?: Buffer
}

interface Named {
  readonly certificate: X509Certificate
  readonly path: string
  readonly context: SecureContext
}

/** What both sides of a connection say. TLS 1.0 and 1.1 are gone (RFC 8996). */
const common = { minVersion: 'TLSv1.2' } as const

export class TlsIdentity {
  readonly clientAuth: ClientAuth
  readonly #files: TlsFiles
  readonly #changed = new Set<() => void>()
  #material: Material
  #named: readonly Named[]
  #stamp = ''

  /** @throws {TlsError} when a file cannot be read, is no PEM, or certificate and key do not belong together. */
  constructor(files: TlsFiles) {
    this.#files = files
    this.clientAuth = files.clientAuth
    this.#material = readMaterial(files)
    this.#named = readNamed(files, this.#material)
  }

  get serverOptions(): TlsOptions {
    return {
      ...common,
      ...this.#material,
      requestCert: this.clientAuth !== 'none',
      rejectUnauthorized: false,
      SNICallback: (name, done) => done(null, this.#contextFor(name)),
    }
  }

  /** The certificates we show, the first one first. */
  get certificates(): readonly CertificateFact[] {
    return this.#named.map(({ path, certificate }) => ({ path, expiresAtMs: certificate.validToDate.getTime() }))
  }

  get clientOptions(): Material & typeof common {
    return { ...common, ...this.#material }
  }

  /** Hear of each change. Returns how to stop listening. */
  onChange(listener: () => void): () => void {
    this.#changed.add(listener)
    return () => this.#changed.delete(listener)
  }

  /** Read the files again. @throws {TlsError} and keeps the former identity. */
  reload(): void {
    const material = readMaterial(this.#files)
    this.#named = readNamed(this.#files, material)
    this.#material = material
    for (const listener of this.#changed) listener()
  }

  /** undefined: the first, which every listener has. */
  #contextFor(name: string): SecureContext | undefined {
    return this.#named.find(({ certificate }) => certificate.checkHost(name) !== undefined)?.context
  }

  /**
   * Read the files again if one of them is another than at the last look. @returns true when they were.
   * @throws {TlsError} as `reload`; the next look tries again.
   */
  async reloadIfChanged(): Promise<boolean> {
    const stamp = await stampOf(this.#files)
    if (stamp === this.#stamp) return false
    const first = this.#stamp === ''
    if (!first) this.reload()
    this.#stamp = stamp
    return !first
  }
}

/** All of them, that of `certPath` first; what is wrong with one is said as for that. */
function readNamed({ certPath, keyPath, more = [] }: TlsFiles, { ca }: Material): Named[] {
  if (certPath === '') return []
  return [{ certPath, keyPath }, ...more].map((files) => {
    const { cert, key } = readMaterial({ ...files, caPath: '', clientAuth: 'none' })
    const context = createSecureContext({ ...common, cert, key, ...(ca && { ca }) })
    return { certificate: certificateIn(cert ?? Buffer.alloc(0), files.certPath), path: files.certPath, context }
  })
}

function readMaterial({ certPath, keyPath, caPath }: TlsFiles): Material {
  const ca = caPath === '' ? undefined : readFile(caPath)
  if (ca) certificateIn(ca, caPath)
  if (certPath === '') return ca ? { ca } : {}
  const cert = readFile(certPath)
  const key = readFile(keyPath)
  const certificate = certificateIn(cert, certPath)
  if (!certificate.checkPrivateKey(privateKeyIn(key, keyPath)))
    throw new TlsError(`${keyPath} is not the key of the certificate in ${certPath}`)
  return { cert, key, ...(ca && { ca }) }
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error)
    throw new TlsError(`${path} cannot be read: ${code}`)
  }
}

function certificateIn(bytes: Buffer, path: string): X509Certificate {
  try {
    return new X509Certificate(bytes)
  } catch {
    throw new TlsError(`${path} holds no certificate in PEM`)
  }
}

function privateKeyIn(bytes: Buffer, path: string) {
  try {
    return createPrivateKey(bytes)
  } catch {
    throw new TlsError(`${path} holds no private key in PEM, or one with a passphrase`)
  }
}

/** Changes whenever a file is written or replaced; follows links, as Kubernetes swaps them. */
async function stampOf({ certPath, keyPath, caPath, more = [] }: TlsFiles): Promise<string> {
  const others = more.flatMap((files) => [files.certPath, files.keyPath])
  const paths = [certPath, keyPath, caPath, ...others].filter((path) => path !== '')
  const facts = await Promise.all(
    paths.map((path) =>
      stat(path).then(
        ({ ino, size, mtimeMs }) => `${ino} ${size} ${mtimeMs}`,
        () => 'missing',
      ),
    ),
  )
  return facts.join(', ') || 'none'
}
