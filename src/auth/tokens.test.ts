import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SignJWT } from 'jose'
import { FakeClock } from '../core/fake-clock.ts'
import type { User } from './stores.ts'
import { looksLikeToken, Tokens } from './tokens.ts'

const secret = 'a-secret-of-thirty-two-characters'
const key = Buffer.from(secret)

function someTokens(changes: Partial<ConstructorParameters<typeof Tokens>[0]> = {}) {
  const clock = new FakeClock()
  const users = new Map<string, User>()
  const user: User = { id: 'u1', name: 'alice', passwordHash: '', role: 'operator', createdAtMs: 0 }
  users.set(user.id, user)
  const byId = (id: string) => Promise.resolve(users.get(id))
  const options = { users: { byId }, clock, secret, issuer: 'siprec-server', lifeMs: 3_600_000, ...changes }
  return { clock, users, user, tokens: new Tokens(options), options }
}

/** As somebody else who knows the secret would make it. */
const foreign = (claims: Record<string, unknown>, { clock }: { clock: FakeClock }, alg = 'HS256') =>
  new SignJWT({ iss: 'siprec-server', exp: Math.floor(clock.wallMs() / 1_000) + 60, ...claims })
    .setProtectedHeader({ alg })
    .sign(alg === 'HS256' ? key : Buffer.alloc(64, 1))

test('a token names its user, in the role it has now, until it expires', async () => {
  const { tokens, user, users, clock } = someTokens()
  const { token, expiresAtMs } = await tokens.issue(user)
  assert.equal(looksLikeToken(token), true)
  assert.equal(expiresAtMs - clock.wallMs(), 3_600_000)
  assert.deepEqual(await tokens.holderOf(token), { name: 'alice', role: 'operator' })
  users.set('u1', { ...user, role: 'viewer' })
  assert.deepEqual(await tokens.holderOf(token), { name: 'alice', role: 'viewer' })
  clock.advance(3_600_000)
  assert.equal(await tokens.holderOf(token), undefined)
})

test('a token of a user who is gone opens nothing', async () => {
  const { tokens, user, users } = someTokens()
  const { token } = await tokens.issue(user)
  users.clear()
  assert.equal(await tokens.holderOf(token), undefined)
})

test('who shares the secret may name a name and a role', async () => {
  const world = someTokens()
  const holder = async (claims: Record<string, unknown>) => world.tokens.holderOf(await foreign(claims, world))
  assert.deepEqual(await holder({ username: 'crm', role: 'viewer' }), { name: 'crm', role: 'viewer' })
  assert.deepEqual(await holder({ sub: 'crm', roles: ['clerk', 'admin'] }), { name: 'crm', role: 'admin' })
  assert.equal(await holder({ username: 'crm', role: 'root' }), undefined)
  assert.equal(await holder({ role: 'admin' }), undefined)
})

test('what is signed otherwise, by another issuer, or for ever, is none', async () => {
  const world = someTokens()
  const { tokens, user, options } = world
  const claims = { username: 'crm', role: 'admin' }
  assert.equal(await tokens.holderOf(await foreign({ ...claims, iss: 'other' }, world)), undefined)
  assert.equal(await tokens.holderOf(await foreign({ ...claims, exp: undefined }, world)), undefined)
  assert.equal(await tokens.holderOf(await foreign(claims, world, 'HS512')), undefined)
  const [header, , signature] = (await foreign(claims, world)).split('.')
  const forged = Buffer.from(JSON.stringify({ ...claims, iss: 'siprec-server', exp: 9e9 })).toString('base64url')
  assert.equal(await tokens.holderOf(`${header}.${forged}.${signature}`), undefined)
  const none = Buffer.from(JSON.stringify({ alg: 'none' })).toString('base64url')
  assert.equal(await tokens.holderOf(`${none}.${forged}.`), undefined)
  assert.equal(await tokens.holderOf('not.a.token'), undefined)
  // Without a secret of its own each start has another one.
  const [one, other] = [new Tokens({ ...options, secret: '' }), new Tokens({ ...options, secret: '' })]
  const { token } = await one.issue(user)
  assert.ok(await one.holderOf(token))
  assert.equal(await other.holderOf(token), undefined)
})
