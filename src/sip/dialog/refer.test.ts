/** Reports of a REFER to who asked for them. RFC 3515 §2.4.4, RFC 6665 §4.2.2. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReferProgress } from './refer.ts'
import { assertNothingLeft, established } from './test-support.ts'

test('who answers a report with 481 gets no more of them, and the call goes on', async () => {
  const call = await established()
  const reports: string[] = []
  let progress: ReferProgress | undefined
  call.there.on('request', (incoming) => {
    progress = new ReferProgress(incoming, call.there, true)
  })
  call.here.on('request', (incoming) => {
    reports.push(Buffer.from(incoming.request.body).toString().trim())
    incoming.respond(reports.length === 2 ? 481 : 200)
  })
  const accepted = call.here.request('REFER', { headers: { 'Refer-To': '<sip:103@192.0.2.3>' } })
  await call.run(100)
  assert.equal((await accepted).status, 202)
  void progress?.report(180)
  await call.run(100)
  void progress?.report(200)
  await call.run(100)
  assert.deepEqual(reports, ['SIP/2.0 100 Trying', 'SIP/2.0 180 Ringing'])
  assert.equal(call.here.state, 'confirmed')
  void call.here.bye()
  await assertNothingLeft(call)
})
