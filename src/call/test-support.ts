/** A server with one kind of call, a caller and two devices on a network in memory, with a clock that a test turns. */
import assert from 'node:assert/strict'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { FactBus } from '../events/bus.ts'
import type { Fact, Party } from '../events/catalogue.ts'
import { FakeMedia } from '../media/test-support.ts'
import type { MediaPlane } from '../media/types.ts'
import { MemoryNetwork } from '../net/memory-network.ts'
import { turn } from '../sip/dialog/test-support.ts'
import { createSipStack } from '../sip/stack.ts'
import type { Dialog, IncomingInvite, InviteOptions, OutgoingInvite, SipStack } from '../sip/stack.types.ts'
import { Call, type DialOptions } from './call.ts'
import { type CodecRules, usualRules } from './codec-rules.ts'
import type { Destination } from './fork.types.ts'
import { LiveCalls } from './live-calls.ts'
import type { CallServices } from './services.ts'
import { type Taker, takePlace } from './take-place.ts'

export const serverIp = '192.0.2.1'
export const callerIp = '192.0.2.11'
export const deviceIps = ['192.0.2.21', '192.0.2.22']
export const to102 = { uri: 'sip:102@pbx', extension: '102' }

const destinations: readonly Destination[] = deviceIps.map((ip) => ({
  target: { uri: `sip:102@${ip}:5060` },
  party: to102,
}))

export const sdp = (ip: string, formats = '0 8 101', direction = 'sendrecv'): string =>
  [
    'v=0',
    `o=- 1 1 IN IP4 ${ip}`,
    's=-',
    `c=IN IP4 ${ip}`,
    't=0 0',
    `m=audio 4000 RTP/AVP ${formats}`,
    ...(formats.includes('101') ? ['a=rtpmap:101 telephone-event/8000'] : []),
    `a=${direction}`,
    '',
  ].join('\r\n')

export const description = (text: string) => ({ contentType: 'application/sdp', body: text })

/** What a device did with the INVITE it got. */
export interface Device {
  invite?: IncomingInvite
  dialog?: Dialog
  reason?: string | undefined
}

export class CallWorld {
  readonly clock: FakeClock
  readonly media = new FakeMedia()
  readonly live = new LiveCalls()
  readonly facts: Fact[] = []
  readonly recorded: string[] = []
  /** When a recording that was stopped is on disk. */
  stored: Promise<void> = Promise.resolve()
  readonly calls: Call[] = []
  readonly server: SipStack
  readonly caller: SipStack
  readonly devices: readonly SipStack[]
  /** What the dialplan would ask for, beside two devices that ring for 30 s and are recorded. */
  dialOptions: Partial<DialOptions> = {}
  /** What the settings say of codecs, where it is not the usual. */
  codecs: Partial<CodecRules> = {}
  /** Who asks for a place by Replaces. */
  taker: Taker = { party: { uri: 'sip:103@pbx', extension: '103' }, mayTake: () => true }
  callerParty: Party = { uri: 'sip:101@pbx', extension: '101', name: 'Alice' }

  /** @param plane Where media live, when packets are to flow. */
  static async open(plane?: MediaPlane): Promise<CallWorld> {
    const clock = new FakeClock()
    const network = new MemoryNetwork({ clock })
    const stackAt = (ip: string): Promise<SipStack> =>
      createSipStack({
        clock,
        log: silentLogger,
        network,
        listen: [{ transport: 'udp', ip, port: 5060 }],
        supported: ['replaces'],
      })
    const [server, caller, ...devices] = await Promise.all([serverIp, callerIp, ...deviceIps].map(stackAt))
    assert.ok(server && caller)
    return new CallWorld(clock, server, caller, devices, plane)
  }

  private constructor(
    clock: FakeClock,
    server: SipStack,
    caller: SipStack,
    devices: readonly SipStack[],
    plane?: MediaPlane,
  ) {
    this.clock = clock
    this.server = server
    this.caller = caller
    this.devices = devices
    const shared = this.#services(plane ?? this.media)
    server.on('invite', (invite) => {
      const services = { ...shared, codecs: { ...usualRules, ...this.codecs } }
      if (invite.request.headers.has('Replaces')) {
        void takePlace(invite, this.taker, this.live)
        return
      }
      const call = new Call(invite, { from: this.callerParty, to: to102 }, services)
      this.calls.push(call)
      void call.dial({ destinations, ringMs: 30_000, record: true, recordingName: 'talk', ...this.dialOptions })
    })
  }

  #services(media: MediaPlane): CallServices {
    const { clock, server, live, recorded } = this
    const bus = new FactBus()
    bus.onAny((fact) => this.facts.push(fact))
    return {
      clock,
      log: silentLogger,
      stack: server,
      media,
      bus,
      live,
      recorder: {
        start: ({ name, tracks }) => {
          recorded.push(`${name}: ${tracks.map(({ role }) => role).join(', ')}`)
          return {
            addTrack: ({ role }) => void recorded.push(`+ ${role}`),
            endTrack: (legId) => void recorded.push(`- ${legId}`),
            stop: () => {
              recorded.push('stopped')
              return this.stored
            },
          }
        },
      },
      advertisedIp: () => serverIp,
      messages: () => [],
      rtpTimeoutMs: 0,
      holdMusic: [{ builtIn: 'music' }],
      srtp: 'accepted',
      codecs: usualRules,
    }
  }

  /** The caller calls 102. */
  call(more: Partial<InviteOptions> = {}): OutgoingInvite & { readonly ringing: number[] } {
    const ringing: number[] = []
    const invite = this.caller.invite({
      target: { uri: `sip:102@${serverIp}:5060` },
      from: `<sip:101@${callerIp}>`,
      to: `<sip:102@${serverIp}>`,
      ...description(sdp(callerIp)),
      onProvisional: ({ status }) => ringing.push(status),
      ...more,
    })
    return Object.assign(invite, { ringing })
  }

  device(index: number, behave: (invite: IncomingInvite, seen: Device) => void): Device {
    const seen: Device = {}
    this.devices[index]?.on('invite', (invite) => {
      seen.invite = invite
      behave(invite, seen)
    })
    return seen
  }

  answers(index: number, afterMs = 100, formats?: string): Device {
    return this.device(index, (invite, seen) => {
      invite.ring(180)
      this.clock.after(afterMs, () => {
        if (invite.cancelled.aborted) return
        seen.dialog = invite.answer(description(sdp(deviceIps[index] ?? '', formats)))
      })
    })
  }

  rings(index: number): Device {
    return this.device(index, (invite) => invite.ring(180))
  }

  refuses(index: number, status: number): Device {
    return this.device(index, (invite) => invite.reject(status))
  }

  told(name: Fact['name']): Fact[] {
    return this.facts.filter((fact) => fact.name === name)
  }

  /** The reason told when the call ended. */
  endedAs(): string | undefined {
    const [fact] = this.told('call.ended')
    return fact?.name === 'call.ended' ? fact.reason : undefined
  }

  /** Everything that calls open is closed again: dialogs, transactions, ports, timers. */
  async nothingIsLeft(calls = 1): Promise<void> {
    await turn(this.clock, 70_000, 500)
    for (const stack of [this.server, this.caller, ...this.devices])
      assert.deepEqual(stack.counts(), { dialogs: 0, transactions: 0, connections: 0 })
    assert.equal(this.live.size, 0)
    assert.ok(this.media.ports.every(({ closed }) => closed))
    assert.equal(this.clock.pendingTimers, 0)
    assert.equal(this.told('call.ended').length, calls)
    assert.equal(this.told('call.traced').length, calls)
    assert.equal(this.told('leg.started').length, this.told('leg.ended').length)
  }
}
