/** Who exists must not show in what it costs to refuse a guess. A server that does nothing else meanwhile. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerChallenge } from '../src/sip/auth/digest-client.ts'
import { callsMade } from './support/calls-made.ts'
import { startTestServer } from './support/in-process.ts'
import { Stranger } from './support/stranger.ts'

test('a known and an unknown user are refused by the same work: each function runs as often', async (t) => {
  const server = await startTestServer()
  t.after(() => server.close())
  const guesser = await Stranger.at('127.0.0.5', server.sip)
  t.after(() => guesser.close())
  const uri = `sip:${server.sip.ip}`
  const refuse = async (username: string) => {
    const from = `sip:${username}@${server.sip.ip}`
    const challenged = await guesser.ask({ method: 'REGISTER', uri, from })
    const challenges = challenged?.headers.all('WWW-Authenticate') ?? []
    const credentials = { username, password: 'a wrong password' }
    const Authorization = answerChallenge({ challenges, method: 'REGISTER', uri, credentials, nonceCount: 1 }) ?? ''
    return (await guesser.ask({ method: 'REGISTER', uri, from, headers: { Authorization } }))?.status
  }
  await server.passwordOf('111')
  const work: string[][] = []
  // The first of all finds things to make once. The sixth guess at 111 is not looked at any more: that must not show either.
  for (const number of ['998', '111', '999', '111', '999', '111', '111', '111', '111', '111', '999'])
    work.push(
      await callsMade(/\/src\/sip\/|\/gatekeeper\.ts$|\/directory\.ts$/, async () =>
        assert.equal(await refuse(number), 401),
      ),
    )
  const [, firstKnown = [], firstUnknown = [], laterKnown = [], ...later] = work
  assert.ok(firstKnown.some((call) => call.endsWith(' verify 1')) && firstKnown.length > 50, firstKnown.join('\n'))
  assert.deepEqual(firstUnknown, firstKnown)
  for (const calls of later) assert.deepEqual(calls, laterKnown)
})
