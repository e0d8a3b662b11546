/**
 * The first layout. Text that is a key or indexed has a length, since MariaDB asks for one; ids are 22 characters
 * (core/random.ts), SIP texts are as long as the peer liked.
 */
import { type CreateTableBuilder, type Kysely, sql } from 'kysely'

const idType = 'varchar(64)'

function party<Table extends string>(table: CreateTableBuilder<Table>, prefix: string): CreateTableBuilder<Table> {
  return table
    .addColumn(`${prefix}_uri`, 'text', (column) => column.notNull())
    .addColumn(`${prefix}_name`, 'text')
    .addColumn(`${prefix}_extension`, 'varchar(64)')
}

export async function up(db: Kysely<unknown>): Promise<void> {
  await createCalls(db)
  await createRecordings(db)
  await createAccounts(db)
}

async function createCalls(db: Kysely<unknown>): Promise<void> {
  let calls = db.schema
    .createTable('calls')
    .addColumn('id', idType, (column) => column.primaryKey())
    .addColumn('kind', 'varchar(16)', (column) => column.notNull())
  calls = party(party(calls, 'from'), 'to')
  await calls
    .addColumn('started_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('answered_at_ms', 'bigint')
    .addColumn('ended_at_ms', 'bigint')
    .addColumn('end_reason', 'varchar(32)')
    .addColumn('sip_status', 'integer')
    .addColumn('seen_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('search', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('calls_by_start').on('calls').columns(['started_at_ms', 'id']).execute()
  await db.schema.createIndex('calls_by_end').on('calls').column('ended_at_ms').execute()

  let legs = db.schema
    .createTable('legs')
    .addColumn('id', idType, (column) => column.primaryKey())
    .addColumn('call_id', idType, (column) => column.notNull().references('calls.id').onDelete('cascade'))
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('role', 'varchar(16)', (column) => column.notNull())
  legs = party(legs, 'party')
  await legs
    .addColumn('sip_call_id', 'text', (column) => column.notNull())
    .addColumn('transport', 'varchar(8)', (column) => column.notNull())
    .addColumn('remote', 'varchar(64)', (column) => column.notNull())
    .addColumn('label', 'text')
    .addColumn('started_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('answered_at_ms', 'bigint')
    .addColumn('ended_at_ms', 'bigint')
    .addColumn('codec', 'varchar(32)')
    .addColumn('sip_status', 'integer')
    .addColumn('digits', 'text', (column) => column.notNull())
    .addColumn('source', 'varchar(64)')
    .addColumn('packets_received', 'bigint')
    .addColumn('packets_lost', 'bigint')
    .addColumn('packets_sent', 'bigint')
    .addColumn('jitter_ms', 'double precision')
    .addColumn('search', 'text', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('legs_by_call').on('legs').columns(['call_id', 'position']).execute()

  await db.schema
    .createTable('traces')
    .addColumn('call_id', idType, (column) => column.notNull().references('calls.id').onDelete('cascade'))
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('direction', 'varchar(4)', (column) => column.notNull())
    .addColumn('transport', 'varchar(8)', (column) => column.notNull())
    .addColumn('local', 'varchar(64)', (column) => column.notNull())
    .addColumn('remote', 'varchar(64)', (column) => column.notNull())
    .addColumn('sip_call_id', 'text', (column) => column.notNull())
    .addColumn('summary', 'text', (column) => column.notNull())
    .addColumn('text', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('traces_key', ['call_id', 'position'])
    .execute()

  await db.schema
    .createTable('siprec_metadata')
    .addColumn('call_id', idType, (column) => column.notNull().references('calls.id').onDelete('cascade'))
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .addColumn('raw', 'text', (column) => column.notNull())
    .addColumn('problems', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('siprec_metadata_key', ['call_id', 'position'])
    .execute()

  await db.schema
    .createTable('life_signs')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('at_ms', 'bigint', (column) => column.notNull())
    .execute()
  await sql`insert into life_signs (id, at_ms) values (1, 0)`.execute(db)
}

async function createRecordings(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('recordings')
    .addColumn('id', idType, (column) => column.primaryKey())
    .addColumn('call_id', idType, (column) => column.notNull().references('calls.id').onDelete('cascade'))
    .addColumn('state', 'varchar(16)', (column) => column.notNull())
    .addColumn('started_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('duration_ms', 'bigint')
    .addColumn('failure_code', 'varchar(64)')
    .addColumn('failure_text', 'text')
    .execute()
  await db.schema.createIndex('recordings_by_start').on('recordings').columns(['started_at_ms', 'id']).execute()
  await db.schema.createIndex('recordings_by_call').on('recordings').column('call_id').execute()

  await db.schema
    .createTable('recording_files')
    .addColumn('recording_id', idType, (column) => column.notNull().references('recordings.id').onDelete('cascade'))
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('kind', 'varchar(16)', (column) => column.notNull())
    .addColumn('leg_id', idType)
    .addColumn('label', 'text')
    .addColumn('channels', 'integer', (column) => column.notNull())
    .addColumn('sample_rate_hz', 'integer', (column) => column.notNull())
    .addColumn('samples', 'bigint', (column) => column.notNull())
    .addColumn('bytes', 'bigint', (column) => column.notNull())
    .addColumn('started_at_ms', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('recording_files_key', ['recording_id', 'position'])
    .execute()

  await db.schema
    .createTable('participants')
    .addColumn('recording_id', idType, (column) => column.notNull().references('recordings.id').onDelete('cascade'))
    .addColumn('position', 'integer', (column) => column.notNull())
    .addColumn('uri', 'text')
    .addColumn('name', 'text')
    .addColumn('leg_id', idType)
    .addColumn('label', 'text')
    .addColumn('channel', 'integer')
    .addColumn('guessed', 'integer')
    .addPrimaryKeyConstraint('participants_key', ['recording_id', 'position'])
    .execute()
}

async function createAccounts(db: Kysely<unknown>): Promise<void> {
  await db.schema
    .createTable('extensions')
    .addColumn('number', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('display_name', 'text', (column) => column.notNull())
    .addColumn('realm', 'varchar(255)', (column) => column.notNull())
    .addColumn('ha1_md5', 'varchar(32)', (column) => column.notNull())
    .addColumn('ha1_sha256', 'varchar(64)', (column) => column.notNull())
    .addColumn('ring_seconds', 'integer', (column) => column.notNull())
    .addColumn('record', 'integer', (column) => column.notNull())
    .addColumn('max_contacts', 'integer', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('users')
    .addColumn('id', idType, (column) => column.primaryKey())
    .addColumn('name', 'varchar(64)', (column) => column.notNull().unique())
    .addColumn('password_hash', 'varchar(255)', (column) => column.notNull())
    .addColumn('role', 'varchar(16)', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .execute()

  await db.schema
    .createTable('api_keys')
    .addColumn('id', idType, (column) => column.primaryKey())
    .addColumn('name', 'varchar(100)', (column) => column.notNull())
    .addColumn('hash', 'varchar(64)', (column) => column.notNull().unique())
    .addColumn('role', 'varchar(16)', (column) => column.notNull())
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('last_used_at_ms', 'bigint')
    .execute()

  await db.schema
    .createTable('sessions')
    .addColumn('hash', 'varchar(64)', (column) => column.primaryKey())
    .addColumn('user_id', idType, (column) => column.notNull().references('users.id').onDelete('cascade'))
    .addColumn('expires_at_ms', 'bigint', (column) => column.notNull())
    .execute()
  await db.schema.createIndex('sessions_by_expiry').on('sessions').column('expires_at_ms').execute()
}
