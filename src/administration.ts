/**
 * What an administrator does at the command line, straight on the database, whether or not the server runs: a running
 * server notices within a second.
 */
import { mkdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import { type NewExtension, newExtensionSchema } from './api/schemas/extensions.ts'
import type { AuditDetails } from './audit/types.ts'
import { type CreatedApiKey, createApiKey } from './auth/api-keys.ts'
import type { Role } from './auth/stores.ts'
import { addUser } from './auth/users.ts'
import { systemClock } from './core/clock.ts'
import { devicePasswordLength } from './core/extension-number.ts'
import { silentLogger } from './core/logger.ts'
import { newPassword } from './core/random.ts'
import { resolveSecret, SettingsError } from './core/settings/load.ts'
import type { ExtensionSetting, Settings } from './core/settings/schema.ts'
import { type Database, openDatabase } from './database/open.ts'
import type { Directory, Extension } from './pbx/directory.ts'
import { digestHashes } from './sip/auth/digest.ts'

/** The database of these settings; its folder is made when missing, for its owner alone. */
export function databasePath(settings: Settings): string {
  mkdirSync(settings.data.dir, { recursive: true, mode: 0o700 })
  return join(settings.data.dir, 'patchbay.db')
}

export async function withDatabase<Result>(
  settings: Settings,
  use: (database: Database) => Promise<Result>,
): Promise<Result> {
  const database = await openDatabase({ path: databasePath(settings), log: silentLogger })
  try {
    return await use(database)
  } finally {
    await database.close()
  }
}

/** @returns The password, given or made here, once: only hashes are kept. */
export async function addExtension(directory: Directory, realm: string, given: NewExtension): Promise<string> {
  const { password = newPassword(), ...wanted } = newExtensionSchema.parse(given)
  const hashes = digestHashes(wanted.number, realm, password)
  await directory.add({ ...wanted, hashes, createdAtMs: systemClock.wallMs() })
  return password
}

/** Bring the directory in step with the extensions of patchbay.yaml. Others stay as they are. */
export async function takeFromFile(
  directory: Directory,
  realm: string,
  listed: readonly ExtensionSetting[],
): Promise<void> {
  for (const { number, name, password, ringSeconds, record, maxContacts, srtp, codecs, sound, recordTo } of listed) {
    const wanted = {
      displayName: name,
      hashes: digestHashes(number, realm, devicePassword(number, password)),
      ringSeconds,
      record,
      maxContacts,
      srtp,
      codecs,
      sound,
      recordTo,
    }
    const known = directory.find(number)
    if (!known) await directory.add({ number, ...wanted, createdAtMs: systemClock.wallMs() })
    else if (differs(known, wanted)) await directory.change(number, wanted)
  }
}

/** Look whether each password can be found, and is long enough. @throws {SettingsError} for the first that is not. */
export function checkPasswords(listed: readonly ExtensionSetting[]): void {
  for (const { number, password } of listed) devicePassword(number, password)
}

/** What a reference leads to is as long as a password that stands in the file itself. */
function devicePassword(number: string, written: string): string {
  const password = resolveSecret(written)
  if (password.length < devicePasswordLength.min)
    throw new SettingsError(
      `extensions: the password of ${number} (${written}) is too short; must be at least ${devicePasswordLength.min} characters`,
    )
  return password
}

const differs = (known: Extension, wanted: Omit<Extension, 'number' | 'createdAtMs'>): boolean =>
  JSON.stringify({ ...wanted, hashes: { ...wanted.hashes } }) !==
  JSON.stringify({
    displayName: known.displayName,
    hashes: hashesInOrder(known),
    ringSeconds: known.ringSeconds,
    record: known.record,
    maxContacts: known.maxContacts,
    srtp: known.srtp,
    codecs: known.codecs,
    sound: known.sound,
    recordTo: known.recordTo,
  })

/** In the order of `digestHashes`. */
function hashesInOrder({ hashes: { realm, md5, sha256, sha512 } }: Extension): object {
  return { realm, md5, sha256, sha512 }
}

/** @returns The password, once. */
export async function addPerson(database: Database, name: string, role: Role, given?: string): Promise<string> {
  const password = given ?? newPassword()
  await addUser(database.users, { name, role, password }, systemClock)
  return password
}

/** @returns The key with what is kept of it, once. */
export const makeApiKey = (database: Database, name: string, role: Role): Promise<CreatedApiKey> =>
  createApiKey(database.apiKeys, { name, role }, systemClock)

/** Puts into the audit record what was done at the command line, and by which user of this machine. */
export async function auditHere(
  database: Database,
  action: string,
  subject: string,
  details?: AuditDetails,
): Promise<void> {
  const entry = { who: userOfMachine(), via: 'command-line', action, subject, ...(details && { details }) } as const
  await database.audit.append(entry, systemClock.wallMs())
}

/** A container may have no name for its user. */
export function userOfMachine(): string {
  try {
    return userInfo().username
  } catch {
    return `uid ${process.getuid?.() ?? '?'}`
  }
}
