/**
 * Tokens for a machine in Azure that has an identity of its own: no secret is stored here.
 *
 * Virtual machines ask their metadata service
 * (https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token); App Service and
 * Container Apps have an address and a header in their environment (IDENTITY_ENDPOINT, IDENTITY_HEADER).
 */

import { ArchiveError } from '../failures.ts'
import type { StoreName } from '../types.ts'

const resource = 'https://storage.azure.com/'
const metadataService = 'http://169.254.169.254/metadata/identity/oauth2/token'
const answerMs = 10_000
const store: StoreName = 'azure'

interface Token {
  readonly token: string
  readonly expiresOnTimestamp: number
}

export class ManagedIdentity {
  readonly #env: Readonly<Record<string, string | undefined>>

  constructor(env: Readonly<Record<string, string | undefined>>) {
    this.#env = env
  }

  /** As the client asks for it; it keeps the token until that expires. @throws {ArchiveError} `archive.refused` */
  async getToken(): Promise<Token> {
    const { IDENTITY_ENDPOINT: own, IDENTITY_HEADER: header, AZURE_CLIENT_ID: client } = this.#env
    const url = new URL(own ?? metadataService)
    url.searchParams.set('resource', resource)
    url.searchParams.set('api-version', own === undefined ? '2018-02-01' : '2019-08-01')
    if (client !== undefined) url.searchParams.set('client_id', client)
    const headers: Record<string, string> =
      own === undefined ? { Metadata: 'true' } : { 'X-IDENTITY-HEADER': header ?? '' }
    let answer: Response
    try {
      answer = await fetch(url, { headers, signal: AbortSignal.timeout(answerMs) })
    } catch (cause) {
      throw new ArchiveError(
        'archive.refused',
        `${store}: neither a key, a SAS token nor an identity of this machine`,
        { cause },
      )
    }
    if (!answer.ok) throw new ArchiveError('archive.refused', `${store}: the identity service answers ${answer.status}`)
    const { access_token: token, expires_on: expiresOn } = (await answer.json()) as {
      access_token: string
      expires_on: string | number
    }
    return { token, expiresOnTimestamp: Number(expiresOn) * 1000 }
  }
}
