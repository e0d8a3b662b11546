/** PUBLISH between two stacks: RFC 3903. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNothingLeft, calleeIp, callerIp, pair, turn } from '../dialog/test-support.ts'
import type { PublicationRules, PublishOptions } from './types.ts'

const publish = (more: Partial<PublishOptions> = {}): PublishOptions => ({
  target: { uri: `sip:102@${calleeIp}:5060` },
  from: `<sip:102@${callerIp}>`,
  to: `<sip:102@${calleeIp}>`,
  event: 'word',
  contentType: 'text/plain',
  body: 'here',
  ...more,
})

async function publishing(more: Partial<PublicationRules<string>> = {}) {
  const net = await pair()
  const changes: string[] = []
  const publications = net.callee.publications<string>({
    name: 'word',
    contentType: 'text/plain',
    admit: ({ uri }) => (uri.includes('102') ? { resource: '102', subscriber: '102' } : { status: 404 }),
    read: (body) => (body.length > 20 ? undefined : Buffer.from(body).toString()),
    changed: (resource) => changes.push(`${resource} ${publications.of(resource).join()}`),
    ...more,
  })
  return { ...net, changes, publications }
}

test('what is published is known until it is changed or taken back, and each change is told', async () => {
  const net = await publishing()
  const publication = net.caller.publish(publish())
  await net.run(50)
  assert.equal((await publication.outcome).status, 200)
  void publication.update('away')
  await net.run(50)
  const second = net.caller.publish(publish({ body: 'second' }))
  await net.run(50)
  assert.deepEqual(net.publications.of('102'), ['second', 'away'])
  void publication.close()
  void second.close()
  await net.run(50)
  assert.deepEqual(net.publications.of('102'), [])
  assert.deepEqual(net.changes, ['102 here', '102 away', '102 second,away', '102 second', '102 '])
  await assertNothingLeft(net)
})

test('it is refreshed without its body before it expires; what is not refreshed expires', async () => {
  const net = await publishing()
  const publication = net.caller.publish(publish({ expiresS: 120 }))
  await turn(net.clock, 1_000_000, 500)
  assert.deepEqual(net.publications.of('102'), ['here'])
  assert.deepEqual(net.changes, ['102 here'])
  net.network.plugged = false
  await turn(net.clock, 200_000, 500)
  assert.deepEqual(net.changes, ['102 here', '102 '])
  net.network.plugged = true
  await turn(net.clock, 300_000, 500)
  assert.deepEqual(net.publications.of('102'), ['here'], 'after a failure it is published anew')
  void publication.close()
  await assertNothingLeft(net)
})

test('what the other side lost (412) is published anew, and a term that is too short is lengthened (423)', async () => {
  const net = await publishing({ terms: { usual: 600, min: 300, max: 900 } })
  const publication = net.caller.publish(publish({ expiresS: 30 }))
  await net.run(100)
  assert.equal((await publication.outcome).headers.get('Expires'), '300')
  net.publications.drop('102')
  assert.deepEqual(net.publications.of('102'), [])
  await turn(net.clock, 300_000, 500)
  assert.deepEqual(net.publications.of('102'), ['here'])
  void publication.close()
  await assertNothingLeft(net)
})

test('refusals: another package, body type, resource, tag, and a body that cannot be read', async () => {
  const net = await publishing()
  const ask = async (more: Partial<PublishOptions>, headers = {}) => {
    const { target, from, to, body, contentType } = publish(more)
    const asked = net.caller.request('PUBLISH', {
      target,
      from,
      to,
      ...(body.length > 0 && { body, contentType }),
      headers: { Event: more.event ?? 'word', ...headers },
    })
    await net.run(50)
    return (await asked).status
  }
  assert.equal(await ask({ event: 'weather' }), 489)
  assert.equal(await ask({ contentType: 'text/html' }), 415)
  assert.equal(await ask({ target: { uri: `sip:9@${calleeIp}` } }), 404)
  assert.equal(await ask({}, { 'SIP-If-Match': 'unknown' }), 412)
  assert.equal(await ask({ body: 'x'.repeat(21) }), 400)
  assert.equal(await ask({ body: '' }), 400)
  assert.deepEqual(net.changes, [])
  await assertNothingLeft(net)
})

test('ten publications of a resource are kept, the oldest goes first', async () => {
  const net = await publishing()
  const all = Array.from({ length: 12 }, (_, n) => net.caller.publish(publish({ body: `w${n}` })))
  await net.run(100)
  assert.equal(net.publications.of('102').length, 10)
  assert.equal(net.publications.of('102').includes('w0'), false)
  for (const each of all) void each.close()
  await net.run(200)
  assert.deepEqual(net.publications.of('102'), [])
  await assertNothingLeft(net)
})
