/** REFER as who asks: RFC 3515. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReferProgress } from '../dialog/refer.ts'
import { assertNothingLeft, calleeIp, callerIp, established, pair } from '../dialog/test-support.ts'
import type { Referral } from './types.ts'

const referTo = 'sip:103@192.0.2.3'

function reportsOf(referral: Referral): string[] {
  const reports: string[] = []
  void (async () => {
    for await (const { status, reason } of referral) reports.push(`${status} ${reason}`)
    reports.push('end')
  })()
  return reports
}

test('inside a call: the answer, each report, and the final one', async () => {
  const net = await established()
  const asked: string[] = []
  net.there.on('request', (incoming) => {
    const { method, headers } = incoming.request
    asked.push(`${method} ${headers.get('Refer-To')} ${headers.get('Referred-By')} ${headers.has('Contact')}`)
    const progress = new ReferProgress(incoming, net.there, true)
    void progress.report(180).then(() => progress.report(200))
  })
  const referral = net.caller.refer({ dialog: net.here, referTo, referredBy: '<sip:101@pbx>' })
  const reports = reportsOf(referral)
  await net.run(100)
  assert.deepEqual(asked, [`REFER <${referTo}> <sip:101@pbx> true`])
  assert.equal((await referral.answered).status, 202)
  assert.deepEqual(await referral.outcome, { status: 200, reason: 'OK' })
  assert.deepEqual(reports, ['100 Trying', '180 Ringing', '200 OK', 'end'])
  void net.here.bye()
  await assertNothingLeft(net)
})

test('two at a time inside a call are told apart by the number of their REFER', async () => {
  const net = await established()
  let count = 0
  net.there.on('request', (incoming) => {
    const progress = new ReferProgress(incoming, net.there, false)
    const status = count++ === 0 ? 486 : 200
    void progress.report(status, 'Done')
  })
  const referrals = [1, 2].map(() => net.caller.refer({ dialog: net.here, referTo }))
  const reports = referrals.map(reportsOf)
  await net.run(200)
  const outcomes = await Promise.all(referrals.map(({ outcome }) => outcome))
  assert.deepEqual(
    outcomes.map((outcome) => outcome?.status),
    [486, 200],
  )
  assert.deepEqual(reports, [
    ['100 Trying', '486 Done', 'end'],
    ['100 Trying', '200 Done', 'end'],
  ])
  void net.here.bye()
  await assertNothingLeft(net)
})

test('refused, without reports, aborted, or the call ends first: the reports end without an outcome', async () => {
  const net = await established()
  let status = 603
  net.there.on('request', (incoming) => {
    incoming.respond(status, status === 200 ? { headers: { 'Refer-Sub': 'false' } } : {})
  })
  const ask = async (more: { signal?: AbortSignal } = {}, then: () => void = () => {}) => {
    const referral = net.caller.refer({ dialog: net.here, referTo, ...more })
    const reports = reportsOf(referral)
    await net.run(50)
    then()
    await net.run(50)
    assert.deepEqual(reports, ['end'])
    assert.equal(await referral.outcome, undefined)
    return (await referral.answered).status
  }
  assert.equal(await ask(), 603)
  status = 200
  assert.equal(await ask(), 200)
  status = 202
  const controller = new AbortController()
  assert.equal(await ask({ signal: controller.signal }, () => controller.abort()), 202)
  assert.equal(await ask({}, () => void net.here.bye()), 202)
  await assertNothingLeft(net)
})

test('outside a call the REFER makes the dialog in which it is reported', async () => {
  const net = await pair()
  const told: string[] = []
  net.callee.on('request', (incoming) => {
    const { request } = incoming
    told.push(`${request.method} ${request.headers.get('Refer-To')} ${request.headers.get('Accept')}`)
    const toTag = 'refer'
    incoming.respond(202)
    const notify = (state: string, body: string, cseq: number) =>
      net.callee.request('NOTIFY', {
        target: { uri: `sip:101@${callerIp}:5060` },
        from: '<sip:102@x>',
        to: request.headers.get('From') ?? '',
        callId: request.headers.get('Call-ID') ?? '',
        cseq,
        headers: { Event: 'refer', 'Subscription-State': state, Contact: `<sip:${toTag}@${calleeIp}>` },
        contentType: 'message/sipfrag;version=2.0',
        body,
      })
    void notify('terminated;reason=noresource', 'SIP/2.0 404 Not Found\r\n', 1)
  })
  const options = {
    target: { uri: `sip:102@${calleeIp}:5060` },
    from: `<sip:101@${callerIp}>`,
    to: `<sip:102@${calleeIp}>`,
  }
  const referral = net.caller.refer({ ...options, referTo })
  const reports = reportsOf(referral)
  await net.run(200)
  assert.deepEqual(told, [`REFER <${referTo}> message/sipfrag`])
  assert.equal((await referral.answered).status, 202)
  assert.deepEqual(await referral.outcome, { status: 404, reason: 'Not Found' })
  assert.deepEqual(reports, ['404 Not Found', 'end'])

  const nobody = await pair()
  const refused = nobody.caller.refer({ ...options, referTo })
  await nobody.run(200)
  assert.equal((await refused.answered).status, 501)
  assert.equal(await refused.outcome, undefined)
  await assertNothingLeft(net)
  await assertNothingLeft(nobody)
})
