import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { ApiKeys } from './api-keys.ts'
import { SignInCodes } from './codes.ts'
import { verifyPassword } from './password.ts'
import { hashSecret, newCode } from './secrets.ts'
import { Sessions } from './sessions.ts'
import type { ApiKey, ApiKeyStore, Session, SessionStore, User, UserStore } from './stores.ts'
import { addUser, ensureAdmin } from './users.ts'

const user: User = { id: 'u', name: 'alice', passwordHash: '', role: 'admin', createdAtMs: 0 }
const hourMs = 60 * 60_000

function memoryUsers(...users: User[]): UserStore {
  return {
    byName: (name) => Promise.resolve(users.find((one) => one.name === name)),
    byId: (id) => Promise.resolve(users.find((one) => one.id === id)),
    add: (one) => Promise.resolve(void users.push(one)),
    list: () => Promise.resolve(users),
  }
}

function memorySessions(): SessionStore & { readonly kept: Map<string, Session>; extended: number } {
  const kept = new Map<string, Session>()
  const store = {
    kept,
    extended: 0,
    byHash: (hash: string) => Promise.resolve(kept.get(hash)),
    add: (session: Session) => Promise.resolve(void kept.set(session.hash, session)),
    extend(hash: string, expiresAtMs: number) {
      store.extended += 1
      const session = kept.get(hash)
      if (session) kept.set(hash, { ...session, expiresAtMs })
      return Promise.resolve()
    },
    remove: (hash: string) => Promise.resolve(void kept.delete(hash)),
    removeExpired(nowMs: number) {
      for (const [hash, { expiresAtMs }] of kept) if (expiresAtMs <= nowMs) kept.delete(hash)
      return Promise.resolve()
    },
  }
  return store
}

test('the cookie is 256 random bits, and only its hash is kept', async () => {
  const store = memorySessions()
  const sessions = new Sessions({ store, users: memoryUsers(user), clock: new FakeClock() })

  const cookie = await sessions.start(user)

  assert.equal(Buffer.from(cookie, 'base64url').length, 32)
  assert.deepEqual([...store.kept.keys()], [hashSecret(cookie)])
  assert.deepEqual(await sessions.userOf(cookie), user)
  assert.equal(await sessions.userOf(hashSecret(cookie)), undefined)
})

test('a session moves on with its use, but is written at most every ten minutes', async () => {
  const clock = new FakeClock()
  const store = memorySessions()
  const sessions = new Sessions({ store, users: memoryUsers(user), clock })
  const cookie = await sessions.start(user)

  for (let minutes = 0; minutes < 25; minutes++) {
    await sessions.userOf(cookie)
    clock.advance(60_000)
  }
  assert.equal(store.extended, 2)
  clock.advance(11 * hourMs)
  assert.equal(await sessions.lives(cookie), true)
  clock.advance(hourMs)
  assert.equal(await sessions.lives(cookie), false)
  assert.equal(await sessions.userOf(cookie), undefined)
})

test('a session of a user who is gone opens nothing', async () => {
  const sessions = new Sessions({ store: memorySessions(), users: memoryUsers(), clock: new FakeClock() })
  assert.equal(await sessions.userOf(await sessions.start(user)), undefined)
})

test('a code has no look-alikes, is taken as people type it, once, for ten minutes', () => {
  const clock = new FakeClock()
  const codes = new SignInCodes(clock)
  const code = codes.issue(user)
  assert.match(code, /^[2-9A-HJKMNP-Z]{5}-[2-9A-HJKMNP-Z]{5}$/)

  assert.equal(codes.redeem('AAAAA-AAAAA'), undefined)
  assert.equal(codes.redeem(code.toLowerCase().replace('-', ' ')), 'u')
  assert.equal(codes.redeem(code), undefined)

  const late = codes.issue(user)
  clock.advance(600_000)
  assert.equal(codes.redeem(late), undefined)
})

test('codes differ, and a hundred wait at most', () => {
  const codes = new SignInCodes(new FakeClock())
  const issued = Array.from({ length: 101 }, () => codes.issue(user))
  assert.equal(new Set(issued).size, 101)
  assert.equal(codes.redeem(issued[0] ?? ''), undefined)
  assert.equal(codes.redeem(issued[1] ?? ''), 'u')
  assert.notEqual(newCode(), newCode())
})

test('an API key is found by its hash; its use is noted at most once a minute', async () => {
  const clock = new FakeClock()
  const kept: ApiKey[] = []
  let touched = 0
  const store: ApiKeyStore = {
    byHash: (hash) => Promise.resolve(kept.find((key) => key.hash === hash)),
    add: (key) => Promise.resolve(void kept.push(key)),
    remove: () => Promise.resolve(false),
    list: () => Promise.resolve(kept),
    touch(id, atMs) {
      touched += 1
      const index = kept.findIndex((key) => key.id === id)
      const [key] = kept.slice(index, index + 1)
      if (key) kept[index] = { ...key, lastUsedAtMs: atMs }
      return Promise.resolve()
    },
  }
  const keys = new ApiKeys({ store, clock })
  const { apiKey, key } = await keys.create('CRM', 'viewer')

  assert.match(key, /^pb_[\w-]{43}$/)
  assert.doesNotMatch(JSON.stringify(kept), new RegExp(key))
  await keys.find(key)
  clock.advance(59_000)
  assert.equal((await keys.find(key))?.id, apiKey.id)
  assert.equal(touched, 1)
  clock.advance(1_000)
  await keys.find(key)
  assert.equal(touched, 2)
  assert.equal(await keys.find(`${key}x`), undefined)
  await assert.rejects(keys.remove('nobody'), { code: 'auth.key-not-found' })
})

test('the first start makes admin with a password that is told once', async () => {
  const users = memoryUsers()
  const clock = new FakeClock()

  const password = await ensureAdmin({ users, clock })
  const again = await ensureAdmin({ users, clock })

  const admin = await users.byName('admin')
  assert.equal(admin?.role, 'admin')
  assert.equal(await verifyPassword(password ?? '', admin?.passwordHash), true)
  assert.equal(again, undefined)
  assert.equal((await users.list()).length, 1)
})

test('a viewer that was added before the first start does not keep admin from being made', async () => {
  const users = memoryUsers()
  const clock = new FakeClock()
  await addUser(users, { name: 'eve', role: 'viewer', password: 'long enough' }, clock)
  assert.ok(await ensureAdmin({ users, clock }))
  assert.equal((await users.byName('admin'))?.role, 'admin')
})

test('a password that was set for admin is used and not told', async () => {
  const users = memoryUsers()
  assert.equal(await ensureAdmin({ users, clock: new FakeClock(), password: 'chosen' }), undefined)
  assert.equal(await verifyPassword('chosen', (await users.byName('admin'))?.passwordHash), true)
})

test('names of people are kept in lower case', async () => {
  const users = memoryUsers()
  const { user: added, password } = await addUser(users, { name: ' Alice ', role: 'viewer' }, new FakeClock())
  assert.equal(added.name, 'alice')
  assert.match(password ?? '', /^\w{20}$/)
})
