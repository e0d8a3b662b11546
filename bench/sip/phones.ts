/**
 * A process of its own that is many phones, each of which registers: asked for its password every time, as a phone is
 * whose nonce has grown old since the last time.
 *
 *   registrations.ts  ── Round ─▶  here  ── REGISTER ─▶  server
 *                     ◀─ Went ───
 */
import type { Socket } from 'node:dgram'
import { until } from '../../test/support/until.ts'
import { pace } from './pace.ts'
import { authorization, benchIp, header, numberOf, openUdp, passwordOf, statusOf } from './wire.ts'

/** Each of the first `phones` registers or refreshes once. */
export interface Round {
  readonly phones: number
  /** Registrations a second. */
  readonly rate: number
}

export interface Went {
  readonly registered: number
  readonly refused: number
  readonly seconds: number
  readonly lateP99Ms: number
}

const [server] = JSON.parse(process.argv[2] ?? '[0]') as [number]
const uri = `sip:${benchIp}:${server}`
/** Phones share sockets: a process may not open 100,000. */
const sockets = await Promise.all(Array.from({ length: 50 }, () => openUdp((text) => hears(text))))
const giveUpMs = 5_000
let round = 0
let [registered, refused] = [0, 0]

process.on('message', (wanted: Round) => void drive(wanted).then((went) => process.send?.(went)))
process.send?.({})

async function drive({ phones, rate }: Round): Promise<Went> {
  round++
  registered = 0
  refused = 0
  const startMs = performance.now()
  const lateP99Ms = await pace(phones, rate, (phone) => register(phone, 1))
  const isOver = (): boolean => registered + refused >= phones
  await until('the answers', giveUpMs, isOver).catch(() => {})
  return { registered, refused, seconds: (performance.now() - startMs) / 1000, lateP99Ms }
}

function register(phone: number, attempt: number, more = ''): void {
  const number = numberOf(phone)
  const socket = sockets[phone % sockets.length] as Socket
  const { port } = socket.address()
  const aor = `<sip:${number}@pbx.example.com>`
  const text =
    `REGISTER ${uri} SIP/2.0\r\nVia: SIP/2.0/UDP ${benchIp}:${port};branch=z9hG4bK${round}.${attempt}.${phone};rport\r\n` +
    `From: ${aor};tag=t${phone}\r\nTo: ${aor}\r\nCall-ID: ${phone}\r\nCSeq: ${2 * round + attempt} REGISTER\r\nMax-Forwards: 70\r\n` +
    `Contact: <sip:${number}@${benchIp}:${port}>;+sip.instance="<urn:uuid:00000000-0000-1000-8000-0000${String(phone).padStart(8, '0')}>"\r\n` +
    `Expires: 3600\r\nUser-Agent: Softphone 4.2 (Linux)\r\n${more}Content-Length: 0\r\n\r\n`
  socket.send(Buffer.from(text, 'latin1'), server, benchIp)
}

function hears(text: string): void {
  const status = statusOf(text)
  if (status === 200) registered++
  else if (status !== 401 || !header(text, 'CSeq').startsWith(`${2 * round + 1} `)) refused++
  else {
    const phone = Number(header(text, 'Call-ID'))
    const username = numberOf(phone)
    register(phone, 2, authorization(text, 'REGISTER', uri, { username, password: passwordOf(username) }))
  }
}
