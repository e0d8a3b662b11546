/** Signing in, users, API keys. */
import { z } from 'zod'
import { roleSchema } from './common.ts'

export const loginSchema = z
  .strictObject({ name: z.string().min(1).max(64), password: z.string().min(1).max(256) })
  .meta({ id: 'Login' })
export type Login = z.infer<typeof loginSchema>

/** For a token: `username` as other servers of this kind call it, or `name`. */
export const tokenRequestSchema = z
  .strictObject({
    username: z.string().min(1).max(64).optional(),
    name: z.string().min(1).max(64).optional(),
    password: z.string().min(1).max(256),
  })
  .refine(({ username, name }) => (username === undefined) !== (name === undefined), 'give username or name')
  .meta({ id: 'TokenRequest' })

export const tokenSchema = z
  .object({
    token: z.string().describe('Send it as `Authorization: Bearer`.'),
    token_type: z.literal('Bearer'),
    expires_in: z.int().describe('Seconds.'),
    expires_at: z.string().describe('ISO 8601.'),
    role: roleSchema,
  })
  .meta({ id: 'Token' })
export type Token = z.infer<typeof tokenSchema>

export const codeLoginSchema = z.strictObject({ code: z.string().min(1).max(64) }).meta({ id: 'CodeLogin' })
export type CodeLogin = z.infer<typeof codeLoginSchema>

/** Who asks. */
export const meSchema = z
  .object({ name: z.string(), role: roleSchema, via: z.enum(['session', 'api-key', 'token']) })
  .meta({ id: 'Me' })
export type Me = z.infer<typeof meSchema>

export const userSchema = z
  .object({ id: z.string(), name: z.string(), role: roleSchema, createdAtMs: z.number() })
  .meta({ id: 'User' })
export type User = z.infer<typeof userSchema>

export const usersSchema = z.object({ items: z.array(userSchema).readonly() }).meta({ id: 'Users' })
export type Users = z.infer<typeof usersSchema>

export const newUserSchema = z
  .strictObject({
    name: z
      .string()
      .regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, 'up to 64 letters, digits or . _ @ -, a letter or digit first'),
    role: roleSchema,
    password: z.string().min(10).max(256).optional().describe('Left out: one is generated and returned, once.'),
  })
  .meta({ id: 'NewUser' })
export type NewUser = z.input<typeof newUserSchema>

export const userSavedSchema = z.object({ user: userSchema, password: z.string().optional() }).meta({ id: 'UserSaved' })
export type UserSaved = z.infer<typeof userSavedSchema>

export const apiKeySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    role: roleSchema,
    createdAtMs: z.number(),
    lastUsedAtMs: z.number().optional(),
  })
  .meta({ id: 'ApiKey' })
export type ApiKey = z.infer<typeof apiKeySchema>

export const apiKeysSchema = z.object({ items: z.array(apiKeySchema).readonly() }).meta({ id: 'ApiKeys' })
export type ApiKeys = z.infer<typeof apiKeysSchema>

export const newApiKeySchema = z
  .strictObject({ name: z.string().min(1).max(100), role: roleSchema })
  .meta({ id: 'NewApiKey' })
export type NewApiKey = z.input<typeof newApiKeySchema>

/** `key` is shown this once; only its hash is kept. */
export const apiKeyCreatedSchema = z.object({ apiKey: apiKeySchema, key: z.string() }).meta({ id: 'ApiKeyCreated' })
export type ApiKeyCreated = z.infer<typeof apiKeyCreatedSchema>
