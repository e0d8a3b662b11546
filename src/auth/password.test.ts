import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hashPassword, verifyPassword } from './password.ts'

const quick = { n: 2 ** 8, r: 8, p: 1 }

test('a password is verified against its hash, which carries its cost and its own salt', async () => {
  const hash = await hashPassword('Größe 12', quick)
  assert.match(hash, /^\$scrypt\$n=256,r=8,p=1\$[\w-]{22}\$[\w-]{43}$/)
  assert.notEqual(hash, await hashPassword('Größe 12', quick))
  assert.equal(await verifyPassword('Größe 12', hash), true)
  assert.equal(await verifyPassword('größe 12', hash), false)
})

test('a password typed with other code points for the same letters is the same (NFKC)', async () => {
  const hash = await hashPassword('Gr\u00f6\u00dfe', quick)
  assert.equal(await verifyPassword('Gro\u0308\u00dfe', hash), true)
})

test('hashes of the present cost are verified as well', async () => {
  assert.equal(await verifyPassword('secret', await hashPassword('secret')), true)
})

test('nobody and a hash that is none have no password', async () => {
  for (const hash of [undefined, '', 'plain', '$scrypt$n=256,r=8,p=1$aa$short']) {
    assert.equal(await verifyPassword('', hash), false)
  }
})

test('hashes are computed one at a time, so that a flood leaves the thread pool to the recorders', async () => {
  const order: number[] = []
  const costs = [2 ** 15, 2 ** 4, 2 ** 5] // the first takes a thousand times as long
  await Promise.all(costs.map((n) => hashPassword('x', { n, r: 8, p: 1 }).then(() => order.push(n))))
  assert.deepEqual(order, costs)
})
