/**
 * The extensions, kept in memory for the INVITE path and written through to the database.
 *
 * A change is seen in memory only once it is written. Changes wait for each other, so what is in memory and what is
 * in the table cannot cross. What another process wrote (the command line) is there after `reload`.
 */
import type { Kysely, Selectable } from 'kysely'
import { Emitter } from '../core/emitter.ts'
import type { VoiceProcessing } from '../core/voice-processing.ts'
import { type Directory, DirectoryError, type Extension } from '../pbx/directory.ts'
import type { ExtensionsTable, Tables } from './tables.ts'

export class KeptDirectory implements Directory {
  readonly #db: Kysely<Tables>
  #extensions: ReadonlyMap<string, Extension> = new Map()
  #lastChange: Promise<unknown> = Promise.resolve()
  readonly #events = new Emitter<{ removed: string; passwordChanged: string }>()

  /** Empty until `reload`. */
  constructor(db: Kysely<Tables>) {
    this.#db = db
  }

  /** Read all extensions anew. */
  reload(): Promise<void> {
    return this.#oneAtATime(() => this.#read())
  }

  find(number: string): Extension | undefined {
    return this.#extensions.get(number)
  }

  /** In the order people count: 9 before 10. */
  list(): readonly Extension[] {
    return [...this.#extensions.values()].sort((a, b) => a.number.localeCompare(b.number, 'en', { numeric: true }))
  }

  add(extension: Extension): Promise<void> {
    return this.#oneAtATime(async () => {
      if (this.#extensions.has(extension.number)) throw new DirectoryError('directory.exists')
      await this.#db.insertInto('extensions').values(toRow(extension)).execute()
      await this.#read()
    })
  }

  change(number: string, changes: Partial<Omit<Extension, 'number' | 'createdAtMs'>>): Promise<Extension> {
    return this.#oneAtATime(async () => {
      const known = this.#extensions.get(number)
      if (!known) throw new DirectoryError('directory.not-found')
      const changed = { ...known, ...changes }
      await this.#db.updateTable('extensions').set(toRow(changed)).where('number', '=', number).execute()
      await this.#read()
      return changed
    })
  }

  remove(number: string): Promise<void> {
    return this.#oneAtATime(async () => {
      if (!this.#extensions.has(number)) throw new DirectoryError('directory.not-found')
      await this.#db.deleteFrom('extensions').where('number', '=', number).execute()
      await this.#read()
    })
  }

  onRemoved(listener: (number: string) => void): void {
    this.#events.on('removed', listener)
  }

  onPasswordChanged(listener: (number: string) => void): void {
    this.#events.on('passwordChanged', listener)
  }

  async #read(): Promise<void> {
    const before = this.#extensions
    const rows = await this.#db.selectFrom('extensions').selectAll().execute()
    this.#extensions = new Map(rows.map((row) => [row.number, fromRow(row)]))
    for (const [number, { createdAtMs, hashes }] of before) {
      const now = this.#extensions.get(number)
      if (now?.createdAtMs !== createdAtMs) this.#events.emit('removed', number)
      else if (now.hashes.sha256 !== hashes.sha256 || now.hashes.md5 !== hashes.md5)
        this.#events.emit('passwordChanged', number)
    }
  }

  #oneAtATime<Result>(change: () => Promise<Result>): Promise<Result> {
    const result = this.#lastChange.then(change)
    this.#lastChange = result.catch(() => {})
    return result
  }
}

function toRow(extension: Extension): ExtensionsTable {
  return {
    number: extension.number,
    display_name: extension.displayName,
    realm: extension.hashes.realm,
    ha1_md5: extension.hashes.md5,
    ha1_sha256: extension.hashes.sha256,
    ha1_sha512: extension.hashes.sha512 ?? null,
    ring_seconds: extension.ringSeconds,
    record: extension.record ? 1 : 0,
    max_contacts: extension.maxContacts,
    srtp: extension.srtp ?? null,
    codecs: extension.codecs?.join(',') ?? null,
    sound: extension.sound ? JSON.stringify(extension.sound) : null,
    record_to: extension.recordTo ? extension.recordTo.join(',') : null,
    created_at_ms: extension.createdAtMs,
  }
}

function fromRow(row: Selectable<ExtensionsTable>): Extension {
  return {
    number: row.number,
    displayName: row.display_name,
    hashes: {
      realm: row.realm,
      md5: row.ha1_md5,
      sha256: row.ha1_sha256,
      ...(row.ha1_sha512 !== null && { sha512: row.ha1_sha512 }),
    },
    ringSeconds: row.ring_seconds,
    record: row.record === 1,
    maxContacts: row.max_contacts,
    ...(row.srtp !== null && { srtp: row.srtp }),
    ...(row.codecs !== null && { codecs: row.codecs.split(',') }),
    ...(row.sound !== null && { sound: JSON.parse(row.sound) as VoiceProcessing }),
    ...(row.record_to !== null && { recordTo: row.record_to === '' ? [] : row.record_to.split(',') }),
    createdAtMs: row.created_at_ms,
  }
}
