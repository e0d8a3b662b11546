/** Two parties with video or fax: the signalling on a network in memory, the packets through the real media plane. */
import assert from 'node:assert/strict'
import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { silentLogger } from '../core/logger.ts'
import { createMediaPlane } from '../media/plane.ts'
import type { MediaPlane } from '../media/types.ts'
import { parseSdp } from '../sdp/parse.ts'
import { answerProblems } from '../sdp/rules.ts'
import type { SdpMedia, SessionDescription } from '../sdp/types.ts'
import { turn } from '../sip/dialog/test-support.ts'
import { sessionDescriptionOf } from '../sip/message/multipart.ts'
import type { SipMessage, SipResponse } from '../sip/message/types.ts'
import type { Dialog } from '../sip/stack.types.ts'
import { CallWorld, description } from './test-support.ts'

/** Two ports side by side, for RTP and RTCP. */
export interface Sockets {
  readonly rtp: Socket
  readonly rtcp: Socket
  readonly port: number
}

export interface Connected {
  readonly aliceDialog: Dialog
  readonly bobDialog: Dialog
  /** What Bob was offered, and what Alice was answered. */
  readonly offered: SessionDescription
  readonly answered: SessionDescription
}

export class StreamWorld {
  readonly world: CallWorld
  readonly plane: MediaPlane
  readonly alice: Sockets
  readonly bob: Sockets
  readonly #opened: Socket[]

  /** Bob is the device that Alice rings. */
  static async open(): Promise<StreamWorld> {
    const opened: Socket[] = []
    const { port } = await boundPair(opened)
    const portMin = Math.min(port + 10, 65_000) & ~1
    const plane = await createMediaPlane(
      { workers: 1, bindIp: '127.0.0.1', portMin, portMax: portMin + 79 },
      { log: silentLogger },
    )
    const world = await CallWorld.open(plane)
    world.dialOptions = { destinations: [bobsPhone] }
    return new StreamWorld(world, plane, [await boundPair(opened), await boundPair(opened)], opened)
  }

  private constructor(
    world: CallWorld,
    plane: MediaPlane,
    [alice, bob]: readonly [Sockets, Sockets],
    opened: Socket[],
  ) {
    this.world = world
    this.plane = plane
    this.alice = alice
    this.bob = bob
    this.#opened = opened
  }

  async close(): Promise<void> {
    for (const socket of this.#opened.splice(0)) socket.close()
    await this.plane.close()
  }

  sockets(): Promise<Sockets> {
    return boundPair(this.#opened)
  }

  /** The call's clock stands still unless turned, the media plane's runs by itself. */
  async until<Value>(promise: Promise<Value>): Promise<Value> {
    const waiting = Symbol('waiting')
    for (let rounds = 0; rounds < 4_000; rounds++) {
      await turn(this.world.clock, 5)
      const next = new Promise<typeof waiting>((resolve) => setImmediate(() => resolve(waiting)))
      const first = await Promise.race([promise, next])
      if (first !== waiting) return promise
    }
    throw new Error('nothing came of it')
  }

  async connect(offer: string, answer: string | ((offered: SessionDescription) => string)): Promise<Connected> {
    const device = this.world.device(0, (invite, seen) => {
      const body = typeof answer === 'string' ? answer : answer(read(invite.request))
      seen.dialog = invite.answer(description(body))
    })
    const outcome = await this.until(this.world.call(description(offer)).outcome)
    assert.ok(outcome.answered, `${outcome.response.status}`)
    assert.ok(device.dialog)
    const answered = read(outcome.response)
    assert.deepEqual(answerProblems(parsed(offer), answered), [])
    return { aliceDialog: outcome.dialog, bobDialog: device.dialog, offered: read(device.invite?.request), answered }
  }

  /** Re-INVITE with this offer; the answer fits it. */
  async reoffer(dialog: Dialog, offer: string): Promise<SipResponse> {
    const response = await this.until(dialog.request('INVITE', description(offer)))
    if (response.status === 200) assert.deepEqual(answerProblems(parsed(offer), read(response)), [])
    return response
  }
}

export const bobsPhone = { target: { uri: 'sip:102@192.0.2.21:5060' }, party: { uri: 'sip:102@pbx' } }

async function boundPair(opened: Socket[]): Promise<Sockets> {
  for (;;) {
    const rtp = await bound(0, opened)
    const port = rtp?.address().port ?? 0
    const rtcp = port % 2 === 0 ? await bound(port + 1, opened) : undefined
    if (rtp && rtcp) return { rtp, rtcp, port }
  }
}

async function bound(port: number, opened: Socket[]): Promise<Socket | undefined> {
  const socket = createSocket('udp4')
  try {
    socket.bind(port, '127.0.0.1')
    await once(socket, 'listening')
    opened.push(socket)
    return socket
  } catch {
    socket.close()
    return undefined
  }
}

export const sdp = (version: number, ...lines: string[]): string =>
  ['v=0', `o=- 1 ${version} IN IP4 127.0.0.1`, 's=-', 'c=IN IP4 127.0.0.1', 't=0 0', ...lines, ''].join('\r\n')

export const fax = ({ port }: Sockets): string[] => [
  `m=image ${port} udptl t38`,
  'a=T38FaxVersion:0',
  'a=T38FaxUdpEC:t38UDPRedundancy',
]

export function parsed(text: string): SessionDescription {
  const found = parseSdp(text)
  assert.ok(found.ok)
  return found.description
}

export function read(message: SipMessage | undefined): SessionDescription {
  const described = message && sessionDescriptionOf(message)
  assert.ok(typeof described === 'object', 'there is no description')
  return parsed(described.sdp)
}

export const lines = ({ media }: SessionDescription): string[] =>
  media.map(({ type, port, protocol }) => `${type} ${port === 0 ? 'off' : 'on'} ${protocol}`)

export const attributes = (media: SdpMedia | undefined): string[] =>
  media?.attributes.map(({ name, value }) => (value === undefined ? name : `${name}:${value}`)) ?? []

/** Send to this port until it comes out at the other socket: the first may be sent before the plane knows where to. */
export async function arrives(from: Socket, port: number, to: Socket, next: () => Uint8Array): Promise<Buffer> {
  const heard = once(to, 'message')
  const timer = setInterval(() => from.send(next(), port, '127.0.0.1'), 5)
  try {
    const [bytes] = await heard
    assert.ok(Buffer.isBuffer(bytes))
    return bytes
  } finally {
    clearInterval(timer)
  }
}
