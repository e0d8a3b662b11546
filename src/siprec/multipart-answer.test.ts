import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseMultipart } from '../sip/message/multipart.ts'
import { SiprecServer } from './server.ts'
import { FakeInvite, readRequest, World } from './test-support.ts'

const basic = readFileSync(
  join(import.meta.dirname, '..', '..', 'test', 'data', 'siprec', 'basic-two-streams.sip'),
  'latin1',
)

async function answerWith(multipartResponse: boolean) {
  const invite = new FakeInvite(readRequest(Buffer.from(basic, 'latin1')))
  const settings = { streamSilentMs: 0, askWhenSilentMs: 0, srtp: 'accepted', multipartResponse } as const
  new SiprecServer(new World().services, settings).handle(invite)
  return (await invite.final).answer
}

test('by MULTIPART_RESPONSE the answer has the description and a metadata document that says nothing', async () => {
  const { contentType, body } = await answerWith(true)
  const parts = parseMultipart(contentType ?? '', Buffer.from(String(body))) ?? []
  assert.deepEqual(
    parts.map((part) => [part.contentType.type, part.headers.get('Content-Disposition')]),
    [
      ['application/sdp', 'session;handling=required'],
      ['application/rs-metadata+xml', 'recording-session'],
    ],
  )
  assert.equal(
    Buffer.from(parts[0]?.body ?? [])
      .toString()
      .match(/^m=audio [1-9]/gm)?.length,
    2,
  )
})

test('without it the answer is the description alone, as RFC 7866 has it', async () => {
  const { contentType, body } = await answerWith(false)
  assert.equal(contentType, 'application/sdp')
  assert.match(String(body), /^v=0\r\n/)
})
