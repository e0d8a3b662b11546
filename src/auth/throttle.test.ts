import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { LoginThrottle } from './throttle.ts'

const guess = (throttle: LoginThrottle, times: number, source: string, name = 'admin'): number[] =>
  Array.from({ length: times }, () => throttle.attempt(source, name))

test('after five guesses a source waits 1 s, then twice as long each time, 15 minutes at most', () => {
  const clock = new FakeClock()
  const throttle = new LoginThrottle(clock)
  assert.deepEqual(guess(throttle, 6, '192.0.2.1'), [0, 0, 0, 0, 0, 1])

  const waits: number[] = []
  for (let round = 0; round < 13; round++) {
    const seconds = throttle.attempt('192.0.2.1', 'admin')
    waits.push(seconds)
    clock.advance(seconds * 1_000)
    throttle.attempt('192.0.2.1', 'admin')
  }
  assert.deepEqual(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900])
})

test('guesses that come all at once are counted before any is known to be wrong', () => {
  const throttle = new LoginThrottle(new FakeClock())
  assert.equal(guess(throttle, 100, '192.0.2.1').filter((wait) => wait === 0).length, 5)
})

test('another source is not held up, nor another name before twenty guesses', () => {
  const throttle = new LoginThrottle(new FakeClock())
  guess(throttle, 10, '192.0.2.1')
  assert.equal(throttle.attempt('192.0.2.2', 'admin'), 0)
  assert.equal(throttle.attempt('192.0.2.1', 'bob'), 0)
  for (let name = 0; name < 13; name++) assert.equal(throttle.attempt('192.0.2.1', `name ${name}`), 0)
  assert.equal(throttle.attempt('192.0.2.1', 'fresh'), 0)
  assert.equal(throttle.attempt('192.0.2.1', 'fresher'), 1)
})

test('a right password forgets the failures of this source with this name', () => {
  const throttle = new LoginThrottle(new FakeClock())
  guess(throttle, 5, '192.0.2.1')
  throttle.succeeded('192.0.2.1', 'admin')
  assert.deepEqual(guess(throttle, 6, '192.0.2.1'), [0, 0, 0, 0, 0, 1])
})

test('signing in over and over again is no attack', () => {
  const throttle = new LoginThrottle(new FakeClock())
  for (let times = 0; times < 200; times++) {
    assert.equal(throttle.attempt('192.0.2.1', 'admin'), 0)
    throttle.succeeded('192.0.2.1', 'admin')
  }
})

test('a name attacked from everywhere leaves each source one guess, and its owner gets in', () => {
  const throttle = new LoginThrottle(new FakeClock())
  for (let host = 0; host < 60; host++) guess(throttle, 1, `198.51.100.${host}`)

  assert.deepEqual(guess(throttle, 2, '203.0.113.1'), [0, 1])
  assert.equal(throttle.attempt('203.0.113.2', 'admin'), 0)
  assert.deepEqual(guess(throttle, 2, '203.0.113.1', 'bob'), [0, 0])
})

test('all addresses of one IPv6 /64 are one source; an IPv4 address in IPv6 dress is itself', () => {
  const throttle = new LoginThrottle(new FakeClock())
  guess(throttle, 5, '2001:db8:1:2::1')
  assert.equal(throttle.attempt('2001:db8:1:2:ffff::9', 'admin'), 1)
  assert.equal(throttle.attempt('2001:db8:1:3::1', 'admin'), 0)
  guess(throttle, 5, '::ffff:192.0.2.1')
  assert.equal(throttle.attempt('192.0.2.1', 'admin'), 1)
  assert.equal(throttle.attempt('::ffff:192.0.2.2', 'admin'), 0)
})

test('an hour without a failure is forgotten', () => {
  const clock = new FakeClock()
  const throttle = new LoginThrottle(clock)
  guess(throttle, 5, '192.0.2.1')
  clock.advance(60 * 60_000 + 1)
  assert.deepEqual(guess(throttle, 6, '192.0.2.1'), [0, 0, 0, 0, 0, 1])
})

test('a million sources take no more memory than ten thousand', () => {
  const throttle = new LoginThrottle(new FakeClock())
  for (let host = 0; host < 20_000; host++) throttle.attempt(`10.0.${host >> 8}.${host & 255}`, `name ${host}`)
  assert.equal(throttle.size, 10_000)
})
