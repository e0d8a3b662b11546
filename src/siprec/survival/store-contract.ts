/** The contract of a session store, for the tests of each. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { SessionStore } from './store.ts'

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

/** @param open A store that is empty. */
export async function sessionStoreContract(context: TestContext, open: () => Promise<SessionStore>): Promise<void> {
  const store = await open()
  const kept = async () =>
    (await store.all())
      .map(({ id, sealed }) => `${id}=${Buffer.from(sealed).toString('latin1')}`)
      .toSorted((a, b) => a.localeCompare(b))

  await context.test('what is written is there, byte for byte', async () => {
    const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte)
    await store.write([{ id: 'bytes', sealed: everyByte }])
    const [found] = await store.all()
    assert.deepEqual(Uint8Array.from(found?.sealed ?? []), everyByte)
    await store.write([{ id: 'bytes', sealed: undefined }])
    assert.deepEqual(await kept(), [])
  })

  await context.test('the last word counts, and what is over is forgotten', async () => {
    await store.write([
      { id: 'a', sealed: bytes('1') },
      { id: 'b', sealed: bytes('1') },
    ])
    await store.write([
      { id: 'a', sealed: bytes('2') },
      { id: 'b', sealed: undefined },
      { id: 'never', sealed: undefined },
    ])
    assert.deepEqual(await kept(), ['a=2'])
  })

  await context.test('2,500 sessions go in one write', async () => {
    const many = Array.from({ length: 2_500 }, (_, number) => ({ id: `s${number}`, sealed: bytes(String(number)) }))
    await store.write(many)
    assert.equal((await store.all()).length, 2_501)
    await store.write(many.map(({ id }) => ({ id, sealed: undefined })))
    assert.deepEqual(await kept(), ['a=2'])
  })

  await context.test('it closes twice', async () => {
    await store.write([{ id: 'a', sealed: undefined }])
    await store.close()
    await store.close()
  })
}
