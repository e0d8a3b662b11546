/** Video and fax through a call: the signalling on a network in memory, the packets through the real media plane. */
import assert from 'node:assert/strict'
import type { Socket } from 'node:dgram'
import { afterEach, beforeEach, test } from 'node:test'
import type { MediaPlane, MediaPort, MediaSession } from '../media/types.ts'
import { reofferProblems } from '../sdp/rules.ts'
import type { SessionDescription } from '../sdp/types.ts'
import { turn } from '../sip/dialog/test-support.ts'
import type { InDialogRequest } from '../sip/stack.types.ts'
import { arrives, attributes, fax, lines, read, type Sockets, StreamWorld, sdp } from './streams-test-support.ts'
import { type CallWorld, description } from './test-support.ts'

let streams: StreamWorld
let plane: MediaPlane
let world: CallWorld
let alice: Sockets
let bob: Sockets

beforeEach(async () => {
  streams = await StreamWorld.open()
  ;({ plane, world, alice, bob } = streams)
})

afterEach(() => streams.close())

const until: StreamWorld['until'] = (promise) => streams.until(promise)
const connect: StreamWorld['connect'] = (offer, answer) => streams.connect(offer, answer)
const reoffer: StreamWorld['reoffer'] = (dialog, offer) => streams.reoffer(dialog, offer)
const sockets = (): Promise<Sockets> => streams.sockets()
const crosses = async (from: Socket, port: number, to: Socket, text: string): Promise<string> =>
  String(await arrives(from, port, to, () => Buffer.from(text)))

const audio = 'm=audio 4000 RTP/AVP 0'
const video = ({ port }: Sockets, ...more: string[]): string[] => [
  `m=video ${port} RTP/AVPF 96`,
  'b=AS:512',
  'a=rtpmap:96 H264/90000',
  'a=fmtp:96 profile-level-id=42e01f;packetization-mode=1',
  'a=rtcp-fb:96 nack pli',
  ...more,
]

test('video is offered to the other side as it came, and packets and RTCP cross both ways', async () => {
  const { offered, answered } = await connect(
    sdp(1, audio, ...video(alice, 'a=rtcp-mux', 'a=candidate:1 1 UDP 1 192.0.2.9 1 typ host')),
    sdp(1, audio, ...video(bob)),
  )
  assert.deepEqual(lines(offered), ['audio on RTP/AVP', 'video on RTP/AVPF'])
  assert.deepEqual(lines(answered), ['audio on RTP/AVP', 'video on RTP/AVPF'])
  assert.deepEqual(attributes(offered.media[1]), [
    'rtpmap:96 H264/90000',
    'fmtp:96 profile-level-id=42e01f;packetization-mode=1',
    'rtcp-fb:96 nack pli',
    'rtcp-mux',
    'sendrecv',
  ])
  assert.deepEqual(offered.media[1]?.otherLines, ['b=AS:512'])
  const [atAlice, atBob] = [answered.media[1]?.port ?? 0, offered.media[1]?.port ?? 0]
  assert.equal(await crosses(alice.rtp, atAlice, bob.rtp, 'a picture of Alice'), 'a picture of Alice')
  assert.equal(await crosses(bob.rtp, atBob, alice.rtp, 'a picture of Bob'), 'a picture of Bob')
  assert.equal(await crosses(alice.rtcp, atAlice + 1, bob.rtcp, 'send a whole one'), 'send a whole one')
})

test('RTCP that shares the port of RTP, when both sides want it so, is relayed with it', async () => {
  const { offered, answered } = await connect(
    sdp(1, audio, 'a=rtcp-mux', ...video(alice, 'a=rtcp-mux')),
    sdp(1, audio, ...video(bob, 'a=rtcp-mux')),
  )
  assert.ok(attributes(answered.media[1]).includes('rtcp-mux'))
  assert.ok(attributes(answered.media[0]).includes('rtcp-mux'))
  assert.ok(attributes(offered.media[0]).includes('rtcp-mux'), 'offered for the audio in any case')
  assert.equal(await crosses(alice.rtp, answered.media[1]?.port ?? 0, bob.rtp, 'send a whole one'), 'send a whole one')
})

const anyPort = (session: MediaSession): Promise<MediaPort | undefined> => session.openPort().catch(() => undefined)

test('without ports for video a call goes on with its audio', async () => {
  const others = plane.openSession('other')
  const ports: MediaPort[] = []
  for (let port = await anyPort(others); port; port = await anyPort(others)) ports.push(port)
  // Enough for the audio, and for one side of the video.
  await Promise.all(ports.splice(-3).map((port) => port.close()))
  const { offered, answered } = await connect(sdp(1, audio, ...video(alice)), sdp(1, audio))
  assert.deepEqual(lines(answered), ['audio on RTP/AVP', 'video off RTP/AVPF'])
  assert.deepEqual(lines(offered), ['audio on RTP/AVP'])
  await others.close()
})

test('video that the other side refuses is refused to who offered it, in its place', async () => {
  const { answered } = await connect(sdp(1, ...video(alice), audio), sdp(1, 'm=video 0 RTP/AVPF 96', audio))
  assert.deepEqual(lines(answered), ['video off RTP/AVPF', 'audio on RTP/AVP'])
})

test('the direction of video is what both want, also when it stands for the whole session', async () => {
  const { offered, answered } = await connect(
    sdp(1, 'a=sendonly', audio, 'a=sendrecv', ...video(alice)),
    sdp(1, audio, ...video(bob, 'a=recvonly')),
  )
  assert.equal(attributes(offered.media[1]).at(-1), 'sendonly')
  assert.equal(attributes(answered.media[1]).at(-1), 'recvonly')
})

test('hold and refresh of a call with video are answered without the other side, and keep the video', async () => {
  const { aliceDialog, bobDialog } = await connect(sdp(1, audio, ...video(alice)), sdp(1, audio, ...video(bob)))
  bobDialog.on('request', () => assert.fail('the other side was asked'))
  const held = read(await reoffer(aliceDialog, sdp(2, 'a=sendonly', audio, ...video(alice))))
  assert.deepEqual(lines(held), ['audio on RTP/AVP', 'video on RTP/AVPF'])
  assert.equal(attributes(held.media[1]).at(-1), 'recvonly')
  const ours = await until(
    aliceDialog.request('INVITE', { ackBody: () => description(sdp(3, audio, ...video(alice))) }),
  )
  assert.deepEqual(lines(read(ours)), ['audio on RTP/AVP', 'video on RTP/AVPF'])
  assert.deepEqual(reofferProblems(held, read(ours)), [])
})

test('one who leaves video asks the other side to leave it too, and may come back', async () => {
  const { aliceDialog, bobDialog } = await connect(sdp(1, audio, ...video(alice)), sdp(1, audio, ...video(bob)))
  const asked: SessionDescription[] = []
  bobDialog.on('request', (incoming) => {
    asked.push(read(incoming.request))
    const on = asked.at(-1)?.media[1]?.port !== 0
    incoming.respond(200, description(sdp(asked.length + 1, audio, ...(on ? video(bob) : ['m=video 0 RTP/AVPF 96']))))
  })
  const left = read(await reoffer(aliceDialog, sdp(2, audio, 'm=video 0 RTP/AVPF 96')))
  const back = read(await reoffer(aliceDialog, sdp(3, audio, ...video(alice))))
  assert.deepEqual([left, back].map(lines), [
    ['audio on RTP/AVP', 'video off RTP/AVPF'],
    ['audio on RTP/AVP', 'video on RTP/AVPF'],
  ])
  assert.deepEqual(asked.map(lines), [
    ['audio on RTP/AVP', 'video off RTP/AVPF'],
    ['audio on RTP/AVP', 'video on RTP/AVPF'],
  ])
  assert.deepEqual(reofferProblems(asked[0] ?? left, asked[1] ?? back), [])
  assert.equal(await crosses(alice.rtp, back.media[1]?.port ?? 0, bob.rtp, 'again'), 'again')
})

for (const place of ['in the place of the audio', 'beside the audio'] as const)
  test(`a fax machine turns the call to T.38, ${place}, and back (ITU-T T.38 annex D)`, async () => {
    const off = place === 'beside the audio' ? ['m=audio 0 RTP/AVP 0'] : []
    const index = off.length
    const { aliceDialog, bobDialog, answered } = await connect(sdp(1, audio), sdp(1, audio))
    const asked: SessionDescription[] = []
    aliceDialog.on('request', (incoming: InDialogRequest) => {
      const offer = read(incoming.request)
      asked.push(offer)
      const image = offer.media.some(({ type, port }) => type === 'image' && port !== 0)
      const back = off.length > 0 ? [audio, 'm=image 0 udptl t38'] : [audio]
      incoming.respond(200, description(sdp(asked.length + 1, ...(image ? [...off, ...fax(alice)] : back))))
    })
    const turned = read(await reoffer(bobDialog, sdp(2, ...off, ...fax(bob))))
    assert.equal(lines(turned)[index], 'image on udptl')
    assert.equal(lines(asked[0] ?? turned)[index], 'image on udptl')
    assert.ok(attributes(asked[0]?.media[index]).includes('T38FaxUdpEC:t38UDPRedundancy'))
    assert.deepEqual(reofferProblems(answered, asked[0] ?? turned), [])
    const [atBob, atAlice] = [turned.media[index]?.port ?? 0, asked[0]?.media[index]?.port ?? 0]
    assert.equal(await crosses(bob.rtp, atBob, alice.rtp, 'a page'), 'a page')
    assert.equal(await crosses(alice.rtp, atAlice, bob.rtp, 'confirmed'), 'confirmed')

    const talk = read(await reoffer(bobDialog, sdp(3, audio, ...(off.length > 0 ? ['m=image 0 udptl t38'] : []))))
    assert.equal(lines(talk)[0], 'audio on RTP/AVP')
    assert.equal(lines(asked[1] ?? turned)[0], 'audio on RTP/AVP')
  })

test('a fax that the other side does not take is refused by 488, and the audio stands', async () => {
  const { aliceDialog, bobDialog } = await connect(sdp(1, audio), sdp(1, audio))
  aliceDialog.on('request', (incoming) => incoming.respond(488))
  const refused = await reoffer(bobDialog, sdp(2, ...fax(bob)))
  assert.equal(refused.status, 488)
  const [atBob, atAlice] = await until(
    Promise.all([
      bobDialog.request('INVITE', { ackBody: () => description(sdp(2, audio)) }),
      aliceDialog.request('INVITE', { ackBody: () => description(sdp(2, audio)) }),
    ]),
  )
  assert.deepEqual(
    [atBob, atAlice].map((response) => lines(read(response))),
    [['audio on RTP/AVP'], ['audio on RTP/AVP']],
  )
})

test('a fax alone, where the other side has more m-lines: those are refused, and stay (RFC 3264 §8)', async () => {
  const { aliceDialog, bobDialog, answered } = await connect(
    sdp(1, audio, ...video(alice)),
    sdp(1, audio, 'm=video 0 RTP/AVPF 96'),
  )
  const asked: SessionDescription[] = []
  aliceDialog.on('request', (incoming) => {
    asked.push(read(incoming.request))
    incoming.respond(200, description(sdp(2, ...fax(alice), 'm=video 0 RTP/AVPF 96')))
  })
  const turned = read(await reoffer(bobDialog, sdp(2, ...fax(bob))))
  assert.deepEqual(lines(turned), ['image on udptl'])
  assert.deepEqual(asked.map(lines), [['image on udptl', 'video off RTP/AVPF']])
  assert.deepEqual(reofferProblems(answered, asked[0] ?? turned), [])
})

test('a request of both sides at once comes back as 491, to be tried again', async () => {
  const { aliceDialog, bobDialog } = await connect(sdp(1, audio), sdp(1, audio))
  let asked = 0
  aliceDialog.on('request', (incoming) => {
    asked++
    incoming.respond(asked === 1 ? 491 : 200, asked === 1 ? {} : description(sdp(2, ...fax(alice))))
  })
  assert.equal((await reoffer(bobDialog, sdp(2, ...fax(bob)))).status, 200)
  assert.equal(asked, 2)
})

/** Carol takes Bob's place in a call with video; `onVideo` is what she says when she is offered it. */
async function carolComes(onVideo: (incoming: InDialogRequest) => void) {
  const { aliceDialog, bobDialog, offered } = await connect(
    sdp(1, audio, ...video(alice)),
    sdp(1, audio, ...video(bob)),
  )
  const told: SessionDescription[] = []
  aliceDialog.on('request', (incoming) => {
    told.push(read(incoming.request))
    const on = told.at(-1)?.media[1]?.port !== 0
    incoming.respond(200, description(sdp(2, audio, ...(on ? video(alice) : ['m=video 0 RTP/AVPF 96']))))
  })
  const { callId, localTag, remoteTag } = bobDialog.id
  const came = world.devices[1]?.invite({
    target: { uri: 'sip:102@192.0.2.1:5060' },
    from: '<sip:103@192.0.2.22>',
    to: '<sip:102@192.0.2.1>',
    headers: { Replaces: `${callId};to-tag=${remoteTag};from-tag=${localTag}`, Require: 'replaces' },
    ...description(sdp(1, audio)),
  })
  const outcome = await until(came?.outcome ?? assert.fail())
  assert.ok(outcome.answered)
  const asked: SessionDescription[] = []
  outcome.dialog.on('request', (incoming) => {
    asked.push(read(incoming.request))
    onVideo(incoming)
  })
  for (let rounds = 0; rounds < 2_000 && told.length === 0; rounds++) await until(Promise.resolve())
  assert.deepEqual(asked.map(lines), [['audio on RTP/AVP', 'video on RTP/AVPF']])
  assert.deepEqual(reofferProblems(read(outcome.response), asked[0] ?? offered), [])
  return { asked, told, offered }
}

test('video goes on with who comes by a transfer, when both want it', async () => {
  const carol = await sockets()
  const { asked, told } = await carolComes((incoming) =>
    incoming.respond(200, description(sdp(2, audio, ...video(carol)))),
  )
  assert.deepEqual(told.map(lines), [['audio on RTP/AVP', 'video on RTP/AVPF']])
  const [atCarol, atAlice] = [asked[0]?.media[1]?.port ?? 0, told[0]?.media[1]?.port ?? 0]
  assert.equal(await crosses(alice.rtp, atAlice, carol.rtp, 'a picture of Alice'), 'a picture of Alice')
  assert.equal(await crosses(carol.rtp, atCarol, alice.rtp, 'a picture of Carol'), 'a picture of Carol')
  assert.equal((await plane.stats())[0]?.ports, 4)
})

for (const [how, answer] of [
  [
    'without video',
    (incoming: InDialogRequest) => incoming.respond(200, description(sdp(2, audio, 'm=video 0 RTP/AVPF 96'))),
  ],
  ['who refuses to talk of it', (incoming: InDialogRequest) => incoming.respond(488)],
] as const)
  test(`after a transfer to somebody ${how} the one who stays hears that its picture is over`, async () => {
    const { told } = await carolComes(answer)
    assert.deepEqual(told.map(lines), [['audio on RTP/AVP', 'video off RTP/AVPF']])
    for (let rounds = 0; rounds < 200 && (await plane.stats())[0]?.ports !== 2; rounds++) await turn(world.clock, 5)
    assert.equal((await plane.stats())[0]?.ports, 2)
  })

test('when the call is over all its ports are free', async () => {
  const { aliceDialog } = await connect(sdp(1, audio, ...video(alice)), sdp(1, audio, ...video(bob)))
  assert.equal((await plane.stats())[0]?.ports, 4)
  void aliceDialog.bye()
  await until(world.calls[0]?.closed ?? Promise.resolve())
  assert.equal((await plane.stats())[0]?.ports, 0)
})
