import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SipMessageQuery } from '../deps.ts'
import { startApi } from '../test-support.ts'

const message = {
  atMs: 1_000,
  direction: 'in',
  transport: 'udp',
  local: '192.0.2.2:5060',
  remote: '192.0.2.1:5060',
  sipCallId: 'x',
  summary: 'REGISTER sip:x SIP/2.0',
  text: 'REGISTER sip:x SIP/2.0\r\n\r\n',
} as const

test('an admin is given the latest messages by address, Call-ID or words, as JSON and as files', async (t) => {
  const asked: SipMessageQuery[] = []
  const { app, as } = await startApi(t, {
    sipMessages: (query) => {
      asked.push(query)
      return [message]
    },
  })
  const headers = await as('admin')
  const json = await app.inject({
    url: '/api/sip/messages?sipCallId=x&address=192.0.2.1&search=REGISTER&limit=9',
    headers,
  })
  assert.deepEqual(json.json(), { items: [message] })
  const pcap = await app.inject({ url: '/api/sip/messages.pcap', headers })
  assert.equal(pcap.headers['content-disposition'], 'attachment; filename="sip-messages.pcap"')
  assert.ok(pcap.rawPayload.includes('REGISTER sip:x'))
  assert.match((await app.inject({ url: '/api/sip/messages.txt', headers })).body, /REGISTER sip:x/)
  assert.deepEqual(asked, [
    { sipCallId: 'x', address: '192.0.2.1', search: 'REGISTER', limit: 9 },
    { limit: 500 },
    { limit: 500 },
  ])
  assert.equal((await app.inject({ url: '/api/sip/messages', headers: await as('viewer') })).statusCode, 403)
})
