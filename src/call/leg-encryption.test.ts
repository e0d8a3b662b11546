/** What becomes known of a leg's encryption, and what of a call whose handshake fails. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import type { FakePort } from '../media/test-support.ts'
import { turn } from '../sip/dialog/test-support.ts'
import { CallWorld, callerIp, description, deviceIps, sdp } from './test-support.ts'

let world: CallWorld

beforeEach(async () => {
  world = await CallWorld.open()
})

const cryptoLine = `a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:${Buffer.alloc(30, 5).toString('base64')}\r\n`
const withKey = (text: string): string => `${text.replace('RTP/AVP', 'RTP/SAVP')}${cryptoLine}`
const withCertificate = (text: string, value = '11:22'): string =>
  `${text.replace('RTP/AVP', 'UDP/TLS/RTP/SAVP')}a=setup:actpass\r\na=fingerprint:sha-256 ${value}\r\n`

/** The caller shakes hands, or would; the device takes no part in encryption. */
async function talk(offer: string) {
  const device = world.answers(0)
  const invite = world.call(description(offer))
  await turn(world.clock, 1_000)
  const outcome = await invite.outcome
  assert.ok(outcome.answered)
  const [port, devicePort] = world.media.ports
  assert.ok(port && devicePort && device.dialog)
  const reasons: (string | undefined)[] = []
  for (const dialog of [outcome.dialog, device.dialog])
    dialog.on('ended', (end) => reasons.push('request' in end ? end.request?.headers.get('Reason') : undefined))
  return { dialog: outcome.dialog, port, devicePort, reasons }
}

const told = () =>
  world.facts.flatMap((fact) => {
    if (fact.name !== 'leg.encryption') return []
    const leg = world.facts.find((each) => each.name === 'leg.started' && each.legId === fact.legId)
    const role = leg?.name === 'leg.started' ? leg.role : undefined
    return [[role, fact.encryption, fact.suite].filter(Boolean).join(' ')]
  })

const secure = (port: FakePort) => port.emit('secured', { suite: 'AEAD_AES_128_GCM' })
const fails = (port: FakePort, why = 'bad_certificate') => port.emit('handshake-failed', { why })

test('each leg says how its audio is encrypted, and so does the live call', async () => {
  await talk(withKey(sdp(callerIp)))
  assert.deepEqual(told().toSorted(), ['callee none', 'caller sdes AES_CM_128_HMAC_SHA1_80'])
  assert.deepEqual(
    world.calls[0]?.snapshot().legs.map(({ encryption, suite }) => [encryption, suite]),
    [
      ['sdes', 'AES_CM_128_HMAC_SHA1_80'],
      ['none', undefined],
    ],
  )
})

test('the suite of DTLS is told when the handshake is over; a re-INVITE that changes nothing tells nothing', async () => {
  const { dialog, port } = await talk(withCertificate(sdp(callerIp)))
  assert.deepEqual(told().toSorted(), ['callee none', 'caller dtls'])
  secure(port)
  assert.deepEqual(told().at(-1), 'caller dtls AEAD_AES_128_GCM')
  void dialog.request('INVITE', description(withCertificate(sdp(callerIp))))
  await turn(world.clock, 1_000)
  assert.equal(told().length, 3)
  void dialog.request('INVITE', description(withCertificate(sdp(callerIp), '33:44')))
  await turn(world.clock, 1_000)
  assert.deepEqual(told().slice(3), ['caller dtls'])
})

test('a caller that answers our offer in its ACK says only then how it is encrypted', async () => {
  world.answers(0)
  const invite = world.call({ body: '', contentType: undefined as never })
  await turn(world.clock, 1_000)
  assert.ok((await invite.outcome).answered)
  assert.deepEqual(told(), ['callee none'])
})

test('a handshake that fails ends the call, and both sides are told why', async () => {
  const { port, reasons } = await talk(withCertificate(sdp(callerIp)))
  fails(port)
  await turn(world.clock, 6_000)
  assert.equal(world.endedAs(), 'encryption-failed')
  const [ended] = world.told('call.ended')
  assert.equal(ended?.name === 'call.ended' && ended.by, 'caller')
  const reason = 'SIP;cause=488;text="DTLS handshake failed: bad_certificate"'
  assert.deepEqual(reasons, [reason, reason])
  await world.nothingIsLeft()
})

test('who begins anew and succeeds, or changes to keys in the signalling, talks on', async () => {
  const { dialog, port } = await talk(withCertificate(sdp(callerIp)))
  fails(port)
  await turn(world.clock, 2_000)
  secure(port)
  await turn(world.clock, 10_000)
  assert.equal(world.endedAs(), undefined)
  fails(port)
  void dialog.request('INVITE', description(withKey(sdp(callerIp))))
  await turn(world.clock, 10_000)
  assert.equal(world.endedAs(), undefined)
  assert.deepEqual(told().at(-1), 'caller sdes AES_CM_128_HMAC_SHA1_80')
})

test('a handshake that failed in early media ends the call once it is answered', async () => {
  world.device(0, (invite) => {
    invite.ring(183, description(sdp(deviceIps[0] ?? '')))
    world.clock.after(1_000, () => invite.answer(description(sdp(deviceIps[0] ?? ''))))
  })
  const invite = world.call(description(withCertificate(sdp(callerIp))))
  await turn(world.clock, 500)
  const [port] = world.media.ports
  assert.ok(port)
  fails(port, 'no answer')
  await turn(world.clock, 1_000)
  assert.ok((await invite.outcome).answered)
  assert.equal(world.endedAs(), undefined)
  await turn(world.clock, 6_000)
  assert.equal(world.endedAs(), 'encryption-failed')
})

test('a caller that must be encrypted and is not is told apart from one without a codec', async () => {
  world.dialOptions = { callerSrtp: 'mandatory' }
  const invite = world.call()
  await turn(world.clock, 1_000)
  assert.equal((await invite.outcome).response.status, 488)
  assert.equal(world.endedAs(), 'encryption-failed')
})
