/**
 * SIP by string handling alone, for load generators: they must cost less than what they measure.
 *
 * Only for the messages of our own stack: header names as it writes them, one value a line, no folding.
 */
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { answerChallenge } from '../../src/sip/auth/digest-client.ts'

export const benchIp = '127.0.0.1'

export interface Credentials {
  readonly username: string
  readonly password: string
}

/** Of the phones of registrations.ts, from 0. */
export const numberOf = (phone: number): string => String(1_000_000 + phone)
export const passwordOf = (number: string): string => `password-of-${number}`

/** The first value of that header, or an empty text. */
export function header(text: string, name: string): string {
  const at = text.indexOf(`\r\n${name}: `)
  if (at < 0) return ''
  const from = at + name.length + 4
  return text.slice(from, text.indexOf('\r\n', from))
}

/** All lines of that header, each with its line end. */
export function lines(text: string, name: string): string {
  let found = ''
  const start = `\r\n${name}: `
  for (let at = text.indexOf(start); at >= 0; at = text.indexOf(start, at + 2)) {
    found += text.slice(at + 2, text.indexOf('\r\n', at + 2) + 2)
  }
  return found
}

/** The status of a response; 0 for a request. */
export const statusOf = (text: string): number => (text.startsWith('SIP/2.0 ') ? Number(text.slice(8, 12)) : 0)

export const methodOf = (text: string): string => text.slice(0, text.indexOf(' '))

/** What stands between `<` and `>` of the Contact. */
export const contactUri = (text: string): string => /<([^>]+)>/.exec(header(text, 'Contact'))?.[1] ?? ''

/** The answer to a request with what RFC 3261 §8.2.6 has it copy. `tag` is added to a To that has none. */
export function answer(request: string, status: string, tag: string, more = '', body = ''): string {
  const to = header(request, 'To')
  const withTag = to.includes(';tag=') ? to : `${to};tag=${tag}`
  return (
    `SIP/2.0 ${status}\r\n${lines(request, 'Via')}From: ${header(request, 'From')}\r\nTo: ${withTag}\r\n` +
    `Call-ID: ${header(request, 'Call-ID')}\r\nCSeq: ${header(request, 'CSeq')}\r\n` +
    `${more}Content-Length: ${body.length}\r\n\r\n${body}`
  )
}

/** The Authorization line for a 401, with its line end. */
export function authorization(challenge: string, method: string, uri: string, credentials: Credentials): string {
  const challenges = lines(challenge, 'WWW-Authenticate')
    .split('\r\n')
    .map((line) => line.slice('WWW-Authenticate: '.length))
  const value = answerChallenge({ challenges, method, uri, credentials, nonceCount: 1 })
  if (value === undefined) throw new Error(`cannot answer ${challenges.join()}`)
  return `Authorization: ${value}\r\n`
}

/** A bound socket; each datagram is handed on as text. */
export async function openUdp(received: (text: string, port: number) => void): Promise<Socket> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 4 << 20, lookup: numeric })
  socket.on('message', (bytes, from) => received(bytes.toString('latin1'), from.port))
  const listening = once(socket, 'listening') // before bind: it comes at once
  socket.bind(0, benchIp)
  await listening
  return socket
}

const numeric = (ip: string, _options: unknown, found: (error: null, address: string, family: number) => void): void =>
  found(null, ip, 4)
