/** Behind a reverse proxy that speaks HTTPS, as HTTP_TRUSTED_PROXIES says. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestServer } from './support/in-process.ts'

const signIn = async (url: string) => {
  const headers = { 'content-type': 'application/json', 'x-forwarded-proto': 'https' }
  const body = JSON.stringify({ name: 'admin', password: 'admin-for-tests-only' })
  const answer = await fetch(`${url}/api/login`, { method: 'POST', headers, body })
  assert.equal(answer.status, 200)
  return answer.headers.get('set-cookie') ?? ''
}

test('a trusted proxy that speaks HTTPS makes the cookie one for HTTPS, anybody else does not', async (t) => {
  const trusting = await startTestServer({ 'http.trustedProxies': '127.0.0.0/8' })
  t.after(() => trusting.close())
  assert.match(await signIn(trusting.running.url), /; Secure/)
  const trustingNobody = await startTestServer()
  t.after(() => trustingNobody.close())
  assert.doesNotMatch(await signIn(trustingNobody.running.url), /; Secure/)
})
