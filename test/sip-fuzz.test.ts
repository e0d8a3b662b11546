/**
 * Hostile bytes: the fuzz corpus, what the fuzzer found, a short run of it, and inputs made to cost time.
 *
 * What must hold for each of them stands in tools/fuzz/targets.ts. `npm run fuzz` looks for more.
 */
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { limits } from '../src/sip/message/frame.ts'
import { chanceFrom } from '../tools/fuzz/chance.ts'
import { Fuzzer, problemWith } from '../tools/fuzz/fuzzer.ts'
import { mutate } from '../tools/fuzz/mutate.ts'
import { checkMessage, fuzzCorpus, targets, tortureMessages } from '../tools/fuzz/targets.ts'

const foundFolder = join(import.meta.dirname, 'data/fuzz/found')

test('the fuzz corpus is read or refused, and never throws', () => {
  const counts = { ok: 0, answered: 0, dropped: 0 }
  for (const bytes of fuzzCorpus()) {
    const result = checkMessage(bytes)
    if (result.ok) counts.ok++
    else if (result.problem.partial) counts.answered++
    else counts.dropped++
  }

  assert.equal(counts.ok + counts.answered + counts.dropped, 600)
  assert.ok(counts.ok > 100 && counts.answered > 50 && counts.dropped > 20, JSON.stringify(counts))
})

test('3,000 damaged messages from one seed neither throw nor read two ways', () => {
  const chance = chanceFrom(20_260_101)
  const seeds = tortureMessages()
  for (let round = 0; round < 3_000; round++) {
    const bytes = mutate(chance.pick(seeds), seeds, chance)
    try {
      checkMessage(bytes)
    } catch (cause) {
      throw new Error(`round ${round}: ${bytes.toString('base64')}`, { cause })
    }
  }
})

for (const target of targets) {
  test(`1,000 texts of the grammar of ${target.name}, whole and damaged, break nothing`, () => {
    const fuzzer = new Fuzzer(target, 4_475)
    for (let step = 0; step < 1_000; step++) {
      const finding = fuzzer.step()
      assert.equal(finding, undefined, `${finding?.why}: ${finding?.input.toString('base64')}`)
    }
  })

  const found = readdirSync(foundFolder).filter((name) => name.replace(/-[0-9a-f]+\.bin$/, '') === target.name)
  test(`what broke ${target.name} once does so no more: ${found.length} inputs`, () => {
    for (const name of found) assert.equal(problemWith(target, readFileSync(join(foundFolder, name))), undefined, name)
  })
}

test('random bytes are refused', () => {
  const { below } = chanceFrom(7)
  for (let round = 0; round < 300; round++) {
    const bytes = Buffer.from(Array.from({ length: below(400) }, () => below(256)))
    assert.equal(checkMessage(bytes).ok, false)
  }
})

test('64 KiB made to cost time costs less than a second of CPU', () => {
  const head =
    'INVITE sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP a\r\nFrom: <sip:a@b>\r\nTo: <sip:b@b>\r\nCall-ID: 1\r\nCSeq: 1 INVITE\r\n'
  const room = limits.messageBytes - head.length - 100
  const line = (name: string, piece: string) => {
    const value = piece.repeat(Math.floor((limits.lineChars - 200) / piece.length))
    return `${name}: ${value}\r\n`.repeat(Math.floor(room / (limits.lineChars - 100)))
  }
  const fill = (piece: string) => piece.repeat(Math.floor(room / piece.length))
  const hostile: [string, string][] = [
    ['spaces in the start line', `INVITE ${' '.repeat(limits.lineChars - 100)}x\r\n${head}`],
    ['empty folds', `${head}Subject:\r\n${fill(' \r\n')}\r\n`],
    ['line feeds in blanks', `${head}${fill('X: \r\n\t')}\r\n`],
    ['commas', `${head}${line('Contact', ',')}\r\n`],
    ['semicolons', `${head}${line('Contact', ';a=b')}\r\n`],
    ['quotes', `${head}${line('Contact', '"\\" ')}\r\n`],
    ['open brackets', `${head}${line('Contact', '<sip:a@b')}\r\n`],
    ['percents', `${head}${line('Contact', '<sip:%41%FF@b>,')}\r\n`],
    ['blanks in a Via', `${head}${line('Via', 'SIP  /  2.0  /  ')}\r\n`],
    ['routes', `${head}${line('Route', '<sip:a;lr>,')}\r\n`],
    ['tokens', `${head}${line('Require', 'a,')}\r\n`],
    ['digest', `${head}${line('Authorization', 'Digest a="\\"", ')}\r\n`],
    ['dashes', `${head}Content-Type: multipart/mixed;boundary=----\r\n\r\n${fill('-')}`],
    ['boundaries', `${head}Content-Type: multipart/mixed;boundary=b\r\n\r\n${fill('--b\r\n')}`],
    [
      'nested boundaries',
      `${head}Content-Type: multipart/mixed;boundary=b\r\n\r\n${fill('--b\r\nc: multipart/mixed;boundary=b\r\n\r\n')}`,
    ],
    ['SDP attributes', `${head}\r\nv=0\r\no=- 1 1 IN IP4 1.2.3.4\r\n${fill('a=rtpmap:0 x/8000\r\n')}`],
    ['SDP streams', `${head}\r\nv=0\r\no=- 1 1 IN IP4 1.2.3.4\r\n${fill('m=audio 1 RTP/AVP 0\r\n')}`],
    ['SDP formats', `${head}\r\nv=0\r\no=- 1 1 IN IP4 1.2.3.4\r\nm=audio 1 RTP/AVP${fill(' 0')}\r\n`],
  ]

  for (const [what, text] of hostile) {
    assert.ok(text.length <= limits.messageBytes && text.length > 8_000, `${what}: ${text.length}`)
    const before = process.cpuUsage()
    checkMessage(Buffer.from(text))
    const { user, system } = process.cpuUsage(before)
    assert.ok(user + system < 1_000_000, `${what}: ${(user + system) / 1_000} ms`)
  }
})
