/** Files made here as the reference describes them: none of that server's own was at hand. */
import assert from 'node:assert/strict'
import { createCipheriv, pbkdf2Sync, randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { isSiprecFile, readSiprecFile } from './siprec-file.ts'

const withLength = (value: unknown): Buffer => {
  const text = Buffer.from(JSON.stringify(value))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(text.length)
  return Buffer.concat([length, text])
}

interface Form {
  readonly algorithm: 'AES-256-GCM' | 'ChaCha20-Poly1305'
  readonly ownTag: boolean
  readonly salt: Buffer | undefined
}

const header = (algorithm: string): Buffer =>
  withLength({
    magic: [...Buffer.from('SIPREC01')],
    version: 1,
    algorithm,
    key_id: 'key-1',
    key_version: 1,
    nonce_size: 12,
    tag_size: 16,
    metadata_len: 0,
    data_len: 0,
  })

function chunk(key: Buffer, text: Buffer, { algorithm, ownTag, salt }: Form): Buffer {
  const used = salt ? pbkdf2Sync(key, salt, 100_000, 32, 'sha256') : key
  const nonce = randomBytes(12)
  const cipher =
    algorithm === 'AES-256-GCM'
      ? createCipheriv('aes-256-gcm', used, nonce)
      : createCipheriv('chacha20-poly1305', used, nonce, { authTagLength: 16 })
  const body = Buffer.concat([cipher.update(text), cipher.final()])
  const tag = cipher.getAuthTag()
  return withLength({
    algorithm,
    key_id: 'key-1',
    key_version: 1,
    nonce: nonce.toString('base64'),
    ...(salt && { salt: salt.toString('base64') }),
    ciphertext: (ownTag ? body : Buffer.concat([body, tag])).toString('base64'),
    ...(ownTag && { tag: tag.toString('base64') }),
  })
}

const key = randomBytes(32)
const texts = Array.from({ length: 5 }, () => randomBytes(320))
const salt = randomBytes(32)

for (const form of [
  { algorithm: 'AES-256-GCM', ownTag: false, salt: undefined },
  { algorithm: 'AES-256-GCM', ownTag: true, salt: undefined },
  { algorithm: 'ChaCha20-Poly1305', ownTag: false, salt },
] as const)
  test(`a .siprec file is read: ${form.algorithm}, tag ${form.ownTag ? 'apart' : 'behind'}, salt ${form.salt ? 'yes' : 'no'}`, () => {
    const file = Buffer.concat([header(form.algorithm), ...texts.map((text) => chunk(key, text, form))])
    assert.ok(isSiprecFile(file))
    const read = readSiprecFile(file, key)
    assert.deepEqual(read.bytes, Buffer.concat(texts))
    assert.deepEqual([read.keyId, read.chunks], ['key-1', 5])
  })

const plain = { algorithm: 'AES-256-GCM', ownTag: false, salt: undefined } as const

test('a wrong key, a changed chunk and one that is cut off are told apart', () => {
  const file = Buffer.concat([header('AES-256-GCM'), ...texts.map((text) => chunk(key, text, plain))])
  assert.throws(() => readSiprecFile(file, randomBytes(32)), { code: 'sealing.key-refused' })
  assert.throws(() => readSiprecFile(file.subarray(0, -3), key), { code: 'sealing.damaged' })
  const changed = Buffer.from(file)
  const at = changed.lastIndexOf('"ciphertext":"') + 20
  changed[at] = changed[at] === 65 ? 66 : 65
  assert.throws(() => readSiprecFile(changed, key), { code: 'sealing.damaged' })
})

test('something else is no .siprec file', () => {
  for (const bytes of [Buffer.alloc(0), Buffer.from('RIFF'), randomBytes(100), withLength({ magic: [1], version: 1 })])
    assert.equal(isSiprecFile(bytes), false)
})
