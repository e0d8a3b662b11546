/** The programs of docs/sip.md run as they stand there. */
import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { systemClock } from '../src/core/clock.ts'
import { silentLogger } from '../src/core/logger.ts'
import { createSipStack } from '../src/sip/stack.ts'

const docs = join(import.meta.dirname, '..', 'docs')
const programs = new Map(
  [...readFileSync(join(docs, 'sip.md'), 'utf8').matchAll(/^```ts (\S+)\n([\s\S]*?)^```$/gm)].map(([, name, code]) => [
    name,
    code,
  ]),
)
const children: ChildProcess[] = []
after(() => children.forEach((child) => child.kill()))

/** Start one; each call of the function it resolves with waits for the next line it prints. */
function run(name: string, env: Record<string, string> = {}) {
  const code = programs.get(name)
  assert.ok(code, `docs/sip.md has no ${name}`)
  // Imports of evaluated code are relative to the working folder.
  const child = spawn(process.execPath, ['--input-type=module-typescript', '--eval', code], {
    cwd: docs,
    env: { ...process.env, ...env },
    timeout: 20_000,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  children.push(child)
  let text = ''
  child.stdout.on('data', (data: Buffer) => (text += data.toString()))
  return async (): Promise<string> => {
    while (!text.includes('\n')) await once(child.stdout, 'data')
    const [line = '', ...rest] = text.split('\n')
    text = rest.join('\n')
    return line
  }
}

test('one program calls another, which answers; the BYE ends the call', async () => {
  const answering = run('answer.ts')
  const calling = run('call.ts', { CALLEE: await answering() })
  assert.equal(await calling(), 'answered')
  assert.equal(await answering(), 'ended by remote')
})

test('the registrar takes who knows the password', async () => {
  const password = 'for this test'
  const registrar = run('registrar.ts', { ALICE_PASSWORD: password })
  const uri = await registrar()
  const listen = [{ transport: 'udp', ip: '127.0.0.1', port: 0 }] as const
  const stack = await createSipStack({ clock: systemClock, log: silentLogger, listen })
  const register = (given: string) =>
    stack.request('REGISTER', {
      target: { uri },
      from: '<sip:alice@example>',
      to: '<sip:alice@example>',
      headers: { Contact: '<sip:alice@127.0.0.1:9>' },
      credentials: { username: 'alice', password: given },
    })
  try {
    assert.equal((await register('a guess')).status, 401)
    assert.equal((await register(password)).status, 200)
    assert.equal(await registrar(), 'registered <sip:alice@127.0.0.1:9>')
  } finally {
    await stack.close()
  }
})

test('a program registers there, and takes its registration away', async () => {
  const password = 'for this test'
  const registrar = run('registrar.ts', { ALICE_PASSWORD: password })
  const client = run('register.ts', { ALICE_PASSWORD: password, REGISTRAR: await registrar() })
  assert.match(await registrar(), /^registered <sip:alice@127\.0\.0\.1:\d+>$/)
  assert.deepEqual([await client(), await client()], ['registering', 'registered'])
  await registrar()
})

test('an event package is watched: what is so, and the change; leaving the loop ends the program', async () => {
  const telling = run('mood.ts')
  const watching = run('watch.ts', { WATCHED: await telling() })
  assert.equal(await watching(), 'calm')
  assert.equal(await watching(), 'cheerful')
})
