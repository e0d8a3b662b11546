/**
 * The contract of key services, held by each against a small fake of its public protocol on loopback: the services
 * themselves cannot run here. The fake of AWS checks no signature; its client makes one.
 */
import assert from 'node:assert/strict'
import { constants, generateKeyPairSync, privateDecrypt, publicEncrypt, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { FakeClock } from '../../core/fake-clock.ts'
import { silentLogger } from '../../core/logger.ts'
import { AwsKms } from './aws-kms.ts'
import { AzureKeyVault } from './azure-key-vault.ts'
import { GcpKms } from './gcp-kms.ts'
import { KeyRing } from './key-ring.ts'
import { type KeyService, ServiceKeys } from './service-keys.ts'

interface Asked {
  readonly path: string
  readonly method: string
  readonly headers: IncomingMessage['headers']
  readonly body: Record<string, unknown>
}
/** A status alone is a refusal. */
type Answer = Record<string, unknown> | number

interface Fake {
  readonly url: string
  readonly asked: Asked[]
  away: boolean
}

async function fakeServer(t: TestContext, answer: (asked: Asked) => Answer): Promise<Fake> {
  const fake = { url: '', asked: [] as Asked[], away: false }
  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = ''
    for await (const piece of request) text += String(piece)
    const { url = '', method = '', headers } = request
    const asked = { path: url, method, headers, body: text === '' ? {} : (JSON.parse(text) as Asked['body']) }
    fake.asked.push(asked)
    const said = fake.away ? 503 : answer(asked)
    response.statusCode = typeof said === 'number' ? said : 200
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(typeof said === 'number' ? { error: { message: 'no' }, message: 'no' } : said))
  }
  const server = createServer((request, response) => void handle(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  fake.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return fake
}

/** "Encrypts": the service remembers what it was given. */
class Vault {
  readonly #kept = new Map<string, string>()

  wrap(text: string, beside: unknown): string {
    const name = randomBytes(40).toString('base64')
    this.#kept.set(name + JSON.stringify(beside), text)
    return name
  }

  unwrap(name: string, beside: unknown): string | undefined {
    return this.#kept.get(name + JSON.stringify(beside))
  }
}

interface UnderTest {
  readonly service: KeyService
  readonly keyName: string
  readonly fake: Fake
}

async function aws(t: TestContext): Promise<UnderTest> {
  const vault = new Vault()
  const keyName = 'arn:aws:kms:eu-central-1:111122223333:key/1234abcd'
  const fake = await fakeServer(t, ({ headers, body }) => {
    if (!String(headers['authorization']).startsWith('AWS4-HMAC-SHA256 ') || body['KeyId'] !== keyName) return 400
    const beside = body['EncryptionContext']
    if (headers['x-amz-target'] === 'TrentService.Encrypt')
      return { CiphertextBlob: vault.wrap(String(body['Plaintext']), beside), KeyId: keyName }
    const found = vault.unwrap(String(body['CiphertextBlob']), beside)
    return found === undefined ? 400 : { Plaintext: found, KeyId: keyName }
  })
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' }
  return { service: new AwsKms({ endpoint: fake.url, credentials, maxAttempts: 1 }), keyName, fake }
}

async function gcp(t: TestContext): Promise<UnderTest> {
  const vault = new Vault()
  const keyName = 'projects/p/locations/europe-west3/keyRings/r/cryptoKeys/k'
  const fake = await fakeServer(t, ({ path, headers, body }) => {
    if (headers['authorization'] !== 'Bearer token') return 401
    const beside = body['additionalAuthenticatedData']
    if (path === `/v1/${keyName}:encrypt`)
      return { name: `${keyName}/cryptoKeyVersions/1`, ciphertext: vault.wrap(String(body['plaintext']), beside) }
    const found = path === `/v1/${keyName}:decrypt` && vault.unwrap(String(body['ciphertext']), beside)
    return found ? { plaintext: found } : 400
  })
  return { service: new GcpKms(async () => 'token', fake.url), keyName, fake }
}

async function azure(t: TestContext): Promise<UnderTest> {
  const versions = ['1', '2'].map((digit) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    return { id: digit.repeat(32), publicKey, privateKey }
  })
  const padding = { padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha256' }
  let asksForVersion = 0
  const fake = await fakeServer(t, ({ path, headers, body, method }) => {
    if (headers['authorization'] !== 'Bearer token' || !path.endsWith('?api-version=7.4')) return 401
    // It is rotated there after the first use.
    if (method === 'GET')
      return { key: { kid: `${fake.url}/keys/main/${versions[asksForVersion++ === 0 ? 0 : 1]?.id}` } }
    const [, id, what] = /^\/keys\/main\/(\w+)\/(\w+)\?/.exec(path) ?? []
    const found = versions.find((version) => version.id === id)
    if (!found || body['alg'] !== 'RSA-OAEP-256') return 404
    const value = Buffer.from(String(body['value']), 'base64url')
    try {
      const bytes =
        what === 'wrapkey'
          ? publicEncrypt({ key: found.publicKey, ...padding }, value)
          : privateDecrypt({ key: found.privateKey, ...padding }, value)
      return { kid: `${fake.url}/keys/main/${id}`, value: bytes.toString('base64url') }
    } catch {
      return 400
    }
  })
  return { service: new AzureKeyVault(async () => 'token'), keyName: `${fake.url}/keys/main`, fake }
}

for (const [kind, start] of Object.entries({ 'aws-kms': aws, 'gcp-kms': gcp, 'azure-key-vault': azure })) {
  test(`${kind}: a key is wrapped and unwrapped again; what was changed or is of another key is refused`, async (t) => {
    const { service, keyName } = await start(t)
    assert.equal(service.kind, kind)
    const keys = [randomBytes(32), randomBytes(32)]
    const wrapped = []
    for (const key of keys) wrapped.push(await service.wrap(keyName, key))
    for (const [index, key] of keys.entries())
      assert.deepEqual(Buffer.from(await service.unwrap(keyName, wrapped[index] ?? key)), key)
    const changed = Buffer.from(wrapped[0] ?? '')
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1
    await assert.rejects(service.unwrap(keyName, changed))
    await assert.rejects(service.unwrap(`${keyName}x`, wrapped[0] ?? changed))
  })

  test(`${kind}: the service is asked once a start, not for each recording, and another server reads what this one sealed`, async (t) => {
    const { service, keyName, fake } = await start(t)
    const clock = new FakeClock()
    const ringOf = (): KeyRing =>
      new KeyRing({
        sources: [new ServiceKeys(service, keyName, clock)],
        cipher: 'AES-256-GCM',
        rotateEveryMs: 86_400_000,
        clock,
        log: silentLogger,
      })
    const one = ringOf()
    await one.begin()
    const asked = fake.asked.length
    const seals = Array.from({ length: 20 }, (_, index) => one.newSeal(`r${index}`))
    assert.equal(fake.asked.length, asked)

    const other = ringOf()
    for (const { key, recordingId, dataKey } of seals)
      assert.deepEqual(Buffer.from(await other.openKey(key, recordingId)), Buffer.from(dataKey))
    assert.equal(fake.asked.length, asked + 1)

    // The service is away when the key has its age: recordings go on with the former one, then with a new one.
    clock.advance(86_400_000 - 60_000)
    await one.look()
    const before = one.newSeal('r').key.via
    fake.away = true
    clock.advance(60_000)
    await one.look()
    assert.equal(one.newSeal('r').key.via, before)
    fake.away = false
    clock.advance(60_000)
    await one.look()
    assert.notEqual(one.newSeal('r').key.via, before)
    one.close()
  })

  test(`${kind}: when the service is away at the start, that is said with its name`, async (t) => {
    const { service, keyName, fake } = await start(t)
    fake.away = true
    const keys = new ServiceKeys(service, keyName, new FakeClock())
    await assert.rejects(keys.current(), (error: Error & { code?: string }) => {
      assert.equal(error.code, 'sealing.key-service')
      assert.match(error.message, new RegExp(kind))
      return true
    })
    await assert.rejects(new ServiceKeys(service, undefined, new FakeClock()).current(), {
      code: 'sealing.key-missing',
    })
    await assert.rejects(keys.find(`${kind}:${keyName}`), { code: 'sealing.key-missing' })
  })
}

test('a token is sent to vaults of Azure alone, whatever a file names', async () => {
  const service = new AzureKeyVault(() => Promise.reject(new Error('a token was asked for')))
  for (const name of [
    'https://evil.example/keys/main',
    'https://vault.azure.net.evil.example/keys/main',
    'https://a.vault.azure.net/secrets/main',
    'http://a.vault.azure.net/keys/main',
  ])
    await assert.rejects(service.wrap(name, randomBytes(32)), /MASTER_KEY_ID must be/)
  await assert.rejects(service.wrap('https://a.vault.azure.net/keys/main', randomBytes(32)), /a token was asked for/)
})
