/** Finding calls by a part of what they are known by. */
import { type ExpressionBuilder, type ExpressionWrapper, type SqlBool, sql } from 'kysely'
import { hasKeyLike } from './call-keys.ts'
import type { Tables } from './tables.ts'

/** The call's parties, a leg's party or SIP Call-ID, or a key of the call contain the text. */
export function matches(
  eb: ExpressionBuilder<Tables, 'calls'>,
  search: string,
): ExpressionWrapper<Tables, 'calls', SqlBool> {
  const pattern = `%${search.toLowerCase().replaceAll(/[!%_]/g, (special) => `!${special}`)}%`
  const leg = eb
    .selectFrom('legs')
    .select(sql.lit(1).as('one'))
    .whereRef('legs.call_id', '=', 'calls.id')
    .where(sql<SqlBool>`${sql.ref('legs.search')} like ${pattern} escape '!'`)
  const own = sql<SqlBool>`${sql.ref('calls.search')} like ${pattern} escape '!'`
  return eb.or([own, eb.exists(leg), hasKeyLike(eb, pattern)])
}
