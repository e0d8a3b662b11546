/** Video by SRTP and fax beside encrypted audio: real packets through whole calls, each side by keys of its own. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, test } from 'node:test'
import type { SrtpMode, SrtpSuite } from '../core/srtp.ts'
import { printRtp } from '../rtp/packet.ts'
import { SrtpReceiver, SrtpSender } from '../rtp/srtp.ts'
import { cryptoAttribute, newSrtpKey, usableCryptos } from '../sdp/crypto.ts'
import { reofferProblems } from '../sdp/rules.ts'
import type { SdpMedia, SessionDescription } from '../sdp/types.ts'
import type { Dialog } from '../sip/stack.types.ts'
import {
  arrives,
  attributes,
  bobsPhone,
  fax,
  lines,
  read,
  type Sockets,
  StreamWorld,
  sdp,
} from './streams-test-support.ts'
import { description } from './test-support.ts'

let streams: StreamWorld
let alice: Sockets
let bob: Sockets

beforeEach(async () => {
  streams = await StreamWorld.open()
  ;({ alice, bob } = streams)
})

afterEach(() => streams.close())

const usualSuite = 'AES_CM_128_HMAC_SHA1_80'
const audio = 'm=audio 4000 RTP/AVP 0'

/** What one party encrypts a stream with, and what it learned of ours. */
class Keys {
  readonly #key
  readonly #sender: SrtpSender
  #receiver: SrtpReceiver | undefined
  /** Ours, in base64. */
  ours = ''

  constructor(suite: SrtpSuite = usualSuite) {
    this.#key = newSrtpKey(suite)
    this.#sender = new SrtpSender(this.#key)
  }

  line(tag = 1): string {
    return `a=crypto:${cryptoAttribute({ tag, key: this.#key }).value}`
  }

  /** Our answer names the one line that was offered. */
  heard(media: SdpMedia | undefined): this {
    assert.ok(media)
    const [line, ...more] = usableCryptos(media)
    assert.ok(line && more.length === 0)
    assert.equal(line.key.suite, this.#key.suite)
    this.#learn(line.key)
    return this
  }

  /** The line that answers the one of our offer that has this suite. */
  answer(offered: SdpMedia | undefined): string {
    assert.ok(offered)
    const line = usableCryptos(offered).find(({ key }) => key.suite === this.#key.suite)
    assert.ok(line)
    this.#learn(line.key)
    return this.line(line.tag)
  }

  #learn(key: Parameters<typeof cryptoAttribute>[0]['key']): void {
    const text = Buffer.from(key.master).toString('base64')
    if (text !== this.ours) this.#receiver = new SrtpReceiver(key, this.#receiver)
    this.ours = text
  }

  seal(kind: 'rtp' | 'rtcp', plain: Uint8Array): Uint8Array {
    const sealed = kind === 'rtp' ? this.#sender.rtp(plain, 0, plain.length) : this.#sender.rtcp(plain)
    assert.ok(sealed)
    return sealed
  }

  open(kind: 'rtp' | 'rtcp', bytes: Uint8Array): Uint8Array | undefined {
    return this.#receiver?.[kind](bytes)
  }
}

/** One party of a stream: where it is, where it sends to, how. */
interface End {
  readonly at: Sockets
  readonly port: number | undefined
  readonly keys?: Keys
}

let sequence = 0
const picture = (number: number): Uint8Array =>
  printRtp(
    { ssrc: 7, sequence: number, timestamp: number * 3000, marker: true, payloadType: 96 },
    Uint8Array.from({ length: 900 }, (_, i) => (i * 7 + number) & 0xff),
  )
/** RFC 4585 §6.3.1 */
const pictureLoss = Uint8Array.of(0x81, 206, 0, 2, 0, 0, 0, 9, 0, 0, 0, 7)

/** A packet of video comes out as it went in, and a report of a lost picture. */
async function crosses(from: End, to: End): Promise<void> {
  const packet = await arrives(from.at.rtp, from.port ?? 0, to.at.rtp, () => {
    const plain = picture(++sequence)
    return from.keys ? from.keys.seal('rtp', plain) : plain
  })
  const clear = to.keys ? to.keys.open('rtp', packet) : packet
  assert.ok(clear, 'it could not be decrypted')
  assert.deepEqual(Uint8Array.from(clear), picture(((clear[2] ?? 0) << 8) | (clear[3] ?? 0)))
  const report = await arrives(from.at.rtcp, (from.port ?? 0) + 1, to.at.rtcp, () =>
    from.keys ? from.keys.seal('rtcp', pictureLoss) : pictureLoss,
  )
  assert.deepEqual(Uint8Array.from((to.keys ? to.keys.open('rtcp', report) : report) ?? []), pictureLoss)
}

/** As phones and browsers write them. */
const codecs: Readonly<Record<string, readonly string[]>> = {
  H264: ['a=rtpmap:96 H264/90000', 'a=fmtp:96 profile-level-id=42801F;packetization-mode=1;max-br=2000'],
  VP8: ['a=rtpmap:96 VP8/90000', 'a=fmtp:96 max-fr=30;max-fs=3600', 'a=imageattr:96 send * recv [x=1280,y=720]'],
  H265: [
    'a=rtpmap:96 H265/90000',
    'a=fmtp:96 profile-id=1;level-id=93;tx-mode=SRST;sprop-vps=QAEMAf//AWAAAAMAsAAAAw==',
  ],
  AV1: ['a=rtpmap:96 AV1/90000', 'a=fmtp:96 level-idx=5;profile=0;tier=0', 'a=extmap:3 urn:ietf:params:rtp-hdrext:av1'],
}
const feedback = ['a=rtcp-fb:96 nack', 'a=rtcp-fb:96 nack pli', 'a=rtcp-fb:96 ccm fir', 'a=rtcp-fb:96 goog-remb']

const video = ({ port }: Sockets, protocol: string, ...more: string[]): string[] => [
  `m=video ${port} ${protocol} 96`,
  ...(codecs.H264 ?? []),
  ...feedback,
  ...more,
]

const bobHas = (srtp: SrtpMode): void => {
  streams.world.dialOptions = { ...streams.world.dialOptions, destinations: [{ ...bobsPhone, srtp }] }
}
const aliceHas = (callerSrtp: SrtpMode): void => {
  streams.world.dialOptions = { ...streams.world.dialOptions, callerSrtp }
}

const certificate = (setup: string): string[] => [
  `a=fingerprint:sha-256 ${Array(32).fill('AB').join(':')}`,
  `a=setup:${setup}`,
]

const withoutKeys = (media: SdpMedia | undefined): string[] =>
  attributes(media).filter((each) => !each.startsWith('crypto:'))
const cryptosIn = ({ media }: SessionDescription): number[] => media.map((each) => usableCryptos(each).length)

for (const [name, said] of Object.entries(codecs))
  test(`${name} encrypted on one side and plain on the other: names and parameters cross untouched, packets both ways`, async () => {
    const hers = new Keys()
    const of = ({ port }: Sockets, protocol: string): string[] => [
      `m=video ${port} ${protocol} 96`,
      ...said,
      ...feedback,
    ]
    const { offered, answered } = await streams.connect(
      sdp(1, audio, ...of(alice, 'RTP/SAVPF'), hers.line(4)),
      sdp(1, audio, ...of(bob, 'RTP/AVPF')),
    )
    assert.deepEqual(lines(offered), ['audio on RTP/AVP', 'video on RTP/AVPF'])
    assert.deepEqual(lines(answered), ['audio on RTP/AVP', 'video on RTP/SAVPF'])
    const expected = [...said, ...feedback].map((line) => line.slice(2))
    assert.deepEqual(attributes(offered.media[1]), [...expected, 'sendrecv'])
    assert.deepEqual(withoutKeys(answered.media[1]), [...expected, 'sendrecv'])
    assert.match(attributes(answered.media[1]).at(-1) ?? '', /^crypto:4 /)
    const one = { at: alice, port: answered.media[1]?.port, keys: hers.heard(answered.media[1]) }
    const other = { at: bob, port: offered.media[1]?.port }
    await crosses(one, other)
    await crosses(other, one)
  })

test('video encrypted on both sides, by another suite and other keys on each', async () => {
  bobHas('optional')
  const [hers, his, hisVoice] = [new Keys(), new Keys('AEAD_AES_256_GCM'), new Keys()]
  const { offered, answered } = await streams.connect(
    sdp(1, audio, ...video(alice, 'RTP/SAVP', hers.line())),
    ({ media }) => sdp(1, audio, hisVoice.answer(media[0]), ...video(bob, 'RTP/AVP', his.answer(media[1]))),
  )
  assert.deepEqual(lines(offered), ['audio on RTP/AVP', 'video on RTP/AVP'])
  assert.deepEqual(cryptosIn(offered), [3, 3])
  assert.notEqual(hisVoice.ours, his.ours)
  const one = { at: alice, port: answered.media[1]?.port, keys: hers.heard(answered.media[1]) }
  const other = { at: bob, port: offered.media[1]?.port, keys: his }
  assert.notEqual(hers.ours, his.ours)
  await crosses(one, other)
  await crosses(other, one)
})

test('each mode offers video as it offers audio', async () => {
  for (const [mode, protocol, keys] of [
    ['none', 'RTP/AVPF', 0],
    ['accepted', 'RTP/AVPF', 0],
    ['optional', 'RTP/AVPF', 3],
    ['mandatory', 'RTP/SAVPF', 3],
  ] as const) {
    bobHas(mode)
    const device = streams.world.rings(0)
    void streams.world.call(description(sdp(1, audio, ...video(alice, 'RTP/AVPF'))))
    await streams.until(new Promise<void>((resolve) => streams.world.devices[0]?.on('invite', () => resolve())))
    const offered = read(device.invite?.request)
    assert.deepEqual([lines(offered)[1], cryptosIn(offered)[1]], [`video on ${protocol}`, keys], mode)
  }
})

for (const [why, mode] of [
  ['the audio must be encrypted', 'mandatory'],
  ['the audio is', 'accepted'],
] as const)
  test(`video without keys is refused by port 0 where ${why}, and the other side is not asked`, async () => {
    aliceHas(mode)
    const voice = new Keys()
    const offer = sdp(1, audio.replace('AVP', 'SAVP'), voice.line(), ...video(alice, 'RTP/AVPF'))
    const { aliceDialog, bobDialog, offered, answered } = await streams.connect(offer, sdp(1, audio))
    assert.deepEqual(lines(offered), ['audio on RTP/AVP'])
    assert.deepEqual(lines(answered), ['audio on RTP/SAVP', 'video off RTP/AVPF'])
    bobDialog.on('request', () => assert.fail('the other side was asked'))
    const again = read(await streams.reoffer(aliceDialog, offer))
    assert.deepEqual(lines(again), ['audio on RTP/SAVP', 'video off RTP/AVPF'])
    assert.equal((await streams.plane.stats())[0]?.ports, 2)
  })

for (const protocol of ['RTP/SAVPF', 'UDP/TLS/RTP/SAVPF'])
  test(`video over ${protocol} without keys in the description, a browser's too, is refused by port 0`, async () => {
    const offer = sdp(1, ...certificate('actpass'), audio, ...video(alice, protocol))
    const { offered, answered } = await streams.connect(offer, sdp(1, audio))
    assert.deepEqual(lines(offered), ['audio on RTP/AVP'])
    assert.deepEqual(lines(answered)[1], `video off ${protocol}`)
  })

test('who answers in plain what must be encrypted is not heard, and the caller is refused', async () => {
  bobHas('mandatory')
  const hisVoice = new Keys()
  const { offered, answered } = await streams.connect(sdp(1, audio, ...video(alice, 'RTP/AVPF')), ({ media }) =>
    sdp(1, audio.replace('AVP', 'SAVP'), hisVoice.answer(media[0]), ...video(bob, 'RTP/SAVPF')),
  )
  assert.deepEqual(lines(answered), ['audio on RTP/AVP', 'video off RTP/AVPF'])
  alice.rtp.on('message', () => assert.fail('she was sent something'))
  for (let i = 0; i < 5; i++) {
    bob.rtp.send(picture(i), offered.media[1]?.port ?? 0, '127.0.0.1')
    await streams.plane.stats()
  }
})

test('hold, resume and an offer of ours in mid-call keep the keys of video', async () => {
  const hers = new Keys()
  const ofHers = video(alice, 'RTP/SAVPF', hers.line())
  const { aliceDialog, bobDialog, offered, answered } = await streams.connect(
    sdp(1, audio, ...ofHers),
    sdp(1, audio, ...video(bob, 'RTP/AVPF')),
  )
  bobDialog.on('request', () => assert.fail('the other side was asked'))
  hers.heard(answered.media[1])
  const { ours } = hers
  const held = read(await streams.reoffer(aliceDialog, sdp(2, 'a=sendonly', audio, ...ofHers)))
  hers.heard(held.media[1])
  assert.equal(hers.ours, ours)
  const asked = await streams.until(
    aliceDialog.request('INVITE', { ackBody: () => description(sdp(3, audio, ...ofHers)) }),
  )
  assert.deepEqual(lines(read(asked)), ['audio on RTP/AVP', 'video on RTP/SAVPF'])
  hers.heard(read(asked).media[1])
  assert.equal(hers.ours, ours)
  assert.deepEqual(reofferProblems(held, read(asked)), [])
  await crosses({ at: alice, port: answered.media[1]?.port, keys: hers }, { at: bob, port: offered.media[1]?.port })
})

test('one who is encrypted adds video in mid-call: the other is offered it as its audio is', async () => {
  bobHas('mandatory')
  aliceHas('accepted')
  const [herVoice, hisVoice, hers, his] = [new Keys(), new Keys(), new Keys(), new Keys('AES_256_CM_HMAC_SHA1_80')]
  const herAudio = [audio.replace('AVP', 'SAVP'), herVoice.line()]
  const { aliceDialog, bobDialog } = await streams.connect(sdp(1, ...herAudio), ({ media }) =>
    sdp(1, audio.replace('AVP', 'SAVP'), hisVoice.answer(media[0])),
  )
  const asked: SessionDescription[] = []
  bobDialog.on('request', (incoming) => {
    const offer = read(incoming.request)
    asked.push(offer)
    const lines = [audio.replace('AVP', 'SAVP'), hisVoice.answer(offer.media[0])]
    incoming.respond(200, description(sdp(2, ...lines, ...video(bob, 'RTP/SAVPF', his.answer(offer.media[1])))))
  })
  const answer = read(
    await streams.reoffer(aliceDialog, sdp(2, ...herAudio, ...video(alice, 'RTP/SAVPF', hers.line()))),
  )
  assert.deepEqual(lines(answer), ['audio on RTP/SAVP', 'video on RTP/SAVPF'])
  assert.deepEqual(asked.map(lines), [['audio on RTP/SAVP', 'video on RTP/SAVPF']])
  const one = { at: alice, port: answer.media[1]?.port, keys: hers.heard(answer.media[1]) }
  const other = { at: bob, port: asked[0]?.media[1]?.port, keys: his }
  await crosses(one, other)
  await crosses(other, one)
})

test('of several phones that ring each has keys of its own, and those of the one who answers count', async () => {
  const other = { target: { uri: 'sip:102@192.0.2.22:5060' }, party: bobsPhone.party, srtp: 'mandatory' as const }
  streams.world.dialOptions = { destinations: [{ ...bobsPhone, srtp: 'mandatory' }, other] }
  const late = streams.world.rings(1)
  const [his, hisVoice] = [new Keys(), new Keys()]
  const { offered, answered } = await streams.connect(sdp(1, audio, ...video(alice, 'RTP/AVPF')), ({ media }) =>
    sdp(1, audio.replace('AVP', 'SAVP'), hisVoice.answer(media[0]), ...video(bob, 'RTP/SAVPF', his.answer(media[1]))),
  )
  const others = read(late.invite?.request).media[1]
  assert.ok(others)
  assert.ok(usableCryptos(others).every(({ key }) => Buffer.from(key.master).toString('base64') !== his.ours))
  const one = { at: alice, port: answered.media[1]?.port }
  await crosses({ at: bob, port: offered.media[1]?.port, keys: his }, one)
  await crosses(one, { at: bob, port: offered.media[1]?.port, keys: his })
})

/** What Carol, who takes Bob's place in a call with encrypted video, and then Alice are offered. */
interface Came {
  readonly hers: Keys
  /** Of ours, for Alice, before Carol came. */
  readonly before: string
  readonly carol: Dialog
  /** The next offer to Alice. */
  readonly told: Promise<SessionDescription>
}

async function carolComes(srtp: SrtpMode, herVoice: readonly string[]): Promise<Came> {
  const hers = new Keys()
  const ofHers = video(alice, 'RTP/SAVPF', hers.line())
  const { aliceDialog, bobDialog, answered } = await streams.connect(
    sdp(1, audio, ...ofHers),
    sdp(1, audio, ...video(bob, 'RTP/AVPF')),
  )
  const before = hers.heard(answered.media[1]).ours
  const told = new Promise<SessionDescription>((resolve) => {
    aliceDialog.on('request', (incoming) => {
      const offer = read(incoming.request)
      const isOn = offer.media[1]?.port !== 0
      if (isOn) hers.heard(offer.media[1])
      incoming.respond(200, description(sdp(2, audio, ...(isOn ? ofHers : ['m=video 0 RTP/SAVPF 96']))))
      resolve(offer)
    })
  })
  const { callId, localTag, remoteTag } = bobDialog.id
  streams.world.taker = { ...streams.world.taker, srtp }
  const came = streams.world.devices[1]?.invite({
    target: { uri: 'sip:102@192.0.2.1:5060' },
    from: '<sip:103@192.0.2.22>',
    to: '<sip:102@192.0.2.1>',
    headers: { Replaces: `${callId};to-tag=${remoteTag};from-tag=${localTag}`, Require: 'replaces' },
    ...description(sdp(1, ...herVoice)),
  })
  const outcome = await streams.until(came?.outcome ?? assert.fail())
  assert.ok(outcome.answered)
  return { hers, before, carol: outcome.dialog, told }
}

test('who comes by a transfer has keys of its own, and who stays keeps those it had', async () => {
  const [voice, carols] = [new Keys(), new Keys('AEAD_AES_256_GCM')]
  const at = await streams.sockets()
  const { hers, before, carol, told } = await carolComes('optional', [audio.replace('AVP', 'SAVP'), voice.line()])
  const asked = new Promise<SessionDescription>((resolve) => {
    carol.on('request', (incoming) => {
      const offer = read(incoming.request)
      const [ofVoice, ofVideo] = [voice.answer(offer.media[0]), carols.answer(offer.media[1])]
      const lines = [audio.replace('AVP', 'SAVP'), ofVoice, ...video(at, 'RTP/SAVPF', ofVideo)]
      incoming.respond(200, description(sdp(2, ...lines)))
      resolve(offer)
    })
  })
  const [atCarol, atAlice] = [await streams.until(asked), await streams.until(told)]
  assert.deepEqual(lines(atCarol), ['audio on RTP/SAVP', 'video on RTP/SAVPF'])
  assert.deepEqual(lines(atAlice), ['audio on RTP/AVP', 'video on RTP/SAVPF'])
  assert.equal(hers.ours, before)
  const one = { at: alice, port: atAlice.media[1]?.port, keys: hers }
  const other = { at, port: atCarol.media[1]?.port, keys: carols }
  await crosses(one, other)
  await crosses(other, one)
})

test('who comes with keys by DTLS is not asked about video, and who stays hears that it is over', async () => {
  const { carol, told } = await carolComes('dtls', [
    audio.replace('RTP/AVP', 'UDP/TLS/RTP/SAVP'),
    ...certificate('actpass'),
  ])
  carol.on('request', () => assert.fail('she was asked'))
  assert.deepEqual(lines(await streams.until(told)), ['audio on RTP/AVP', 'video off RTP/SAVPF'])
})

/** Bob's audio as this mode has it. */
const voiceOf = (mode: SrtpMode, keys: Keys, offered: SdpMedia | undefined): string[] => {
  if (mode === 'dtls') return [audio.replace('RTP/AVP', 'UDP/TLS/RTP/SAVP'), ...certificate('active')]
  if (mode === 'mandatory') return [audio.replace('AVP', 'SAVP'), keys.answer(offered)]
  return mode === 'optional' ? [audio, keys.answer(offered)] : [audio]
}

for (const mode of ['none', 'accepted', 'optional', 'mandatory', 'dtls'] as const) {
  const isTaken = mode !== 'mandatory' && mode !== 'dtls'
  test(`fax by T.38, which cannot be encrypted, is ${isTaken ? 'relayed' : 'refused by 488'} where the audio is ${mode}`, async () => {
    bobHas(mode)
    const keys = new Keys()
    const { aliceDialog, bobDialog } = await streams.connect(sdp(1, audio), ({ media }) =>
      sdp(1, ...voiceOf(mode, keys, media[0])),
    )
    const asked: SessionDescription[] = []
    for (const [dialog, at] of [
      [aliceDialog, alice],
      [bobDialog, bob],
    ] as const)
      dialog.on('request', (incoming) => {
        asked.push(read(incoming.request))
        incoming.respond(200, description(sdp(2, ...fax(at))))
      })
    for (const [dialog, at] of [
      [bobDialog, bob],
      [aliceDialog, alice],
    ] as const) {
      const response = await streams.reoffer(dialog, sdp(2, ...fax(at)))
      assert.equal(response.status, isTaken ? 200 : 488)
      if (!isTaken) continue
      assert.deepEqual(lines(read(response)), ['image on udptl'])
      const page = await arrives(at.rtp, read(response).media[0]?.port ?? 0, (at === bob ? alice : bob).rtp, () =>
        Buffer.from('a page'),
      )
      assert.equal(String(page), 'a page')
    }
    assert.deepEqual(asked.map(lines), isTaken ? [['image on udptl']] : [])
  })
}

test('a phone that adds video to a call with somebody who has keys by DTLS is refused it, and the other is not asked', async () => {
  bobHas('dtls')
  const { aliceDialog, bobDialog, offered } = await streams.connect(sdp(1, audio, ...video(alice, 'RTP/AVPF')), () =>
    sdp(1, ...voiceOf('dtls', new Keys(), undefined), 'm=video 0 RTP/AVPF 96'),
  )
  assert.deepEqual(lines(offered), ['audio on UDP/TLS/RTP/SAVP', 'video off RTP/AVPF'])
  bobDialog.on('request', () => assert.fail('the other side was asked'))
  const left = read(await streams.reoffer(aliceDialog, sdp(2, audio, 'm=video 0 RTP/AVPF 96')))
  const again = read(await streams.reoffer(aliceDialog, sdp(3, audio, ...video(alice, 'RTP/AVPF'))))
  assert.deepEqual([left, again].map(lines), [
    ['audio on RTP/AVP', 'video off RTP/AVPF'],
    ['audio on RTP/AVP', 'video off RTP/AVPF'],
  ])
})
