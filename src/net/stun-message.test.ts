import assert from 'node:assert/strict'
import { test } from 'node:test'
import { answerBinding, answeredStunId, bindingRequest, isStun, mappedIn } from './stun-message.ts'

/** The sample responses of RFC 5769 §2.2 and §2.3, without what follows the address. */
const id = Buffer.from('b7e7a701bc34d686fa87dfae', 'hex')
const sample = (attribute: string) =>
  Buffer.from(
    `0101${(attribute.length / 2).toString(16).padStart(4, '0')}2112a442b7e7a701bc34d686fa87dfae${attribute}`,
    'hex',
  )
const software = '8022000b7465737420766563746f7220'
const ipv4 = '002000080001a147e112a643'
const ipv6 = '002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9'

test('the sample responses hold 192.0.2.1 and 2001:db8:1234:5678:11:2233:4455:6677 (RFC 5769 §2.2, §2.3)', () => {
  assert.deepEqual(mappedIn(sample(software + ipv4), id), { ip: '192.0.2.1', port: 32853 })
  assert.deepEqual(mappedIn(sample(software + ipv6), id), { ip: '2001:db8:1234:5678:11:2233:4455:6677', port: 32853 })
  const old = mappedIn(sample('0001000800010050c6336401'), id)
  assert.deepEqual(old, { ip: '198.51.100.1', port: 80 }, 'MAPPED-ADDRESS of RFC 3489')
})

test('an answer to another request, cut short or without an address is none', () => {
  const answer = sample(software + ipv4)
  assert.equal(mappedIn(answer, Buffer.alloc(12)), undefined)
  for (let length = 0; length < answer.length; length++)
    assert.equal(mappedIn(answer.subarray(0, length), id), undefined)
  assert.equal(mappedIn(sample(software), id), undefined)
})

const from = { ip: '192.0.2.1', port: 32853 }

test('the sample request of RFC 5769 §2.1 is refused for what only ICE understands, with a fingerprint', () => {
  const request = Buffer.from(
    '000100582112a442b7e7a701bc34d686fa87dfae802200105354554e207465737420636c69656e74002400046e0001ff' +
      '80290008932ff9b151263b36000600096576746a3a68367659202020000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2' +
      '80280004e57a3bcf',
    'hex',
  )
  const answer = answerBinding(request, from)
  assert.equal(answer?.toString('hex', 0, 2), '0111')
  assert.ok(answer?.includes('Unknown Attribute'))
  assert.equal(answer.readUInt16BE(2), answer.length - 20)
  assert.equal(answer.toString('hex', answer.length - 8, answer.length - 4), '80280004')
  request[30] = 0x20 // one bit wrong: the fingerprint says so
  assert.equal(answerBinding(request, from), undefined)
})

test('a Binding request is answered with the address it came from, IPv4 and IPv6 (RFC 5389 §15.2)', () => {
  for (const ip of ['192.0.2.1', '2001:db8::7']) {
    const answer = answerBinding(bindingRequest(id), { ip, port: 5062 })
    assert.deepEqual(answer && mappedIn(answer, id), { ip, port: 5062 })
    assert.equal(answer && answeredStunId(answer), id.toString('hex'))
  }
})

test('nothing is said to indications, answers, broken requests and SIP', () => {
  const request = bindingRequest(id)
  const changed = (at: number, ...bytes: number[]): Buffer => {
    const copy = Buffer.concat([request, Buffer.from('00060001', 'hex')])
    copy.writeUInt16BE(4, 2)
    copy.set(bytes, at)
    return copy
  }
  for (const [why, bytes] of [
    ['an indication', changed(0, 0x00, 0x11)],
    ['an answer', changed(0, 0x01, 0x01)],
    ['another cookie', changed(4, 0)],
    ['a wrong length', changed(2, 0, 8)],
    ['an attribute that ends behind the message', changed(0)],
    ['SIP', Buffer.from('OPTIONS sip:a@x SIP/2.0\r\n\r\n')],
    ['a short one', request.subarray(0, 19)],
  ] as const)
    assert.equal(answerBinding(bytes, from), undefined, why)
  assert.equal(isStun(Buffer.from('OPTIONS sip:a@x SIP/2.0\r\n\r\n')), false)
})
