/** A subscriber and a notifier of ours, together: RFC 6665. What odd peers do stands in peers.test.ts. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNothingLeft, calleeIp, nothing, turn } from '../dialog/test-support.ts'
import type { Flow } from '../stack.types.ts'
import { TcpFlow } from '../transport/tcp-flow.ts'
import { watch, wordSubscription, wordsPackage, wordsPair } from './test-support.ts'
import type { EventPackage } from './types.ts'

test('a subscriber is told what is so, and each change; closing it tells the notifier and brings a last word', async () => {
  const net = await wordsPair()
  const { subscription, seen } = watch(net.caller)
  await net.run(100)
  assert.deepEqual(seen, ['active 0::idle'])
  net.say('102', 'ringing')
  await net.run(1_500)
  assert.deepEqual(seen.slice(1), ['active 1:idle:ringing'])
  assert.equal(net.notifier.count, 1)
  void subscription.close()
  await net.run(100)
  assert.deepEqual(seen.slice(2), ['terminated timeout 2::ringing', 'end'])
  assert.deepEqual(await subscription.ended, { by: 'local' })
  assert.equal(net.notifier.count, 0)
  await assertNothingLeft(net)
})

test('a burst of changes becomes one NOTIFY, which tells the last of them', async () => {
  const net = await wordsPair()
  const { subscription, seen } = watch(net.caller)
  await net.run(2_000)
  for (const word of ['a', 'b', 'c', 'd']) {
    net.say('102', word)
    await net.run(50)
  }
  assert.deepEqual(seen, ['active 0::idle', 'active 1:idle:a'])
  await net.run(1_000)
  assert.deepEqual(seen.slice(2), ['active 2:a:d'])
  void subscription.close()
  await assertNothingLeft(net)
})

test('it refreshes itself in time and is told everything again', async () => {
  const net = await wordsPair()
  const { subscription, seen } = watch(net.caller, { expiresS: 600 })
  await turn(net.clock, 3 * 3_600_000, 1_000)
  assert.ok(seen.length >= 18 && seen.every((told) => /^active \d+::idle$/.test(told)), seen.join())
  assert.equal(net.notifier.count, 1)
  void subscription.close()
  await assertNothingLeft(net)
})

test('who does not refresh is told that its time is over', async () => {
  const net = await wordsPair()
  const { seen } = watch(net.caller, { expiresS: 60 })
  await net.run(100)
  net.network.plugged = false
  net.clock.advance(25_000)
  await net.caller.close()
  net.network.plugged = true
  net.clock.advance(40_000)
  await turn(net.clock, 33_000, 100)
  assert.deepEqual(seen.slice(0, 1), ['active 0::idle'])
  assert.equal(net.notifier.count, 0)
  assert.deepEqual(net.callee.counts(), nothing)
})

test('with Expires 0 it asks once: one NOTIFY, and nothing is subscribed (RFC 6665 §4.4.3)', async () => {
  const net = await wordsPair()
  const { subscription, seen } = watch(net.caller, { expiresS: 0 })
  await net.run(100)
  assert.deepEqual(seen, ['terminated timeout 0::idle', 'end'])
  assert.deepEqual(await subscription.ended, { by: 'local' })
  await assertNothingLeft(net)
})

test('a term that is too short is asked for again as long as it must be (423)', async () => {
  const net = await wordsPair({}, { terms: { usual: 600, min: 300, max: 900 } })
  const { subscription, seen } = watch(net.caller, { expiresS: 10 })
  await net.run(100)
  assert.deepEqual(seen, ['active 0::idle'])
  void subscription.close()
  await assertNothingLeft(net)
})

test('a refusal is thrown with the response that says why: unknown package, resource, body type', async () => {
  const net = await wordsPair()
  const ask = async (more: object) => {
    const subscription = net.caller.subscribe(wordSubscription(more))
    await net.run(100)
    const end = await subscription.ended
    assert.ok(end.by === 'refused')
    await assert.rejects(subscription[Symbol.asyncIterator]().next(), { code: 'sip.subscription-refused' })
    return [end.response.status, end.response.headers.get('Allow-Events') ?? end.response.headers.get('Accept')]
  }
  assert.deepEqual(await ask({ event: 'weather' }), [489, 'word'])
  assert.deepEqual(await ask({ target: { uri: `sip:999@${calleeIp}:5060` } }), [404, undefined])
  assert.deepEqual(await ask({ accept: ['application/xml'] }), [406, 'text/plain'])
  await assertNothingLeft(net)
})

test('nobody there: the subscription is refused by 408 after 32 s', async () => {
  const net = await wordsPair()
  net.network.plugged = false
  const { subscription, seen } = watch(net.caller)
  await turn(net.clock, 33_000, 100)
  const end = await subscription.ended
  assert.ok(end.by === 'refused' && end.response.status === 408)
  assert.deepEqual(seen, ['threw sip.subscription-refused'])
  await assertNothingLeft(net)
})

test('a notifier that lost it, or ends it for a while, is subscribed to anew; one that means it is not (RFC 6665 §4.1.3)', async () => {
  const net = await wordsPair()
  const { subscription, seen } = watch(net.caller, { expiresS: 600 })
  await net.run(100)
  net.notifier.end({ resource: '102' }, 'deactivated')
  await net.run(100)
  assert.deepEqual(seen.splice(0), ['active 0::idle', 'terminated deactivated 1::idle', 'active 0::idle'])
  net.notifier.end({ subscriber: 'a' }, 'probation')
  await turn(net.clock, 30_000, 100)
  assert.deepEqual(seen.splice(0), ['terminated probation 1::idle'])
  await turn(net.clock, 40_000, 100)
  assert.deepEqual(seen.splice(0), ['active 0::idle'])
  net.notifier.end({ resource: '102' }, 'noresource')
  await net.run(100)
  assert.deepEqual(seen, ['terminated noresource 1::idle', 'end'])
  assert.deepEqual(await subscription.ended, { by: 'remote', reason: 'noresource' })
  await assertNothingLeft(net)
})

test('after a notifier started anew the next refresh, answered 481, starts the subscription anew', async () => {
  const net = await wordsPair()
  const { seen, subscription } = watch(net.caller, { expiresS: 600 })
  await net.run(100)
  await net.callee.close()
  const again = await net.stack(calleeIp)
  const notifier = again.notifier(wordsPackage(new Map([['102', 'back']])))
  await turn(net.clock, 600_000, 100)
  assert.equal(seen.at(-1), 'active 0::back')
  assert.equal(notifier.count, 1)
  void subscription.close()
  await turn(net.clock, 40_000, 100)
  assert.deepEqual(again.counts(), nothing)
})

test('leaving the loop unsubscribes, and so does the signal, even before the first answer', async () => {
  const net = await wordsPair()
  const subscription = net.caller.subscribe(wordSubscription())
  const reading = (async () => {
    for await (const _ of subscription) break
  })()
  await net.run(200)
  await reading
  assert.equal(net.notifier.count, 0)
  const controller = new AbortController()
  const { seen } = watch(net.caller, { signal: controller.signal })
  controller.abort()
  await net.run(500)
  assert.equal(net.notifier.count, 0)
  assert.equal(seen.at(-1), 'end')
  await assertNothingLeft(net)
})

test('the signal ends the loop at once, though nobody answers the goodbye', async () => {
  const net = await wordsPair()
  const controller = new AbortController()
  const target = { uri: 'sip:102@192.0.2.77:5060' }
  const { seen } = watch(net.caller, { target, signal: controller.signal })
  await net.run(200)
  assert.deepEqual(seen, [])
  controller.abort()
  await net.run(1)
  assert.deepEqual(seen, ['end'])
  await turn(net.clock, 40_000, 100)
  await assertNothingLeft(net)
})

test('a subscriber that does not answer is forgotten after 32 s', async () => {
  const net = await wordsPair()
  watch(net.caller)
  await net.run(100)
  await net.caller.close()
  net.say('102', 'ringing')
  await turn(net.clock, 33_000, 100)
  assert.equal(net.notifier.count, 0)
  await net.run(10_000)
  assert.deepEqual(net.callee.counts(), nothing)
  assert.equal(net.clock.pendingTimers, 0)
})

test('a package that fails to write ends the subscription, and nothing else', async () => {
  const net = await wordsPair(
    {},
    {
      write: (word) => {
        if (word === 'broken') throw new Error('broken')
        return word
      },
    },
  )
  watch(net.caller)
  await net.run(2_000)
  net.say('102', 'broken')
  await net.run(100)
  assert.equal(net.notifier.count, 0)
  await net.caller.close()
  await net.callee.close()
})

test('limits: so many for a subscriber, a source and in all; one more is 503', async () => {
  for (const limits of [{ total: 3 }, { perSource: 3 }, { perSubscriber: 3 }]) {
    const net = await wordsPair({ callee: { subscriptionLimits: limits } })
    const watches = Array.from({ length: 5 }, () => watch(net.caller))
    await net.run(100)
    assert.equal(net.notifier.count, 3)
    const ends = watches.slice(3).map(({ subscription }) => subscription.ended)
    assert.deepEqual(
      (await Promise.all(ends)).map((end) => end.by === 'refused' && end.response.status),
      [503, 503],
    )
    void watches[0]?.subscription.close()
    await net.run(100)
    const { seen } = watch(net.caller)
    await net.run(100)
    assert.deepEqual(seen, ['active 0::idle'])
    await net.caller.close()
    await net.callee.close()
  }
})

test('a slow reader loses old notifications and is told everything anew', async () => {
  const net = await wordsPair({}, { spacingMs: 0 })
  const subscription = net.caller.subscribe(wordSubscription())
  await net.run(50)
  for (let n = 0; n < 150; n++) {
    net.say('102', `w${n}`)
    await net.run(20)
  }
  await net.run(200)
  const seen: string[] = []
  const reading = (async () => {
    for await (const { body } of subscription) seen.push(Buffer.from(body).toString())
  })()
  void subscription.close()
  await net.run(200)
  await reading
  assert.ok(seen.length <= 101)
  assert.ok(
    seen.some((told) => /^\d+::w\d+$/.test(told)),
    'a full state is among what is left',
  )
  assert.match(seen.at(-1) ?? '', /::w149$/)
  await assertNothingLeft(net)
})

test('when the connection goes the subscription is refreshed over another one, so that no change is missed', async () => {
  const flows: Flow[] = []
  const admit: EventPackage<string>['admit'] = (_request, flow) => {
    flows.push(flow)
    return { resource: '102', subscriber: 'a' }
  }
  const net = await wordsPair({}, { admit })
  const { seen, subscription } = watch(net.caller, { target: { uri: `sip:102@${calleeIp}:5060;transport=tcp` } })
  await net.run(100)
  const [flow] = flows
  assert.ok(flow instanceof TcpFlow)
  flow.close()
  await net.run(100)
  net.say('102', 'ringing')
  await net.run(1_500)
  assert.deepEqual(seen, ['active 0::idle', 'active 1::idle', 'active 2:idle:ringing'])
  void subscription.close()
  await net.run(100)
  await net.caller.close()
  await net.callee.close()
})

test('closing the stack ends its subscriptions and publications, wherever they stand', async () => {
  const net = await wordsPair()
  const { seen } = watch(net.caller)
  await net.run(100)
  net.notifier.end({}, 'probation')
  await net.run(100)
  const second = watch(net.caller)
  await net.run(100)
  net.network.plugged = false
  const third = watch(net.caller)
  await net.caller.close()
  await net.callee.close()
  await net.run(100)
  assert.deepEqual([seen.at(-1), second.seen.at(-1), third.seen.at(-1)], ['end', 'end', 'end'])
  await net.run(10)
  assert.equal(net.clock.pendingTimers, 0)
})
