/**
 * Google Cloud KMS by its REST interface, with tokens from the official google-auth-library (loaded on use). Its own client
 * would bring gRPC, tens of megabytes for two requests. A symmetric key, `projects/P/locations/L/keyRings/R/cryptoKeys/K`;
 * the role Cloud KMS CryptoKey Encrypter/Decrypter. cloud.google.com/kms/docs/reference/rest, cryptoKeys.encrypt, .decrypt.
 */
import type { KeyService } from './service-keys.ts'

/** Bearer token for the service. */
export type Token = () => Promise<string>

/** Bound to the text. */
const beside = Buffer.from('patchbay-recordings').toString('base64')
const patienceMs = 10_000

export class GcpKms implements KeyService {
  readonly kind = 'gcp-kms'
  readonly #token: Token
  readonly #url: string

  /** @param token Left out: application default credentials. */
  constructor(token: Token = defaultToken(), url = 'https://cloudkms.googleapis.com') {
    this.#token = token
    this.#url = url
  }

  async wrap(keyName: string, key: Uint8Array): Promise<Uint8Array> {
    const plaintext = Buffer.from(key).toString('base64')
    return this.#ask(keyName, 'encrypt', { plaintext, additionalAuthenticatedData: beside }, 'ciphertext')
  }

  async unwrap(keyName: string, wrapped: Uint8Array): Promise<Uint8Array> {
    const ciphertext = Buffer.from(wrapped).toString('base64')
    return this.#ask(keyName, 'decrypt', { ciphertext, additionalAuthenticatedData: beside }, 'plaintext')
  }

  async #ask(keyName: string, what: string, body: object, field: string): Promise<Uint8Array> {
    const path = keyName.split('/').map(encodeURIComponent).join('/')
    return askForBytes(`${this.#url}/v1/${path}:${what}`, await this.#token(), body, field, 'base64')
  }
}

/** POST JSON; the bytes in one field of the answer. */
export async function askForBytes(
  url: string,
  token: string,
  body: object,
  field: string,
  encoding: 'base64' | 'base64url',
): Promise<Uint8Array> {
  const answer = await fetch(url, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(patienceMs),
  })
  const text = await answer.text()
  if (!answer.ok) throw new Error(`${answer.status} ${messageIn(text)}`)
  const value = (JSON.parse(text) as Record<string, unknown>)[field]
  if (typeof value !== 'string') throw new Error(`the answer holds no ${field}`)
  return Buffer.from(value, encoding)
}

/** `{"error": {"message": …}}`, as Google and Azure say it. */
function messageIn(text: string): string {
  try {
    const { error } = JSON.parse(text) as { error?: { message?: string } }
    return error?.message ?? ''
  } catch {
    return ''
  }
}

function defaultToken(): Token {
  let auth: { getAccessToken(): Promise<string | null | undefined> } | undefined
  return async () => {
    const { GoogleAuth } = await import('google-auth-library')
    auth ??= new GoogleAuth({ scopes: 'https://www.googleapis.com/auth/cloudkms' })
    const token = await auth.getAccessToken()
    if (!token) throw new Error('no credentials of Google Cloud were found')
    return token
  }
}
