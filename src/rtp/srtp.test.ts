import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type SrtpKey, type SrtpSuite, srtpSuites } from '../core/srtp.ts'
import { printRtp } from './packet.ts'
import { SrtpReceiver, SrtpSender } from './srtp.ts'
import { GcmCipher } from './srtp-ciphers.ts'
import { deriveKey, deriveKeys } from './srtp-keys.ts'
import { AesCounterKeystream } from './srtp-keystream.ts'

interface Packet {
  readonly name: string
  readonly suite: SrtpSuite
  readonly masterKey: string
  readonly masterSalt: string
  readonly rtp: string
  readonly srtp: string
}

interface Vectors {
  readonly aesCmKeystream: { readonly key: string; readonly iv: string; readonly blocks: Record<string, string> }
  readonly keyDerivation: readonly (Record<
    'source' | 'masterKey' | 'masterSalt' | 'cipherKey' | 'cipherSalt' | 'authKey',
    string
  > & { readonly authKey94?: string; readonly srtcp?: Record<'cipherKey' | 'cipherSalt' | 'authKey', string> })[]
  readonly packets: readonly Packet[]
  readonly srtcp: readonly Record<'masterKey' | 'masterSalt' | 'rtcp' | 'srtcp', string>[]
  readonly gcm: readonly Record<'source' | 'sessionKey' | 'sessionSalt' | 'rtp' | 'srtp', string>[]
}

const vectors = JSON.parse(
  readFileSync(new URL('../../test/data/srtp/vectors.json', import.meta.url), 'utf8'),
) as Vectors

const bytesOf = (hex: string): Buffer => Buffer.from(hex, 'hex')
const hexOf = (bytes: Uint8Array | undefined): string | undefined => bytes && Buffer.from(bytes).toString('hex')
const keyOf = ({ masterKey, masterSalt }: { masterKey: string; masterSalt: string }, suite: SrtpSuite): SrtpKey => ({
  suite,
  master: bytesOf(masterKey + masterSalt),
  mkiBytes: 0,
})

const someKey = (suite: SrtpSuite, mkiBytes = 0): SrtpKey => {
  const { keyBytes, saltBytes } = srtpSuites[suite]
  return { suite, master: Buffer.alloc(keyBytes + saltBytes, 0x5a), mkiBytes }
}

const packet = (sequence: number, ssrc = 7, text = `packet ${sequence}`): Uint8Array =>
  printRtp({ marker: false, payloadType: 0, sequence: sequence & 0xffff, timestamp: 160, ssrc }, Buffer.from(text))

const seal = (sender: SrtpSender, bytes: Uint8Array): Uint8Array => {
  const sealed = sender.rtp(bytes, 0, bytes.length)
  assert.ok(sealed)
  return sealed
}

const changedAt = (bytes: Uint8Array, place: number): Uint8Array =>
  bytes.map((byte, at) => (at === place ? byte ^ 1 : byte))

const suites = Object.keys(srtpSuites) as SrtpSuite[]

test('the key stream is that of RFC 3711 B.2', () => {
  const { key, iv, blocks } = vectors.aesCmKeystream
  const keystream = new AesCounterKeystream(bytesOf(key), bytesOf(iv).subarray(0, 14))
  const stream = Buffer.alloc(65_282 * 16)
  keystream.apply(0, 0, stream, 0, stream.length)
  for (const [block, text] of Object.entries(blocks)) {
    const at = Number(block) * 16
    assert.equal(stream.toString('hex', at, at + 16).toUpperCase(), text)
  }
})

test('session keys are those of RFC 3711 B.3 and RFC 6188 §7.2', () => {
  for (const vector of vectors.keyDerivation) {
    const suite = vector.masterKey.length === 64 ? 'AES_256_CM_HMAC_SHA1_80' : 'AES_CM_128_HMAC_SHA1_80'
    const expected = { rtp: vector, rtcp: vector.srtcp }
    for (const kind of ['rtp', 'rtcp'] as const) {
      const { cipherKey, authKey, salt } = deriveKeys(keyOf(vector, suite), kind)
      if (!expected[kind]) continue
      assert.equal(hexOf(cipherKey), expected[kind].cipherKey.toLowerCase(), vector.source)
      assert.equal(hexOf(authKey), expected[kind].authKey.toLowerCase())
      assert.equal(hexOf(salt), expected[kind].cipherSalt.toLowerCase())
    }
    if (vector.authKey94 === undefined) continue
    const long = deriveKey(bytesOf(vector.masterKey), bytesOf(vector.masterSalt), 1, 94)
    assert.equal(hexOf(long)?.toUpperCase(), vector.authKey94)
  }
})

for (const vector of vectors.packets) {
  test(`a packet goes in and comes out as the vector says: ${vector.name}`, () => {
    const key = keyOf(vector, vector.suite)
    assert.equal(hexOf(seal(new SrtpSender(key), bytesOf(vector.rtp))), vector.srtp)
    assert.equal(hexOf(new SrtpReceiver(key).rtp(bytesOf(vector.srtp))), vector.rtp)
  })
}

test('SRTCP goes in and comes out as the reference packet of libsrtp', () => {
  for (const vector of vectors.srtcp) {
    const key = keyOf(vector, 'AES_CM_128_HMAC_SHA1_80')
    assert.equal(hexOf(new SrtpSender(key).rtcp(bytesOf(vector.rtcp))), vector.srtcp)
    assert.equal(hexOf(new SrtpReceiver(key).rtcp(bytesOf(vector.srtcp))), vector.rtcp)
  }
})

test('AES-GCM is that of RFC 7714 §16', () => {
  for (const { source, sessionKey, sessionSalt, rtp, srtp } of vectors.gcm) {
    const cipher = new GcmCipher({ cipherKey: bytesOf(sessionKey), salt: bytesOf(sessionSalt) })
    const plain = bytesOf(rtp)
    const bytes = Buffer.concat([plain, Buffer.alloc(16)])
    const [ssrc, index] = [plain.readUInt32BE(8), plain.readUInt16BE(2)]
    const place = { ssrc, index, bodyStart: 12, bodyEnd: plain.length, tagAt: plain.length }
    cipher.seal(bytes, place)
    assert.equal(hexOf(bytes), srtp, source)
    assert.ok(cipher.open(bytes, place))
    assert.equal(hexOf(bytes.subarray(0, plain.length)), rtp)
  }
})

for (const suite of suites) {
  test(`${suite}: all packets and reports come out as they went in, through two wraps of the sequence number`, () => {
    const sender = new SrtpSender(someKey(suite))
    const receiver = new SrtpReceiver(someKey(suite))
    for (let sequence = 65_000; sequence < 65_000 + 140_000; sequence += 97) {
      const plain = packet(sequence)
      assert.equal(hexOf(receiver.rtp(seal(sender, plain))), hexOf(plain))
    }
    const report = Buffer.from('81c9000700000007', 'hex')
    for (let i = 0; i < 3; i++) {
      const sealed = sender.rtcp(report)
      assert.ok(sealed)
      assert.equal(hexOf(receiver.rtcp(sealed)), hexOf(report))
    }
  })

  test(`${suite}: no byte of a packet or report can be changed, and nothing is taken twice`, () => {
    const sender = new SrtpSender(someKey(suite))
    const receiver = new SrtpReceiver(someKey(suite))
    const sealed = seal(sender, packet(1))
    const report = sender.rtcp(Buffer.from('81c9000700000007aabbccdd', 'hex'))
    assert.ok(report)
    for (let at = 0; at < sealed.length; at++) {
      const forged = changedAt(sealed, at)
      assert.equal(receiver.rtp(forged), undefined, `byte ${at}`)
    }
    for (let at = 0; at < report.length; at++) {
      const forged = changedAt(report, at)
      assert.equal(receiver.rtcp(forged), undefined, `byte ${at} of the report`)
    }
    assert.ok(receiver.rtp(Buffer.from(sealed)))
    assert.equal(receiver.rtp(Buffer.from(sealed)), undefined)
    assert.ok(receiver.rtcp(Buffer.from(report)))
    assert.equal(receiver.rtcp(Buffer.from(report)), undefined)
  })
}

test('packets out of order are taken once within the window, also around a wrap, and never beyond it', () => {
  const sender = new SrtpSender(someKey('AES_CM_128_HMAC_SHA1_80'))
  const receiver = new SrtpReceiver(someKey('AES_CM_128_HMAC_SHA1_80'))
  const sealed = Array.from({ length: 300 }, (_, i) => seal(sender, packet(65_400 + i)))
  const take = (i: number) => receiver.rtp(Buffer.from(sealed[i] ?? []))
  assert.equal(hexOf(take(0)), hexOf(packet(65_400)))
  assert.equal(hexOf(take(200)), hexOf(packet(65_600)))
  assert.equal(hexOf(take(100)), hexOf(packet(65_500)), 'before the wrap, after packets behind it')
  assert.equal(take(100), undefined)
  assert.equal(take(200), undefined)
  assert.equal(take(72), undefined, '128 behind')
  assert.ok(take(73))
})

test('who hears of a stream only after its sequence number began anew still reads it', () => {
  const sender = new SrtpSender(someKey('AES_CM_128_HMAC_SHA1_80'))
  seal(sender, packet(65_535))
  const late = seal(sender, packet(65_540))
  assert.equal(hexOf(new SrtpReceiver(someKey('AES_CM_128_HMAC_SHA1_80')).rtp(late)), hexOf(packet(65_540)))
})

test('streams of one key count their numbers each for itself', () => {
  const sender = new SrtpSender(someKey('AES_CM_128_HMAC_SHA1_80'))
  const receiver = new SrtpReceiver(someKey('AES_CM_128_HMAC_SHA1_80'))
  for (let sequence = 60_000; sequence < 80_000; sequence += 500) {
    for (const ssrc of [1, 2]) {
      const plain = packet(sequence + ssrc * 20_000, ssrc)
      assert.equal(hexOf(receiver.rtp(seal(sender, plain))), hexOf(plain))
    }
  }
})

test('a number is not used for two packets: the second one is not sent', () => {
  const sender = new SrtpSender(someKey('AES_CM_128_HMAC_SHA1_80'))
  seal(sender, packet(9, 7, 'first'))
  const second = packet(9, 7, 'second')
  assert.equal(sender.rtp(second, 0, second.length), undefined)
})

test('the number of the key that a peer puts into its packets is passed over (RFC 3711 §3.1, RFC 7714 §8.2)', () => {
  for (const suite of suites) {
    const { rtpTagBytes, rtcpTagBytes, kind } = srtpSuites[suite]
    const sender = new SrtpSender(someKey(suite))
    const receiver = new SrtpReceiver(someKey(suite, 4))
    const mki = Buffer.from('00000001', 'hex')
    const withMki = (sealed: Uint8Array | undefined, tagBytes: number): Uint8Array => {
      assert.ok(sealed)
      const at = kind === 'gcm' ? sealed.length : sealed.length - tagBytes
      return Buffer.concat([sealed.subarray(0, at), mki, sealed.subarray(at)])
    }
    assert.equal(hexOf(receiver.rtp(withMki(seal(sender, packet(1)), rtpTagBytes))), hexOf(packet(1)))
    const report = Buffer.from('81c9000700000007aabbccdd', 'hex')
    assert.equal(hexOf(receiver.rtcp(withMki(sender.rtcp(report), rtcpTagBytes))), hexOf(report))
  }
})

test('a packet of any length and any bytes is read or refused, never a fault', () => {
  for (const suite of suites) {
    const receiver = new SrtpReceiver(someKey(suite, 1))
    for (let length = 0; length < 60; length++) {
      for (const first of [0x00, 0x80, 0x90, 0x9f, 0xff]) {
        assert.equal(receiver.rtp(Buffer.alloc(length, first)), undefined)
        assert.equal(receiver.rtcp(Buffer.alloc(length, first)), undefined)
      }
    }
  }
})

test('the key stream that was made ready is that of each packet alone, in any order and of any size', () => {
  const [key, salt] = [Buffer.alloc(16, 1), Buffer.alloc(14, 2)]
  const kept = new AesCounterKeystream(key, salt)
  for (let step = 0; step < 300; step++) {
    const index = step % 7 === 6 ? step - 5 : step + (step % 90 === 0 ? 70_000 : 0)
    const size = (step * 37) % 1200
    const [bytes, expected] = [Buffer.alloc(size), Buffer.alloc(size)]
    kept.apply(step % 11 === 0 ? 8 : 7, index, bytes, 0, size)
    new AesCounterKeystream(key, salt).apply(step % 11 === 0 ? 8 : 7, index, expected, 0, size)
    assert.equal(bytes.toString('hex'), expected.toString('hex'), `packet ${index}, ${size} bytes`)
  }
})

test('a new key goes on with the roll-over counter of the old one; a peer that starts it anew is read too (RFC 3711 §3.3.1)', () => {
  const suite = 'AES_CM_128_HMAC_SHA1_80'
  const oldSender = new SrtpSender(someKey(suite))
  const oldReceiver = new SrtpReceiver(someKey(suite))
  for (const sequence of [65_535, 97_000, 129_000, 131_080])
    assert.ok(oldReceiver.rtp(seal(oldSender, packet(sequence))))
  const nextKey = { ...someKey(suite), master: Buffer.alloc(30, 0x77) }
  for (const sender of [new SrtpSender(nextKey, oldSender), new SrtpSender(nextKey)]) {
    const receiver = new SrtpReceiver(nextKey, oldReceiver)
    assert.equal(hexOf(receiver.rtp(seal(sender, packet(131_081)))), hexOf(packet(131_081)))
    assert.equal(hexOf(receiver.rtp(seal(sender, packet(131_082)))), hexOf(packet(131_082)))
  }
})

test('who takes up a stream that has run for hours finds its roll-over counter, up to what was said, and keeps to it', () => {
  for (const suite of ['AES_CM_128_HMAC_SHA1_80', 'AEAD_AES_256_GCM'] as const) {
    const sender = new SrtpSender(someKey(suite))
    // The highest number has to be reached in steps of less than half of what a sequence number can say.
    for (let number = 0; number < 300_000; number += 30_000) seal(sender, packet(number))
    const [first, second] = [seal(sender, packet(300_000)), seal(sender, packet(300_001))]
    const late = new SrtpReceiver(someKey(suite), undefined, 10)
    assert.equal(hexOf(late.rtp(Uint8Array.from(first))), hexOf(packet(300_000)))
    assert.equal(hexOf(late.rtp(second)), hexOf(packet(300_001)))
    assert.equal(new SrtpReceiver(someKey(suite), undefined, 3).rtp(first), undefined)
  }
})
