/** MESSAGE as the stack sends it (RFC 3428). */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Flow } from '../stack.types.ts'
import { assertNothingLeft, calleeIp, callerIp, pair } from './test-support.ts'

const text = (length: number) => ({
  from: `<sip:101@${callerIp}>`,
  to: `<sip:102@${calleeIp}>`,
  contentType: 'text/plain',
  body: 'x'.repeat(length),
})

test('a message is a request of its own; a long one goes by TCP (RFC 3428 §8)', async () => {
  const net = await pair()
  const came: string[] = []
  net.callee.on('request', (incoming) => {
    came.push(`${incoming.flow.transport} ${incoming.request.body.length}`)
    incoming.respond(200)
  })
  const target = { uri: `sip:102@${calleeIp}:5060` }
  const answers = [net.caller.message({ target, ...text(5) }), net.caller.message({ target, ...text(1_400) })]
  await net.run(100)
  assert.deepEqual(
    (await Promise.all(answers)).map(({ status }) => status),
    [200, 200],
  )
  assert.deepEqual(came, ['udp 5', 'tcp 1400'])
  await net.caller.close()
  await net.callee.close()
})

test('headers that a Contact asks for do not stand in the Request-URI (RFC 3261 §19.1.1)', async () => {
  const net = await pair()
  const came: string[] = []
  net.callee.on('request', (incoming) => {
    came.push(incoming.request.uri)
    incoming.respond(200)
  })
  const uri = `sip:102@${calleeIp}:5060;ob?Route=%3Csip:192.0.2.9%3E`
  const answer = net.caller.message({ target: { uri }, ...text(5) })
  await net.run(100)
  assert.equal((await answer).status, 200)
  assert.deepEqual(came, [`sip:102@${calleeIp}:5060;ob`])
  await net.caller.close()
  await net.callee.close()
})

test('a long message to a device that is known by datagrams alone is 513, and never sent (RFC 3428 §8)', async () => {
  const net = await pair()
  let flow: Flow | undefined
  let came = 0
  net.caller.on('request', (incoming) => incoming.respond(200))
  net.callee.on('request', (incoming) => {
    came++
    flow = incoming.flow
    incoming.respond(200)
  })
  void net.caller.message({ target: { uri: `sip:102@${calleeIp}:5060` }, ...text(5) })
  await net.run(20)
  assert.ok(flow)
  const target = { uri: `sip:101@${callerIp}:5060`, flow }
  const short = net.callee.message({ target, ...text(500) })
  const long = net.callee.message({ target, ...text(1_400) })
  await net.run(20)
  assert.equal((await short).status, 200)
  assert.equal((await long).status, 513)
  assert.equal(came, 1)
  await assertNothingLeft(net)
})
