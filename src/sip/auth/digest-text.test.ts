import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { digestHashes } from './digest.ts'
import { answerChallenge } from './digest-client.ts'
import { digestOf, ha1Of, parseAlgorithm, parseDigest, responseOf } from './digest-text.ts'

interface Vector {
  readonly source: string
  readonly username: string
  readonly realm: string
  readonly password: string
  readonly method: string
  readonly uri: string
  readonly nonce: string
  readonly nc?: string
  readonly cnonce?: string
  readonly qop?: 'auth'
  readonly algorithm: string
  readonly ha1: string
  readonly ha2: string
  readonly response: string
}

const file = join(import.meta.dirname, '../../../test/data/digest/vectors.json')
const vectors = JSON.parse(readFileSync(file, 'utf8')) as readonly Vector[]

for (const vector of vectors) {
  const { source, username, realm, password, method, uri, nonce, nc, cnonce, qop } = vector
  const algorithm = parseAlgorithm(vector.algorithm)
  assert.ok(algorithm, source)

  test(`${vector.algorithm}, ${source}: HA1, HA2 and the response come out as printed`, () => {
    const ha1 = ha1Of(algorithm.hash, username, realm, password)
    const bound = algorithm.session ? digestOf(algorithm.hash, `${ha1}:${nonce}:${cnonce}`) : ha1

    assert.equal(bound, vector.ha1)
    assert.equal(digestOf(algorithm.hash, `${method}:${uri}`), vector.ha2)
    assert.equal(responseOf({ algorithm, ha1, nonce, method, uri, nc, cnonce, qop }), vector.response)
  })

  test(`${vector.algorithm}, ${source}: the client answers with that response`, () => {
    const quality = qop ? `, qop="${qop},auth-int"` : ''
    const challenge = `Digest realm="${realm}", nonce="${nonce}", algorithm=${vector.algorithm}, opaque="o"${quality}`
    const nonceCount = Number.parseInt(nc ?? '1', 16)
    const credentials = { username, password }
    const header = answerChallenge({ challenges: [challenge], method, uri, credentials, nonceCount, cnonce })
    const params = parseDigest(header ?? '')

    assert.equal(params?.get('response'), vector.response)
    assert.equal(params.get('username'), username)
    assert.equal(params.get('nc'), nc)
    assert.equal(params.get('opaque'), 'o')
    assert.equal(params.get('algorithm'), vector.algorithm)
  })
}

const byName = (name: string) => vectors.find(({ source }) => source === name)

test('the hashes that are kept are HA1 by MD5 and by SHA-256', () => {
  const hashes = digestHashes('Mufasa', 'http-auth@example.org', 'Circle of Life')

  assert.equal(hashes.md5, byName('RFC 7616 3.9.1 MD5')?.ha1)
  assert.equal(hashes.sha256, byName('RFC 7616 3.9.1 SHA-256')?.ha1)
})

test('parameters in any case and order, quoted or not, with commas and escapes inside quotes', () => {
  const params = parseDigest(String.raw`digest  Realm="a, \"b\"",NONCE=plain , qop=auth`)

  assert.deepEqual(
    [...(params ?? [])],
    [
      ['realm', 'a, "b"'],
      ['nonce', 'plain'],
      ['qop', 'auth'],
    ],
  )
})

test('other schemes, open quotes and repeated parameters are not read', () => {
  for (const text of ['', 'Basic abc', 'Digest', 'Digest realm="open', 'Digest a=1, a=2', 'Digest ,', 'Digest realm']) {
    assert.equal(parseDigest(text), undefined, text)
  }
})
