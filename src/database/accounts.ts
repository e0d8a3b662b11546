/** Users, API keys and console sessions, kept for auth/. */
import type { Kysely, Selectable } from 'kysely'
import { AuthError } from '../auth/failures.ts'
import type { ApiKey, ApiKeyStore, Session, SessionStore, User, UserStore } from '../auth/stores.ts'
import type { ApiKeysTable, SessionsTable, Tables, UsersTable } from './tables.ts'

export function createUserStore(db: Kysely<Tables>): UserStore {
  const one = async (column: 'id' | 'name', value: string) => {
    const row = await db.selectFrom('users').selectAll().where(column, '=', value).executeTakeFirst()
    return row && userOf(row)
  }
  return {
    byName: (name) => one('name', name),
    byId: (id) => one('id', id),
    /** Asked and added in one transaction: engines name a doubled key differently. */
    async add(user) {
      await db.transaction().execute(async (transaction) => {
        const known = await transaction
          .selectFrom('users')
          .select('id')
          .where('name', '=', user.name)
          .executeTakeFirst()
        if (known) throw new AuthError('auth.user-exists')
        await transaction
          .insertInto('users')
          .values({
            id: user.id,
            name: user.name,
            password_hash: user.passwordHash,
            role: user.role,
            created_at_ms: user.createdAtMs,
          })
          .execute()
      })
    },
    async list() {
      const rows = await db.selectFrom('users').selectAll().orderBy('name').execute()
      return rows.map(userOf)
    },
  }
}

export function createApiKeyStore(db: Kysely<Tables>): ApiKeyStore {
  return {
    async byHash(hash) {
      const row = await db.selectFrom('api_keys').selectAll().where('hash', '=', hash).executeTakeFirst()
      return row && apiKeyOf(row)
    },
    async add(key) {
      await db
        .insertInto('api_keys')
        .values({
          id: key.id,
          name: key.name,
          hash: key.hash,
          role: key.role,
          created_at_ms: key.createdAtMs,
          last_used_at_ms: key.lastUsedAtMs ?? null,
        })
        .execute()
    },
    async remove(id) {
      const { numDeletedRows } = await db.deleteFrom('api_keys').where('id', '=', id).executeTakeFirst()
      return numDeletedRows > 0n
    },
    async list() {
      const rows = await db.selectFrom('api_keys').selectAll().orderBy('created_at_ms').orderBy('id').execute()
      return rows.map(apiKeyOf)
    },
    async touch(id, atMs) {
      await db.updateTable('api_keys').set({ last_used_at_ms: atMs }).where('id', '=', id).execute()
    },
  }
}

export function createSessionStore(db: Kysely<Tables>): SessionStore {
  return {
    async byHash(hash) {
      const row = await db.selectFrom('sessions').selectAll().where('hash', '=', hash).executeTakeFirst()
      return row && sessionOf(row)
    },
    async add(session) {
      await db
        .insertInto('sessions')
        .values({ hash: session.hash, user_id: session.userId, expires_at_ms: session.expiresAtMs })
        .execute()
    },
    async extend(hash, expiresAtMs) {
      await db.updateTable('sessions').set({ expires_at_ms: expiresAtMs }).where('hash', '=', hash).execute()
    },
    async remove(hash) {
      await db.deleteFrom('sessions').where('hash', '=', hash).execute()
    },
    async removeExpired(nowMs) {
      await db.deleteFrom('sessions').where('expires_at_ms', '<=', nowMs).execute()
    },
  }
}

const userOf = (row: Selectable<UsersTable>): User => ({
  id: row.id,
  name: row.name,
  passwordHash: row.password_hash,
  role: row.role,
  createdAtMs: row.created_at_ms,
})

const apiKeyOf = (row: Selectable<ApiKeysTable>): ApiKey => ({
  id: row.id,
  name: row.name,
  hash: row.hash,
  role: row.role,
  createdAtMs: row.created_at_ms,
  ...(row.last_used_at_ms !== null && { lastUsedAtMs: row.last_used_at_ms }),
})

const sessionOf = (row: Selectable<SessionsTable>): Session => ({
  hash: row.hash,
  userId: row.user_id,
  expiresAtMs: row.expires_at_ms,
})
