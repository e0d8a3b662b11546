/** What each store of running sessions does: that of memory here, SQLite; Redis in test/interop/redis.interop.ts. */
import { test } from 'node:test'
import { silentLogger } from '../../core/logger.ts'
import { openDatabase } from '../../database/open.ts'
import { MemorySessions } from './store.ts'
import { sessionStoreContract } from './store-contract.ts'

test('memory', (context) => sessionStoreContract(context, () => Promise.resolve(new MemorySessions())))

test('SQLite', async (context) => {
  const database = await openDatabase({ path: ':memory:', log: silentLogger })
  context.after(() => database.close())
  await sessionStoreContract(context, () => Promise.resolve(database.siprecSessions))
})
