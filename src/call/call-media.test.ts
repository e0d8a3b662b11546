/** What is said about media in a call: offers, answers, early media, hold. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { turn } from '../sip/dialog/test-support.ts'
import { CallWorld, callerIp, description, deviceIps, sdp, serverIp, to102 } from './test-support.ts'

let world: CallWorld

beforeEach(async () => {
  world = await CallWorld.open()
})

test('a caller that shares no codec gets 488, and no phone rings', async () => {
  world.codecs = { codecs: ['PCMA', 'PCMU'] }
  const first = world.answers(0)
  const invite = world.call(description(sdp(callerIp, '9 18')))
  await turn(world.clock, 1_000)
  assert.equal((await invite.outcome).response.status, 488)
  assert.equal(first.invite, undefined)
  await world.nothingIsLeft()
})

test('a description that cannot be read is answered 400', async () => {
  const invite = world.call(description('this is no SDP'))
  await turn(world.clock, 1_000)
  assert.equal((await invite.outcome).response.status, 400)
  await world.nothingIsLeft()
})

test('without a free RTP port the caller gets 503', async () => {
  world.media.limit = 1
  const invite = world.call()
  await turn(world.clock, 1_000)
  assert.equal((await invite.outcome).response.status, 503)
  await world.nothingIsLeft()
})

test('the caller is answered with what the callee took, so that nothing is transcoded', async () => {
  world.answers(0, 100, '8')
  const invite = world.call()
  await turn(world.clock, 1_000)
  const { response } = await invite.outcome
  assert.match(Buffer.from(response.body).toString(), /m=audio \d+ RTP\/AVP 8 101\r\n/)
})

test('a caller and a callee without a codec in common get one each, and none where nothing is converted', async () => {
  world.answers(0, 100, '8')
  const invite = world.call(description(sdp(callerIp, '18 9 101')))
  await turn(world.clock, 1_000)
  const { response } = await invite.outcome
  assert.match(Buffer.from(response.body).toString(), /m=audio \d+ RTP\/AVP 9 101\r\n/)
  const [callerPort, devicePort] = world.media.ports
  assert.deepEqual(
    [callerPort, devicePort].map((port) => port?.descriptions.at(-1)?.send.map(({ encoding }) => encoding)),
    [['G722', 'telephone-event'], ['PCMA']],
  )
  assert.deepEqual(
    world.live
      .list()[0]
      ?.snapshot()
      .legs.map(({ codec }) => codec),
    ['G722', 'PCMA'],
  )

  world = await CallWorld.open()
  world.codecs = { transcode: false }
  world.answers(0, 100, '8')
  const refused = world.call(description(sdp(callerIp, '18 9 101')))
  await turn(world.clock, 1_000)
  assert.equal((await refused.outcome).response.status, 488)
})

test('G.729 passes between two phones that both have it', async () => {
  const device = world.answers(0, 100, '18')
  const invite = world.call(description(sdp(callerIp, '18 8')))
  await turn(world.clock, 1_000)
  const { response } = await invite.outcome
  assert.match(Buffer.from(device.invite?.request.body ?? '').toString(), /m=audio \d+ RTP\/AVP 18 8 111 9 0 101 110\r/)
  assert.match(Buffer.from(response.body).toString(), /m=audio \d+ RTP\/AVP 18\r\n/)
})

test('a trunk is offered its own codecs alone, and one that may speak nothing of the call is not called', async () => {
  world.dialOptions = { destinations: [trunkWith(['PCMA', 'PCMU'])] }
  const device = world.answers(0, 100, '8')
  const invite = world.call(description(sdp(callerIp, '9 18 101')))
  await turn(world.clock, 1_000)
  assert.ok((await invite.outcome).answered)
  assert.match(Buffer.from(device.invite?.request.body ?? '').toString(), /m=audio \d+ RTP\/AVP 8 0 101\r/)

  world = await CallWorld.open()
  world.dialOptions = { destinations: [trunkWith(['G729'])] }
  const never = world.answers(0)
  const refused = world.call(description(sdp(callerIp, '0')))
  await turn(world.clock, 1_000)
  assert.equal((await refused.outcome).response.status, 488)
  assert.equal(never.invite, undefined)
})

const trunkWith = (codecs: readonly string[]) => ({
  target: { uri: `sip:1@${deviceIps[0]}:5060` },
  party: to102,
  codecs,
})

test('a re-INVITE that changes the codec is answered with what the other side speaks, or else converted', async () => {
  world.answers(0, 100, '8')
  const invite = world.call(description(sdp(callerIp, '8')))
  await turn(world.clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  const both = outcome.dialog.request('INVITE', description(sdp(callerIp, '9 0 8')))
  await turn(world.clock, 1_000)
  assert.match(Buffer.from((await both).body).toString(), /m=audio \d+ RTP\/AVP 8\r/)
  const other = outcome.dialog.request('INVITE', description(sdp(callerIp, '9 0')))
  await turn(world.clock, 1_000)
  assert.match(Buffer.from((await other).body).toString(), /m=audio \d+ RTP\/AVP 9\r/)
  assert.equal(world.live.list()[0]?.snapshot().legs[0]?.codec, 'G722')
})

const timing = (body: Uint8Array | undefined) =>
  Buffer.from(body ?? '')
    .toString()
    .match(/a=(?:max)?ptime:.*/g)

test('how much sound one side wants in a packet is told to the other', async () => {
  const callee = world.device(0, (invite) => invite.answer(description(`${sdp('192.0.2.21')}a=ptime:40\r\n`)))
  const offer = `${sdp(callerIp)}a=ptime:30\r\na=maxptime:60\r\na=ptime:many\r\n`
  const invite = world.call(description(offer))
  await turn(world.clock, 1_000)
  const { response } = await invite.outcome
  assert.deepEqual(timing(callee.invite?.request.body), ['a=ptime:30', 'a=maxptime:60'])
  assert.deepEqual(timing(response.body), ['a=ptime:40'])
})

test('a caller without an offer gets ours and answers in the ACK (RFC 3261 §13.2.2.4)', async () => {
  const first = world.answers(0)
  const late = world.caller.invite({
    target: { uri: `sip:102@${serverIp}:5060` },
    from: `<sip:101@${callerIp}>`,
    to: `<sip:102@${serverIp}>`,
    ackBody: () => description(sdp(callerIp, '0')),
  })
  await turn(world.clock, 1_000)
  const outcome = await late.outcome
  assert.ok(outcome.answered)
  assert.ok(first.dialog)
  // What the phone took, then what can be converted.
  assert.match(Buffer.from(outcome.response.body).toString(), /m=audio 20000 RTP\/AVP 0 8 111 9 101 110\r/)
  const [callerPort] = world.media.ports
  assert.equal(callerPort?.descriptions.at(-1)?.remote?.ip, callerIp)
})

test('a re-INVITE without an offer gets ours, and the answer in its ACK moves the media (RFC 3261 §14.2)', async () => {
  world.answers(0)
  const invite = world.call()
  await turn(world.clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  const musicServer = '192.0.2.99'
  const again = outcome.dialog.request('INVITE', { ackBody: () => description(sdp(musicServer, '0', 'sendonly')) })
  await turn(world.clock, 1_000)
  assert.match(Buffer.from((await again).body).toString(), /m=audio 20000 RTP\/AVP/)
  const [callerPort] = world.media.ports
  assert.equal(callerPort?.descriptions.at(-1)?.remote?.ip, musicServer)
  assert.deepEqual(callerPort?.descriptions.at(-1)?.send, [])
  assert.equal(world.live.size, 1)
})

test('a caller that answers our offer with nothing in its ACK has no call', async () => {
  world.answers(0)
  const invite = world.caller.invite({
    target: { uri: `sip:102@${serverIp}:5060` },
    from: `<sip:101@${callerIp}>`,
    to: `<sip:102@${serverIp}>`,
  })
  await turn(world.clock, 1_000)
  assert.ok((await invite.outcome).answered)
  assert.equal(world.endedAs(), 'failed')
})

/** A body as a trunk sends it that also tells where an emergency caller is (RFC 6442), or the ISUP of the call. */
const mixed = (text: string) => ({
  contentType: 'multipart/mixed;boundary="b 1"',
  body: [
    '--b 1',
    'Content-Type: application/pidf+xml',
    '',
    '<presence/>',
    '--b 1',
    'Content-Type: application/sdp;charset=utf-8',
    'Content-Disposition: session;handling=required',
    '',
    `${text}--b 1--`,
    '',
  ].join('\r\n'),
})

test('a description among other parts is found, in an offer and in an answer (RFC 5621)', async () => {
  world.device(0, (invite) => void invite.answer(mixed(sdp(deviceIps[0] ?? '', '8'))))
  const invite = world.call(mixed(sdp(callerIp)))
  await turn(world.clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  assert.match(Buffer.from(outcome.response.body).toString(), /m=audio \d+ RTP\/AVP 8 101\r\n/)
  assert.deepEqual(
    world.media.ports.map(({ descriptions }) => descriptions.at(-1)?.remote?.ip),
    [callerIp, deviceIps[0]],
  )
})

test('a body that is no description is answered 415, with what would have been read', async () => {
  const invite = world.call({ contentType: 'text/plain', body: 'hello' })
  await turn(world.clock, 1_000)
  const { response } = await invite.outcome
  assert.deepEqual([response.status, response.headers.get('Accept')], [415, 'application/sdp'])
  await world.nothingIsLeft()
})

test('early media reaches the caller, and the 200 repeats its answer (RFC 3261 §13.2.1)', async () => {
  world.device(0, (invite, seen) => {
    invite.ring(183, description(sdp(deviceIps[0] ?? '', '0')))
    world.clock.after(500, () => (seen.dialog = invite.answer(description(sdp(deviceIps[0] ?? '', '0')))))
  })
  const bodies: string[] = []
  const invite = world.call({
    onProvisional: ({ status, body }) => bodies.push(`${status} ${Buffer.from(body).toString()}`),
  })
  await turn(world.clock, 1_000)
  const { response } = await invite.outcome
  assert.equal(bodies.length, 1)
  assert.equal(bodies[0], `183 ${Buffer.from(response.body).toString()}`)
  // Bridged before they are recorded: the last moment has to be kept.
  assert.deepEqual(
    world.media.ports.map(({ options }) => options.recordedLater),
    [true, true],
  )
})

test('hold stops what we send to that leg, resume starts it again', async () => {
  world.answers(0)
  const invite = world.call()
  await turn(world.clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  const [callerPort] = world.media.ports
  const hold = outcome.dialog.request('INVITE', description(sdp(callerIp, '0', 'sendonly')))
  await turn(world.clock, 1_000)
  assert.match(Buffer.from((await hold).body).toString(), /a=recvonly/)
  assert.deepEqual(callerPort?.descriptions.at(-1)?.send, [])
  const resume = outcome.dialog.request('INVITE', description(sdp(callerIp, '0', 'sendrecv')))
  await turn(world.clock, 1_000)
  assert.match(Buffer.from((await resume).body).toString(), /a=sendrecv/)
  assert.equal(callerPort?.descriptions.at(-1)?.send.length, 1)
})

test('who is held hears music until the other comes back, whichever way hold is said', async () => {
  world.answers(0)
  const invite = world.call()
  await turn(world.clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  const [callerPort, calleePort] = world.media.ports
  const wanted = (): string[] => calleePort?.orders.map((order) => order.do) ?? []
  for (const direction of ['sendonly', 'inactive', 'sendrecv', 'recvonly']) {
    void outcome.dialog.request('INVITE', description(sdp(callerIp, '0', direction)))
    await turn(world.clock, 1_000)
  }
  assert.deepEqual(wanted(), ['hold-music', 'stop'])
  void outcome.dialog.request('INVITE', description(sdp('0.0.0.0', '0')))
  await turn(world.clock, 1_000)
  assert.deepEqual(wanted(), ['hold-music', 'stop', 'hold-music'])
  assert.deepEqual(callerPort?.orders, [])
})

test('a carrier that holds and goes on sending is heard, one that is silent is not', async () => {
  world.callerParty = { uri: 'sip:+49301@carrier' }
  world.answers(0)
  const invite = world.call()
  await turn(world.clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  const calleePort = world.media.ports[1]
  assert.ok(calleePort)
  void outcome.dialog.request('INVITE', description(sdp(callerIp, '0', 'sendonly')))
  await turn(world.clock, 1_000)
  assert.equal(calleePort.orders.length, 0)
  void outcome.dialog.request('INVITE', description(sdp(callerIp, '0', 'inactive')))
  await turn(world.clock, 1_000)
  assert.equal(calleePort.orders.at(-1)?.do, 'hold-music')
})

test('a re-INVITE that shares no codec is answered 488 and the call goes on (RFC 3261 §14.2)', async () => {
  world.codecs = { transcode: false }
  world.answers(0)
  const invite = world.call()
  await turn(world.clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  const wrong = outcome.dialog.request('INVITE', description(sdp(callerIp, '18')))
  await turn(world.clock, 1_000)
  assert.equal((await wrong).status, 488)
  assert.equal(world.live.size, 1)
})

test('digits by SIP INFO are told', async () => {
  world.answers(0)
  const invite = world.call()
  await turn(world.clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  const info = outcome.dialog.request('INFO', {
    contentType: 'application/dtmf-relay',
    body: 'Signal=5\r\nDuration=240\r\n',
  })
  await turn(world.clock, 500)
  assert.equal((await info).status, 200)
  const [fact] = world.told('leg.digit')
  assert.ok(fact?.name === 'leg.digit')
  assert.deepEqual([fact.digit, fact.durationMs], ['5', 240])
})

const cryptoLine = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${Buffer.alloc(30, 5).toString('base64')}\r\n`
const secure = (ip: string): string => `${sdp(ip).replace('RTP/AVP', 'RTP/SAVP')}${cryptoLine}`
const bodyOf = (body: Uint8Array | undefined): string => Buffer.from(body ?? '').toString()

test('a caller that encrypts is answered with a key, and a phone that does not is offered none (RFC 4568)', async () => {
  const first = world.answers(0)
  const invite = world.call(description(secure(callerIp)))
  await turn(world.clock, 1_000)
  const { response } = await invite.outcome
  assert.match(bodyOf(response.body), /m=audio \d+ RTP\/SAVP [^]*a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:/)
  assert.doesNotMatch(bodyOf(first.invite?.request.body), /crypto|SAVP/)
  const [callerPort, devicePort] = world.media.ports
  const srtp = callerPort?.descriptions.at(-1)?.srtp
  assert.ok(typeof srtp === 'object' && 'receive' in srtp)
  assert.deepEqual(srtp.receive.master, new Uint8Array(30).fill(5))
  assert.equal(devicePort?.descriptions.at(-1)?.srtp, undefined)
})

test('a caller that must encrypt and does not gets 488, and no phone rings', async () => {
  world.dialOptions = { callerSrtp: 'mandatory' }
  const first = world.answers(0)
  const invite = world.call()
  await turn(world.clock, 1_000)
  assert.equal((await invite.outcome).response.status, 488)
  assert.equal(first.invite, undefined)
  await world.nothingIsLeft()
})

test('what trunks say of their voices is done to the side of each, when its media are agreed', async () => {
  const voice = { echo: true, denoise: true, gainDbov: -20 }
  const quiet = { echo: false, denoise: true }
  const target = { uri: `sip:102@${deviceIps[0]}:5060` }
  world.dialOptions = { callerVoice: voice, destinations: [{ target, party: to102, voice: quiet }] }
  world.answers(0)
  world.call()
  assert.deepEqual(
    world.media.ports.map(({ processed }) => processed),
    [],
  )
  await turn(world.clock, 1_000)
  assert.deepEqual(
    world.media.ports.map(({ processed }) => processed),
    [voice, quiet],
  )
})

test('a re-INVITE that would end the encryption is refused with 488, and nothing changes', async () => {
  world.answers(0)
  const invite = world.call(description(secure(callerIp)))
  await turn(world.clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  const [callerPort] = world.media.ports
  const told = callerPort?.descriptions.length
  const again = outcome.dialog.request('INVITE', description(sdp(callerIp)))
  await turn(world.clock, 1_000)
  assert.equal((await again).status, 488)
  assert.equal(callerPort?.descriptions.length, told)
})

test('a browser behind a proxy is offered what it needs and audio alone; a caller with video has none of it', async () => {
  const via = { transport: 'udp', ip: deviceIps[0] ?? '', port: 5060 } as const
  const party = { uri: 'sip:102@pbx', extension: '102' }
  world.dialOptions = { destinations: [{ target: { uri: 'sip:102@browser.invalid;transport=ws', via }, party }] }
  const answer = [
    'v=0',
    'o=- 1 1 IN IP4 127.0.0.1',
    's=-',
    't=0 0',
    'a=group:BUNDLE audio',
    'm=audio 9 UDP/TLS/RTP/SAVPF 0',
    'c=IN IP4 0.0.0.0',
    'a=mid:audio',
    'a=ice-ufrag:u1u1',
    'a=ice-pwd:theirpasswordof22chars0',
    'a=fingerprint:sha-256 11:22',
    'a=setup:active',
    'a=rtcp-mux',
    '',
  ].join('\r\n')
  const device = world.device(0, (invite) => void invite.answer(description(answer)))
  const video = 'm=video 4002 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n'
  const invite = world.call(description(sdp(callerIp) + video))
  await turn(world.clock, 1_000)
  const { response } = await invite.outcome
  const offered = bodyOf(device.invite?.request.body)
  assert.match(offered, /a=group:BUNDLE audio\r\n[^]*a=ice-lite\r\n[^]*m=audio \d+ UDP\/TLS\/RTP\/SAVPF /)
  assert.doesNotMatch(offered, /m=video/)
  assert.match(bodyOf(response.body), /m=audio \d+ RTP\/AVP [^]*m=video 0 RTP\/AVP/)
  assert.doesNotMatch(bodyOf(response.body), /ice|fingerprint/)
  const [callerPort, devicePort] = world.media.ports.filter(({ options }) => !options.relay)
  assert.equal(callerPort?.descriptions.at(-1)?.ice, undefined)
  assert.deepEqual(devicePort?.descriptions.at(-1)?.srtp, {
    side: 'server',
    fingerprints: [{ hash: 'sha-256', value: '11:22' }],
  })
  assert.equal(devicePort?.descriptions.at(-1)?.ice?.remote?.user, 'u1u1')
})

test('an announcement in one codec and an answer in another is a call: a carrier speaks by several devices', async () => {
  const ip = deviceIps[0] ?? ''
  world.device(0, (invite) => {
    invite.ring(183, description(sdp(ip, '0 101')))
    world.clock.after(1_000, () => invite.answer(description(sdp(ip, '8 101'))))
  })
  const invite = world.call()
  await turn(world.clock, 2_000)
  assert.ok((await invite.outcome).answered)
  const sent = world.media.ports.map(({ descriptions }) => descriptions.at(-1)?.send[0]?.encoding)
  assert.deepEqual(sent, ['PCMU', 'PCMA'], 'what the caller agreed to stands, and is converted')
})

test('both legs are told as answered with their codec', async () => {
  world.answers(0, 100, '8')
  world.call()
  await turn(world.clock, 1_000)
  assert.deepEqual(
    world.told('leg.answered').map((fact) => fact.name === 'leg.answered' && fact.codec),
    ['PCMA', 'PCMA'],
  )
})

test('an answer that cannot be used hangs up the device that gave it', async () => {
  const device = world.answers(0, 100, '18')
  const invite = world.call()
  await turn(world.clock, 1_000)
  assert.equal((await invite.outcome).response.status, 488)
  assert.equal(device.dialog?.state, 'terminated')
  await world.nothingIsLeft()
})

test('an answer that cannot be converted to what the caller agreed to with the announcement is no call', async () => {
  const ip = deviceIps[0] ?? ''
  world.device(0, (invite) => {
    invite.ring(183, description(sdp(ip, '0 101')))
    world.clock.after(1_000, () => invite.answer(description(sdp(ip, '18 101'))))
  })
  const invite = world.call(description(sdp(callerIp, '0 18 101')))
  await turn(world.clock, 2_000)
  assert.equal((await invite.outcome).response.status, 488)
  await world.nothingIsLeft()
})
