/** OPTIONS, by which session border controllers ask whether their recorder is there, and what it can. */
import assert from 'node:assert/strict'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { test } from 'node:test'
import { startTestServer } from './support/in-process.ts'

test('a recording client is told by OPTIONS what is read and supported here, without a password', async (t) => {
  const server = await startTestServer()
  t.after(() => server.close())
  const socket = createSocket('udp4')
  t.after(() => socket.close())
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  const { port } = socket.address()
  const request = [
    `OPTIONS sip:recorder@127.0.0.1:${server.sip.port} SIP/2.0`,
    `Via: SIP/2.0/UDP 127.0.0.1:${port};branch=z9hG4bKping;rport`,
    'Max-Forwards: 70',
    'From: <sip:ping@127.0.0.1>;tag=1',
    'To: <sip:recorder@127.0.0.1>',
    'Call-ID: siprec-ping',
    'CSeq: 1 OPTIONS',
    'Content-Length: 0',
    '',
    '',
  ].join('\r\n')
  const answered = once(socket, 'message')
  socket.send(request, server.sip.port, server.sip.ip)
  const [bytes] = (await answered) as [Buffer]
  const headers = new Map(
    bytes
      .toString('latin1')
      .split('\r\n')
      .slice(1)
      .map((line): [string, string] => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()]),
  )
  assert.match(bytes.toString('latin1'), /^SIP\/2\.0 200 /)
  const listed = (name: string): string[] => (headers.get(name) ?? '').split(',').map((one) => one.trim())
  for (const tag of ['replaces', 'siprec', 'norefersub']) assert.ok(listed('Supported').includes(tag), tag)
  for (const method of ['INVITE', 'UPDATE', 'BYE', 'OPTIONS']) assert.ok(listed('Allow').includes(method), method)
  for (const type of ['application/sdp', 'application/rs-metadata+xml', 'application/rs-metadata', 'multipart/mixed'])
    assert.ok(listed('Accept').includes(type), type)
})
