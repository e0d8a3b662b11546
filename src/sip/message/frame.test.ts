import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contentLength, findHeadEnd, skipBlankLines } from './frame.ts'

const length = (text: string) => contentLength(Buffer.from(text))

test('the head ends after its empty line, whichever way lines end', () => {
  for (const text of ['A\r\nB\r\n\r\n', 'A\nB\n\n', 'A\r\nB\n\r\n', 'A\r\nB\r\n\n']) {
    assert.equal(findHeadEnd(Buffer.from(`${text}body\r\n\r\n`), 0), text.length, JSON.stringify(text))
  }
  assert.equal(findHeadEnd(Buffer.from('A\r\nB\r\n'), 0), -1)
  assert.equal(findHeadEnd(Buffer.from('A\r\nB\r\n\r'), 0), -1)
})

test('looking on from three bytes before the old end finds it wherever the pieces were cut', () => {
  const whole = Buffer.from('A\r\nB\r\n\r\nbody')
  for (let cut = 0; cut < 8; cut++) {
    assert.equal(findHeadEnd(whole.subarray(0, cut), 0), -1)
    assert.equal(findHeadEnd(whole, Math.max(0, cut - 3)), 8, `${cut}`)
  }
})

test('Content-Length is read in every spelling', () => {
  assert.equal(length('X\r\nContent-Length: 12\r\n\r\n'), 12)
  assert.equal(length('X\r\nl:0\r\n\r\n'), 0)
  assert.equal(length('X\ncontent-LENGTH \t:\n  7\n\n'), 7)
  assert.equal(length('X\r\nContent-Lengthy: 12\r\nSubject: l: 4\r\n\r\n'), 'absent')
})

test('a length that could be read in two ways is malformed', () => {
  for (const value of ['-1', '+1', '1,1', '1 2', '0x10', '', '1e3', '\u00a05']) {
    assert.equal(length(`X\r\nl: ${value}\r\n\r\n`), 'malformed', value)
  }
  assert.equal(length('X\r\nl: 4\r\nContent-Length: 4\r\n\r\n'), 'malformed')
})

test('blank lines between messages are skipped (RFC 3261 §7.5)', () => {
  assert.equal(skipBlankLines(Buffer.from('\r\n\r\n\nX\r\n'), 0), 5)
  assert.equal(skipBlankLines(Buffer.from('\r\n'), 0), 2)
})

test('a bare carriage return starts no line, and other white space is no blank: as the parser has it', () => {
  assert.equal(length('X\r\nVia: x;branch=\rContent-Length: 5\r\nl: 150\r\n\r\n'), 150)
  assert.equal(length('X\r\nl: 0\r\v\r\n\r\n'), 'malformed')
})
