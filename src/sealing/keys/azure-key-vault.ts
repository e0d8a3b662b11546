/**
 * Azure Key Vault by its REST interface, with tokens from the official @azure/identity (loaded on use). An RSA key,
 * `https://VAULT.vault.azure.net/keys/NAME`, with the permissions wrapKey and unwrapKey. A key is wrapped by its newest
 * version, which stands in what is kept, so that a rotation there takes nothing away.
 * learn.microsoft.com/rest/api/keyvault/keys, Wrap Key and Unwrap Key, 7.4; RSA-OAEP-256 of RFC 7518 §4.3.
 */
import { askForBytes, type Token } from './gcp-kms.ts'
import type { KeyService } from './service-keys.ts'

const version = 'api-version=7.4'
const alg = 'RSA-OAEP-256'

export class AzureKeyVault implements KeyService {
  readonly kind = 'azure-key-vault'
  readonly #token: Token

  /** @param token Left out: environment, workload or managed identity, or whoever signed in by `az login`. */
  constructor(token: Token = defaultToken()) {
    this.#token = token
  }

  /** The version that wrapped it, a zero byte, and the wrapped key. */
  async wrap(keyName: string, key: Uint8Array): Promise<Uint8Array> {
    const url = urlOf(keyName)
    const token = await this.#token()
    const current = await versionOf(url, token)
    const body = { alg, value: Buffer.from(key).toString('base64url') }
    const wrapped = await askForBytes(`${url}/${current}/wrapkey?${version}`, token, body, 'value', 'base64url')
    return Buffer.concat([Buffer.from(`${current}\0`), wrapped])
  }

  async unwrap(keyName: string, wrapped: Uint8Array): Promise<Uint8Array> {
    const bytes = Buffer.from(wrapped)
    const end = bytes.indexOf(0)
    const by = bytes.toString('latin1', 0, Math.max(0, end))
    if (!/^[0-9A-Za-z]+$/.test(by)) throw new Error('it was not wrapped by a key vault')
    const body = { alg, value: bytes.subarray(end + 1).toString('base64url') }
    return askForBytes(`${urlOf(keyName)}/${by}/unwrapkey?${version}`, await this.#token(), body, 'value', 'base64url')
  }
}

/** Only a vault of Azure may be sent a token for one, whatever stands in a file. */
function urlOf(keyName: string): string {
  const { protocol, hostname, pathname } = new URL(keyName)
  const loopback = protocol === 'http:' && hostname === '127.0.0.1'
  const vault =
    protocol === 'https:' && /\.(vault|managedhsm)(-int)?\.(azure\.net|azure\.cn|usgovcloudapi\.net)$/.test(hostname)
  if (!(vault || loopback) || !/^\/keys\/[0-9A-Za-z-]+$/.test(pathname))
    throw new Error('MASTER_KEY_ID must be https://VAULT.vault.azure.net/keys/NAME')
  return keyName
}

async function versionOf(url: string, token: string): Promise<string> {
  const answer = await fetch(`${url}?${version}`, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.timeout(10_000),
  })
  if (!answer.ok) throw new Error(`${answer.status} when its version was asked for`)
  const { key } = (await answer.json()) as { key?: { kid?: string } }
  const found = /\/keys\/[^/]+\/([0-9A-Za-z]+)$/.exec(key?.kid ?? '')?.[1]
  if (found === undefined) throw new Error('the answer tells no version of the key')
  return found
}

function defaultToken(): Token {
  let credential: { getToken(scope: string): Promise<{ token: string } | null> } | undefined
  return async () => {
    const { DefaultAzureCredential } = await import('@azure/identity')
    credential ??= new DefaultAzureCredential()
    const found = await credential.getToken('https://vault.azure.net/.default')
    if (!found) throw new Error('no credentials of Azure were found')
    return found.token
  }
}
