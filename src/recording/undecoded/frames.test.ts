import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formOf, forms } from './frames.ts'

const bytes = (length: number, first = 0): Uint8Array =>
  Uint8Array.from({ length }, (_, i) => (i === 0 ? first : i * 7))
const read = (codec: string, payload: Uint8Array) =>
  forms[codec]
    ?.framesOf(payload)
    ?.map((frame) => ({ hex: Buffer.from(frame.bytes).toString('hex'), speech: frame.speech }))

test('G.729: frames of ten bytes, and one of two for silence last (RFC 3551 §4.5.6)', () => {
  const two = read('g729', bytes(22))
  assert.deepEqual(
    two?.map(({ speech }) => speech),
    [true, true, false],
  )
  assert.equal(two?.[1]?.hex, Buffer.from(bytes(22).subarray(10, 20)).toString('hex'))
  assert.equal(read('g729', bytes(13)), undefined)
})

test('AMR: the example of RFC 4867 §4.3.5.1 and the same frame octet-aligned give one frame of a file', () => {
  // CMR 6 (no request is 15), no further frame, type 4 (7.4 kbit/s), good: 148 bits of ones.
  const speech = 148
  const packed = `0110001001${'1'.repeat(speech)}`.padEnd(160, '0')
  const efficient = Uint8Array.from({ length: 20 }, (_, i) => Number.parseInt(packed.slice(i * 8, i * 8 + 8), 2))
  const aligned = Uint8Array.of(0x60, (4 << 3) | 4, ...new Uint8Array(18).fill(0xff), 0xf0)
  const inFile = Buffer.from([(4 << 3) | 4, ...new Uint8Array(18).fill(0xff), 0xf0]).toString('hex')
  assert.deepEqual(read('amr', efficient), [{ hex: inFile, speech: true }])
  assert.deepEqual(read('amr', aligned), [{ hex: inFile, speech: true }])
})

test('AMR-WB: several frames in a packet, silence and no data among them', () => {
  const toc = [0x80 | (8 << 3) | 4, 0x80 | (9 << 3) | 4, (15 << 3) | 4]
  const payload = Uint8Array.of(0xf0, ...toc, ...bytes(60), ...bytes(5))
  const frames = forms['amr-wb']?.framesOf(payload)
  assert.deepEqual(
    frames?.map((frame) => [frame.bytes.length, frame.speech]),
    [
      [61, true],
      [6, false],
      [1, false],
    ],
  )
  assert.equal(read('amr-wb', payload.subarray(0, 20)), undefined)
})

test('EVS: compact by its length, header-full by its table of contents (TS 26.445 A.2.1)', () => {
  assert.deepEqual(
    forms['evs']?.framesOf(bytes(33))?.map((frame) => [frame.bytes[0], frame.bytes.length, frame.speech]),
    [[4, 34, true]],
  )
  assert.deepEqual(
    forms['evs']?.framesOf(bytes(6))?.map((frame) => [frame.bytes[0], frame.speech]),
    [[12, false]],
  )
  assert.deepEqual(
    forms['evs']?.framesOf(bytes(7))?.map((frame) => [frame.bytes[0], frame.speech]),
    [[0, true]],
  )
  // A request, two frames of 13.2 kbit/s.
  const full = Uint8Array.of(0x84, 0x44, 0x04, ...bytes(33), ...bytes(33))
  assert.deepEqual(
    forms['evs']?.framesOf(full)?.map((frame) => [frame.bytes[0], frame.bytes.length]),
    [
      [4, 34],
      [4, 34],
    ],
  )
  // AMR-WB IO at 12.65 kbit/s, good; with a byte of padding, for 33 bytes would be a compact packet.
  assert.deepEqual(
    forms['evs']?.framesOf(Uint8Array.of(0x32, ...bytes(32), 0))?.map((frame) => frame.bytes[0]),
    [0x32],
  )
  assert.equal(forms['evs']?.framesOf(bytes(5)), undefined)
})

test('a codec that is named like what every object has is unknown', () => {
  for (const name of ['constructor', '__proto__', '', undefined]) assert.equal(formOf(name), undefined)
  assert.ok(formOf('g729'))
})
