/**
 * Recording clients as their makers ship them (test/data/siprec/vendors): each is accepted, the right caller is on the
 * right channel after every message, guesses are marked, and what the client tells of its own is kept.
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { FactOf } from '../../events/catalogue.ts'
import type { VendorFacts } from '../../events/siprec.ts'
import type { SipRequest } from '../../sip/message/types.ts'
import { type Dialect, dialectNames, refusedIn } from '../peers/dialects.ts'
import { SiprecServer } from '../server.ts'
import { FakeInvite, readRequest, World } from '../test-support.ts'
import { metadataOf } from './from-request.ts'
import { People } from './people.ts'

const folder = join(import.meta.dirname, '..', '..', '..', 'test', 'data', 'siprec', 'vendors')

interface After {
  /** Addresses by channel; null: nobody is on it. */
  readonly channels: readonly (string | null)[]
  /** Labels by channel, where the order is not that of the SDP. */
  readonly order?: readonly string[]
  /** Also on the first channel: guessed, unless `said`. */
  readonly also?: readonly string[]
  readonly said?: boolean
}

interface Case {
  readonly name: string
  readonly what: string
  readonly messages: number
  readonly after: readonly After[]
  readonly vendor?: Partial<VendorFacts>
  /** Its metadata has a fault. */
  readonly problems?: boolean
  /** The strictest that takes it. */
  readonly dialect: Dialect
}

const cases = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as readonly Case[]

const strictestFor = (invite: SipRequest) => dialectNames.find((dialect) => refusedIn(dialect, invite).length === 0)

const message = (name: string) =>
  readRequest(Buffer.from(readFileSync(join(folder, `${name}.sip`), 'latin1').replace('@TOTAG@', 'ours'), 'latin1'))

for (const { name, what, messages, after, vendor, problems, dialect } of cases) {
  test(`${name}: ${what}`, async () => {
    const world = new World()
    const invite = new FakeInvite(message(messages === 1 ? name : `${name}.1`))
    assert.equal(strictestFor(invite.request), dialect)
    new SiprecServer(world.services, { streamSilentMs: 0, askWhenSilentMs: 0, srtp: 'accepted' }).handle(invite)
    assert.equal((await invite.final).status, 200)
    check(world, after[0])

    for (let number = 2; number <= messages; number++) {
      const answer = await invite.dialog.receive(message(`${name}.${number}`))
      assert.equal(answer.status, 200)
      check(world, after[number - 1])
    }
    const told = lastTold(world)
    for (const [key, value] of Object.entries(vendor ?? {}))
      assert.deepEqual(told.vendor?.[key as keyof VendorFacts], value, key)
    assert.doesNotMatch(JSON.stringify(told.vendor ?? {}), /not to be kept/)
    assert.equal(told.problems.length > 0, problems === true, told.problems[0])
  })
}

const addresses = (people: FactOf<'siprec.metadata-updated'>['participants']) => people.map(({ uri }) => uri)

function check(world: World, expected: After | undefined): void {
  assert.ok(expected)
  const { participants } = lastTold(world)
  const recording = world.recordings.started[0]
  const order = recording?.who?.channelOrder ?? []
  const said = (legId: string) => participants.filter((person) => person.legId === legId && !person.guessed)
  const guessed = (legId: string) => participants.filter((person) => person.legId === legId && person.guessed)

  for (const [channel, uri] of expected.channels.entries()) {
    const legId = order[channel] ?? ''
    const also: readonly string[] = channel === 0 ? (expected.also ?? []) : []
    const first: readonly string[] = uri === null ? [] : [uri]
    assert.deepEqual(addresses(said(legId)), expected.said ? [...first, ...also] : first)
    assert.deepEqual(addresses(guessed(legId)), expected.said ? [] : also)
  }
  assert.equal(order.length, expected.channels.length)
  if (!expected.order) return
  const labels = order.map((legId) => recording?.tracks.find((track) => track.legId === legId)?.label)
  assert.deepEqual(labels, expected.order)
}

function lastTold(world: World): FactOf<'siprec.metadata-updated'> {
  const told = world.told('siprec.metadata-updated').at(-1)
  assert.ok(told)
  return told
}

test('cisco-bib: the phone sends two calls without an offer; the one of the near end has the agent, the other the far end', () => {
  for (const [end, there, elsewhere] of [
    ['nearend', 'sip:2000@192.0.2.20', 'sip:1000@192.0.2.20'],
    ['farend', 'sip:1000@192.0.2.20', 'sip:2000@192.0.2.20'],
  ] as const) {
    const invite = message(`cisco-bib-${end}`)
    assert.equal(strictestFor(invite), 'network')
    const document = metadataOf(invite, undefined)
    assert.ok(document)
    const people = new People(invite)
    people.merge(document)
    const { now } = people.on([{ legId: 'voice' }], 0)
    assert.deepEqual(
      now.filter(({ legId }) => legId === 'voice'),
      [{ uri: there, legId: 'voice' }],
    )
    assert.deepEqual(
      now.filter(({ legId }) => legId === undefined),
      [{ uri: elsewhere }],
    )
    assert.equal(people.vendor?.type, 'cisco')
    assert.equal(people.vendor?.ciscoRefci, '27298698')
  }
})
