import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Fingerprint } from '../core/dtls.ts'
import type { SrtpKeys } from '../media/types.ts'
import { usableCryptos } from '../sdp/crypto.ts'
import type { SdpAttribute, SdpMedia } from '../sdp/types.ts'
import { CallError } from './failures.ts'
import { type AgreedKeys, LegCrypto, type SrtpMode } from './leg-crypto.ts'

const media = (protocol: string, attributes: readonly SdpAttribute[] = []): SdpMedia => ({
  type: 'audio',
  port: 4000,
  protocol,
  formats: ['0'],
  attributes,
  otherLines: [],
})

const keyText = (fill: number, bytes = 30): string => Buffer.alloc(bytes, fill).toString('base64')
const line = (text: string): SdpAttribute => ({ name: 'crypto', value: text })
const sha80 = (tag: number, fill = tag): SdpAttribute => line(`${tag} AES_CM_128_HMAC_SHA1_80 inline:${keyText(fill)}`)

/** Keys that stand in the description. */
function sdes(keys: AgreedKeys | undefined): SrtpKeys | undefined {
  assert.ok(keys === undefined || 'send' in keys)
  return keys
}

const refused = (act: () => unknown): void =>
  assert.throws(act, (error) => error instanceof CallError && error.code === 'call.no-common-encryption')

/** What each mode makes of an offer: encrypted, plain, or refused. */
function outcome(mode: SrtpMode, offer: SdpMedia): string {
  const crypto = new LegCrypto(mode)
  if (!crypto.takes(offer)) {
    refused(() => crypto.answer(offer))
    return 'refused'
  }
  const { keys, attributes } = crypto.answer(offer)
  assert.equal(attributes.length, keys ? 1 : 0)
  return keys ? 'encrypted' : 'plain'
}

const offers = {
  plain: media('RTP/AVP'),
  opportunistic: media('RTP/AVP', [sha80(1)]),
  secure: media('RTP/SAVP', [sha80(1)]),
  'secure without a key': media('RTP/SAVP'),
}

for (const [mode, expected] of Object.entries({
  none: ['plain', 'plain', 'refused', 'refused'],
  accepted: ['plain', 'encrypted', 'encrypted', 'refused'],
  optional: ['plain', 'encrypted', 'encrypted', 'refused'],
  mandatory: ['refused', 'encrypted', 'encrypted', 'refused'],
})) {
  test(`${mode}: offers are answered ${expected.join(', ')} (${Object.keys(offers).join(', ')})`, () => {
    assert.deepEqual(
      Object.values(offers).map((offer) => outcome(mode as SrtpMode, offer)),
      expected,
    )
  })
}

test('each mode offers what it says', () => {
  const offered = (['none', 'accepted', 'optional', 'mandatory'] as const).map((mode) => {
    const { protocol, attributes } = new LegCrypto(mode).offer()
    return `${protocol} ${attributes.length > 0}`
  })
  assert.deepEqual(offered, ['RTP/AVP false', 'RTP/AVP false', 'RTP/AVP true', 'RTP/SAVP true'])
})

test('the first line of the offer that we know is answered with its tag, and a key of ours (RFC 4568 §5.1.2)', () => {
  const crypto = new LegCrypto('accepted')
  const unknown = line(`1 F8_128_HMAC_SHA1_80 inline:${keyText(1)}`)
  const { keys: agreed, attributes } = crypto.answer(media('RTP/SAVP', [unknown, sha80(5), sha80(6)]))
  const keys = sdes(agreed)
  const [ours] = usableCryptos(media('RTP/SAVP', attributes))
  assert.equal(ours?.tag, 5)
  assert.deepEqual(keys?.send, ours?.key)
  assert.deepEqual(keys?.receive.master, new Uint8Array(30).fill(5))
  assert.notDeepEqual(keys?.send.master, keys?.receive.master)
})

test('the answer names one of our lines; keys are ours for it and those of the peer', () => {
  const crypto = new LegCrypto('optional')
  const { attributes } = crypto.offer()
  const ours = usableCryptos(media('RTP/AVP', attributes)).find(({ key }) => key.suite === 'AES_CM_128_HMAC_SHA1_80')
  assert.ok(ours)
  const keys = sdes(crypto.takeAnswer(media('RTP/AVP', [sha80(ours.tag, 9)])))
  assert.deepEqual(keys?.send, ours.key)
  assert.deepEqual(keys?.receive.master, new Uint8Array(30).fill(9))
})

test('an answer in plain is taken when encryption is optional, and refused when it is not', () => {
  const optional = new LegCrypto('optional')
  optional.offer()
  assert.equal(optional.takeAnswer(media('RTP/AVP')), undefined)
  const mandatory = new LegCrypto('mandatory')
  mandatory.offer()
  refused(() => mandatory.takeAnswer(media('RTP/SAVP')))
  refused(() => mandatory.takeAnswer(media('RTP/AVP')))
})

test('an announcement in plain before the answer does not keep the answer from being encrypted', () => {
  const crypto = new LegCrypto('optional')
  crypto.offer()
  assert.equal(crypto.takeAnswer(media('RTP/AVP')), undefined)
  assert.ok(crypto.takeAnswer(media('RTP/AVP', [sha80(1)])))
})

test('an answer with a tag or a suite that was not offered is refused', () => {
  const crypto = new LegCrypto('optional')
  crypto.offer()
  refused(() => crypto.takeAnswer(media('RTP/AVP', [sha80(99)])))
  refused(() => crypto.takeAnswer(media('RTP/AVP', [sha80(2)])))
  refused(() => new LegCrypto('accepted').takeAnswer(media('RTP/AVP', [sha80(1)])))
})

test('what was encrypted once is not made plain by a later offer or answer, nor on another port', () => {
  const crypto = new LegCrypto('accepted')
  crypto.answer(offers.secure)
  refused(() => crypto.answer(offers.plain))
  crypto.offer()
  refused(() => crypto.takeAnswer(media('RTP/SAVP')))
  refused(() => crypto.onAnotherPort().answer(offers.plain))
})

test('a new key of the peer is taken, ours stays; another suite makes a new one of ours', () => {
  const crypto = new LegCrypto('accepted')
  const first = sdes(crypto.answer(media('RTP/SAVP', [sha80(1)])).keys)
  const second = sdes(crypto.answer(media('RTP/SAVP', [sha80(2)])).keys)
  assert.deepEqual(second?.send, first?.send)
  assert.notDeepEqual(second?.receive, first?.receive)
  const gcm = line(`1 AEAD_AES_256_GCM inline:${keyText(3, 44)}`)
  const third = sdes(crypto.answer(media('RTP/SAVP', [gcm])).keys)
  assert.equal(third?.send.suite, 'AEAD_AES_256_GCM')
  assert.notDeepEqual(third.send, first?.send)
})

test('an offer of ours in an encrypted call keeps protocol, suite and key; on another port the key is new', () => {
  const crypto = new LegCrypto('accepted')
  const keys = sdes(crypto.answer(offers.secure).keys)
  const { protocol, attributes } = crypto.offer()
  assert.equal(protocol, 'RTP/SAVP')
  assert.deepEqual(
    usableCryptos(media(protocol, attributes)).map(({ key }) => key),
    [keys?.send],
  )
  const moved = crypto.onAnotherPort().offer()
  assert.equal(moved.protocol, 'RTP/SAVP')
  const suites = usableCryptos(media('RTP/SAVP', moved.attributes))
  assert.ok(
    suites.length > 1 &&
      suites.every(({ key }) => !Buffer.from(key.master).equals(keys?.send.master ?? Buffer.alloc(0))),
  )
})

const own = (): Fingerprint => ({ hash: 'sha-256', value: '01:02' })
const theirs = { hash: 'sha-256', value: 'AB:CD' }
const certificate = (setup = 'actpass', value = theirs.value): SdpAttribute[] => [
  { name: 'fingerprint', value: `sha-256 ${value}` },
  { name: 'setup', value: setup },
]
const dtls = (setup = 'actpass') => media('UDP/TLS/RTP/SAVPF', certificate(setup))
const withDtls = (mode: SrtpMode, browser = false) => new LegCrypto(mode, { own, browser })
const textOf = (attributes: readonly SdpAttribute[]) => attributes.map(({ name, value }) => `${name}:${value}`)

test('an offer with a certificate is answered with ours; the hello is left to its writer when it may choose', () => {
  for (const [setup, side, ours] of [
    ['actpass', 'server', 'passive'],
    ['active', 'server', 'passive'],
    ['passive', 'client', 'active'],
  ] as const) {
    const { keys, attributes } = withDtls('accepted').answer(dtls(setup))
    assert.deepEqual(keys, { side, fingerprints: [theirs] })
    assert.deepEqual(textOf(attributes), [`setup:${ours}`, 'fingerprint:sha-256 01:02'])
  }
})

test('DTLS is taken by all modes but none, and by that from browsers; without a certificate of ours by nobody', () => {
  for (const mode of ['accepted', 'optional', 'mandatory', 'dtls'] as const)
    assert.ok(withDtls(mode).takes(dtls()), mode)
  assert.equal(withDtls('none').takes(dtls()), false)
  assert.ok(withDtls('none', true).takes(dtls()))
  assert.equal(new LegCrypto('accepted').takes(dtls()), false)
  assert.equal(withDtls('accepted').takes(media('UDP/TLS/RTP/SAVPF')), false, 'no certificate of theirs')
  assert.equal(withDtls('accepted').takes(dtls('holdconn')), false)
  const md5 = media('UDP/TLS/RTP/SAVP', [{ name: 'fingerprint', value: 'md5 AB:CD' }])
  assert.equal(withDtls('accepted').takes(md5), false)
})

test('browsers, and who is to have it, are offered DTLS and answer with a certificate, or get no call', () => {
  assert.equal(withDtls('accepted', true).offer().protocol, 'UDP/TLS/RTP/SAVPF')
  const crypto = withDtls('dtls')
  const { protocol, attributes } = crypto.offer()
  assert.equal(protocol, 'UDP/TLS/RTP/SAVP')
  assert.deepEqual(textOf(attributes), ['setup:actpass', 'fingerprint:sha-256 01:02'])
  refused(() => crypto.takeAnswer(media('RTP/AVP')))
  refused(() => crypto.takeAnswer(media('RTP/SAVP', [sha80(1)])))
  assert.deepEqual(crypto.takeAnswer(dtls('active')), { side: 'server', fingerprints: [theirs] })
  assert.deepEqual(withDtls('dtls', true).takeAnswer(dtls('passive')), { side: 'client', fingerprints: [theirs] })
})

test('opportunistic: a certificate beside plain RTP is taken, and before keys in the description (RFC 8643)', () => {
  const both = media('RTP/AVP', [...certificate(), sha80(1)])
  assert.deepEqual(withDtls('accepted').answer(both).keys, { side: 'server', fingerprints: [theirs] })
  assert.equal(withDtls('none').answer(both).keys, undefined)
  assert.ok(sdes(new LegCrypto('accepted').answer(both).keys), 'without a certificate of ours the keys are taken')
})

test('a call encrypted by DTLS stays so, and keeps who is the server when the peer offers again', () => {
  const crypto = withDtls('accepted')
  crypto.answer(dtls('passive'))
  refused(() => crypto.answer(offers.plain))
  const { keys } = crypto.answer(dtls('actpass'))
  assert.deepEqual(keys, { side: 'client', fingerprints: [theirs] })
  assert.equal(crypto.offer().protocol, 'UDP/TLS/RTP/SAVPF')
  const moved = crypto.onAnotherPort(own)
  assert.equal(moved.offer().protocol, 'UDP/TLS/RTP/SAVPF')
  refused(() => moved.takeAnswer(media('RTP/AVP')))
})

test('keys in the description are not changed for a certificate in mid-call', () => {
  const crypto = withDtls('accepted')
  crypto.answer(media('RTP/SAVP', [sha80(1)]))
  assert.ok(sdes(crypto.answer(media('RTP/SAVP', [sha80(1), ...certificate()])).keys))
})

test('an answer of ours that is offered again, to refresh the session, is answered by a new key', () => {
  const crypto = new LegCrypto('accepted')
  const first = crypto.answer(media('RTP/SAVP', [sha80(7)]))
  const again = sdes(crypto.takeAnswer(media('RTP/SAVP', [sha80(7, 9)])))
  assert.equal(again?.send, sdes(first.keys)?.send)
  assert.deepEqual(again?.receive.master, new Uint8Array(30).fill(9))
})
