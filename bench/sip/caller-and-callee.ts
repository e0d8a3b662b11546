/**
 * A process of its own that is caller and callee of many calls at a fixed rate.
 *
 *   calls.ts, dialogs.ts  ── Run ─▶  here  ── SIP over two UDP sockets ─▶  server
 *                         ◀─ Ran ──
 *
 * Each call: INVITE (asked for a password, or not), 180, 200 with a description, ACK, a pause, BYE. Nothing is sent
 * again by it: a call that lost a message has failed. The callee registers when it has a password.
 */
import type { Socket } from 'node:dgram'
import { pace } from './pace.ts'
import {
  answer,
  authorization,
  benchIp,
  type Credentials,
  contactUri,
  header,
  methodOf,
  openUdp,
  statusOf,
} from './wire.ts'

/** Given as JSON in the first argument. */
export interface Peers {
  /** Where calls are sent. */
  readonly server: number
  /** The number that is called. */
  readonly dialled: string
  /** The caller answers challenges with it; without it a challenge is a failure. */
  readonly caller?: Credentials
  /** The callee registers with it. */
  readonly callee?: Credentials
  /** Agree to session timers of this length, which the server refreshes. */
  readonly sessionExpiresS?: number
}

export interface Run {
  readonly calls: number
  /** Calls a second. */
  readonly rate: number
  /** Between ACK and BYE; none: the calls stand until the process ends. */
  readonly holdMs?: number
}

export interface Ran {
  readonly answered: number
  readonly failed: number
  /** Messages of the server that came more than once. */
  readonly again: number
  /** From the INVITE that was let in to its 200. */
  readonly answerP50Ms: number
  readonly answerP99Ms: number
  /** How late calls were begun: a generator that is late measures itself. */
  readonly lateP99Ms: number
}

/** Said once by the child: it is ready, and the callee can be reached at this port. */
export interface Ready {
  readonly calleePort: number
}

interface Call {
  readonly id: string
  invitedAtMs: number
  seq: number
  answered: boolean
  ended: boolean
  /** Of the 200. */
  to: string
  target: string
}

const sdp = (port: number): string =>
  `v=0\r\no=- 1 1 IN IP4 ${benchIp}\r\ns=-\r\nc=IN IP4 ${benchIp}\r\nt=0 0\r\nm=audio ${port} RTP/AVP 8 0 101\r\n` +
  'a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\na=ptime:20\r\n'
/** Nobody listens there: no media flows. */
const offer = sdp(9)
const sdpType = 'Content-Type: application/sdp\r\n'

const peers = JSON.parse(process.argv[2] ?? '{}') as Peers
const serverUri = `sip:${benchIp}:${peers.server}`
let run = 0
let counted = newCount()
const calls = new Map<string, Call>()

const callerSocket = await openUdp((text) => callerHears(text))
const calleeSocket = await openUdp((text, port) => calleeHears(text, port))
const callerPort = callerSocket.address().port
const calleePort = calleeSocket.address().port
let registered = (): void => {}
if (peers.callee) await register(peers.callee)
process.send?.({ calleePort } satisfies Ready)
process.on('message', (wanted: Run) => void drive(wanted).then((ran) => process.send?.(ran)))

function newCount() {
  return {
    answered: 0,
    failed: 0,
    again: 0,
    open: 0,
    delaysMs: [] as number[],
    holdMs: undefined as number | undefined,
  }
}

function send(socket: Socket, text: string, port = peers.server): void {
  socket.send(Buffer.from(text, 'latin1'), port, benchIp)
}

async function drive({ calls: wanted, rate, holdMs }: Run): Promise<Ran> {
  run++
  counted = newCount()
  counted.holdMs = holdMs
  const lateP99Ms = await pace(wanted, rate, (number) => invite(newCall(`${run}-${number}-${process.pid}@bench`)))
  const giveUpAtMs = performance.now() + (holdMs ?? 0) + 5_000
  while (counted.open > 0 && performance.now() < giveUpAtMs) await new Promise((done) => setTimeout(done, 20))
  const delays = Float64Array.from(counted.delaysMs).sort()
  const at = (part: number): number =>
    delays[Math.min(delays.length - 1, Math.floor(delays.length * part))] ?? Number.NaN
  const { answered, failed, again, open } = counted
  return { answered, failed: failed + open, again, answerP50Ms: at(0.5), answerP99Ms: at(0.99), lateP99Ms }
}

function newCall(id: string): Call {
  const call = { id, invitedAtMs: 0, seq: 0, answered: false, ended: false, to: '', target: '' }
  calls.set(id, call)
  counted.open++
  return call
}

function request(call: Call, method: string, more = '', body = ''): string {
  const uri = call.target || `sip:${peers.dialled}@${benchIp}:${peers.server}`
  const to = call.to || `<sip:${peers.dialled}@${benchIp}>`
  const user = peers.caller?.username ?? 'caller'
  return (
    `${method} ${uri} SIP/2.0\r\nVia: SIP/2.0/UDP ${benchIp}:${callerPort};branch=z9hG4bK${method}${call.seq}${call.id};rport\r\n` +
    `From: "Bench" <sip:${user}@${benchIp}>;tag=c${call.id}\r\nTo: ${to}\r\nCall-ID: ${call.id}\r\nCSeq: ${call.seq} ${method}\r\n` +
    `Max-Forwards: 70\r\nContact: <sip:${user}@${benchIp}:${callerPort}>\r\nAllow: INVITE, ACK, BYE, CANCEL, OPTIONS, INFO, UPDATE\r\n` +
    `Supported: timer\r\nUser-Agent: Bench\r\n${more}Content-Length: ${body.length}\r\n\r\n${body}`
  )
}

function invite(call: Call, authorizationLine = ''): void {
  call.seq++
  call.invitedAtMs = performance.now()
  const timer = peers.sessionExpiresS ? `Session-Expires: ${peers.sessionExpiresS};refresher=uas\r\n` : ''
  send(callerSocket, request(call, 'INVITE', `${authorizationLine}${timer}${sdpType}`, offer))
}

function callerHears(text: string): void {
  const status = statusOf(text)
  const call = calls.get(header(text, 'Call-ID'))
  if (status === 0) return send(callerSocket, answer(text, '200 OK', 'x')) // a refresh, or a question whether we live
  if (!call || status < 200) return
  if (header(text, 'CSeq').endsWith('BYE')) return finish(call, status === 200)
  if (status === 200) return answered(call, text)
  call.to = header(text, 'To')
  send(callerSocket, request(call, 'ACK'))
  call.to = ''
  if (status !== 401 || !peers.caller || call.seq > 1) return finish(call, false)
  const uri = `sip:${peers.dialled}@${benchIp}:${peers.server}`
  invite(call, authorization(text, 'INVITE', uri, peers.caller))
}

function answered(call: Call, text: string): void {
  if (call.answered) counted.again++
  else counted.delaysMs.push(performance.now() - call.invitedAtMs)
  call.to = header(text, 'To')
  call.target = contactUri(text)
  send(callerSocket, request(call, 'ACK'))
  if (call.answered) return
  call.answered = true
  counted.answered++
  if (counted.holdMs === undefined) return void counted.open--
  setTimeout(() => {
    call.seq++
    send(callerSocket, request(call, 'BYE'))
  }, counted.holdMs)
}

function finish(call: Call, well: boolean): void {
  if (call.ended) return void counted.again++
  call.ended = true
  calls.delete(call.id)
  counted.open--
  if (!well) counted.failed++
}

function calleeHears(text: string, port: number): void {
  const status = statusOf(text)
  if (status === 401 && peers.callee) {
    return sendRegister(peers.callee, 2, authorization(text, 'REGISTER', serverUri, peers.callee))
  }
  if (status === 200) return registered()
  const method = methodOf(text)
  if (method === 'ACK') return
  if (method !== 'INVITE') return send(calleeSocket, answer(text, '200 OK', 'x'), port)
  const contact = `Contact: <sip:callee@${benchIp}:${calleePort}>\r\n`
  const tag = `d${header(text, 'Call-ID')}`
  const timer = peers.sessionExpiresS
    ? `Require: timer\r\nSession-Expires: ${peers.sessionExpiresS};refresher=uac\r\n`
    : ''
  send(calleeSocket, answer(text, '180 Ringing', tag, contact), port)
  send(
    calleeSocket,
    answer(text, '200 OK', tag, `${contact}Allow: INVITE, ACK, BYE, UPDATE\r\n${timer}${sdpType}`, offer),
    port,
  )
}

function register(credentials: Credentials): Promise<void> {
  return new Promise((done) => {
    registered = done
    sendRegister(credentials, 1)
  })
}

function sendRegister({ username }: Credentials, seq: number, more = ''): void {
  const contact = `<sip:${username}@${benchIp}:${calleePort}>`
  const aor = `<sip:${username}@${benchIp}>`
  send(
    calleeSocket,
    `REGISTER ${serverUri} SIP/2.0\r\nVia: SIP/2.0/UDP ${benchIp}:${calleePort};branch=z9hG4bKreg${seq};rport\r\n` +
      `From: ${aor};tag=r\r\nTo: ${aor}\r\nCall-ID: register-${process.pid}\r\nCSeq: ${seq} REGISTER\r\nMax-Forwards: 70\r\n` +
      `Contact: ${contact}\r\nExpires: 3600\r\n${more}Content-Length: 0\r\n\r\n`,
  )
}
