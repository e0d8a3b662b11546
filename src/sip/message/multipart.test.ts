import assert from 'node:assert/strict'
import { test } from 'node:test'
import { leafParts, multipartLimits, parseMultipart, printMultipart } from './multipart.ts'

const lines = (...text: string[]) => Buffer.from(text.join('\r\n'))
const shape = (contentType: string, body: Buffer) =>
  parseMultipart(contentType, body)?.map((part) => `${part.contentType.type}=${Buffer.from(part.body).toString()}`)

const two = [
  '--b',
  'Content-Type: application/sdp',
  '',
  'v=0',
  '--b',
  'Content-Type: application/rs-metadata+xml',
  '',
  '<x/>',
]
const parts = ['application/sdp=v=0', 'application/rs-metadata+xml=<x/>']

test('two parts come out in their order, without the line end before each boundary (RFC 2046 §5.1)', () => {
  assert.deepEqual(shape('multipart/mixed;boundary=b', lines(...two, '--b--', '')), parts)
  assert.deepEqual(
    shape('multipart/mixed;boundary=b', lines(...two.slice(4), ...two.slice(0, 4), '--b--')),
    parts.toReversed(),
  )
})

test('preamble, epilogue and blanks after a boundary do not count', () => {
  const body = lines(
    'preamble',
    '--b is not alone here',
    ...two.map((line) => (line === '--b' ? '--b \t' : line)),
    '--b--  ',
    'epilogue',
    '--b',
  )

  assert.deepEqual(shape('multipart/mixed;boundary=b', body), parts)
})

test('bare line feeds, and a last boundary that never comes', () => {
  assert.deepEqual(shape('multipart/mixed;boundary=b', Buffer.from(`${two.join('\n')}\n`)), parts)
  assert.deepEqual(shape('multipart/mixed;boundary=b', lines(...two, '')), parts)
  assert.deepEqual(shape('multipart/mixed;boundary=b', lines(...two)), parts)
})

test('boundaries with every legal character, quoted or not, and longer than 70', () => {
  for (const boundary of ["=_'()+,-./:?", 'x'.repeat(100), '----', 'a']) {
    const body = lines(...two, '--b--')
      .toString()
      .replaceAll('--b', `--${boundary}`)
    for (const written of [boundary, `"${boundary}"`]) {
      const type = `Multipart/Mixed; type=application/sdp ; Boundary=${written}`
      assert.deepEqual(shape(type, Buffer.from(body)), parts, written)
    }
  }
})

test('a boundary inside a line of content is content', () => {
  const body = lines('--b', '', 'x--b', '--bb', '--b--b', ' --b', '--b--')

  assert.deepEqual(shape('multipart/mixed;boundary=b', body), ['text/plain=x--b\r\n--bb\r\n--b--b\r\n --b'])
})

test('header names in any case, no space after the colon, folding, and unknown ones kept', () => {
  const body = lines('--b', 'content-TYPE:application/sdp;', ' charset=x', 'X-Other:1', 'no colon', '', 'v=0', '--b--')
  const [part] = parseMultipart('multipart/mixed;boundary=b', body) ?? []

  assert.equal(part?.contentType.type, 'application/sdp')
  assert.equal(part.contentType.params.get('charset'), 'x')
  assert.equal(part.headers.get('x-other'), '1')
})

test('a part without headers is plain text (RFC 2046 §5.2)', () => {
  assert.deepEqual(shape('multipart/mixed;boundary=b', lines('--b', '', 'text', '--b--')), ['text/plain=text'])
})

test('base64 is undone, binary is left alone', () => {
  const body = lines(
    '--b',
    'Content-Transfer-Encoding: BASE64',
    '',
    'aGVs',
    'bG8=',
    '--b',
    'Content-Transfer-Encoding: binary',
    '',
    'aGVs',
    '--b--',
  )

  assert.deepEqual(shape('multipart/mixed;boundary=b', body), ['text/plain=hello', 'text/plain=aGVs'])
})

test('parts in parts are found', () => {
  const inner = printMultipart([{ contentType: 'application/sdp', body: 'v=0' }], 'inner')
  const outer = printMultipart([
    { contentType: inner.contentType, body: inner.body },
    {
      contentType: 'application/rs-metadata+xml',
      headers: { 'Content-Disposition': 'recording-session' },
      body: '<x/>',
    },
  ])
  const found = parseMultipart(outer.contentType, outer.body) ?? []

  assert.equal(found.length, 2)
  assert.equal(found[1]?.headers.get('content-disposition'), 'recording-session')
  assert.deepEqual(
    leafParts(found).map(({ contentType }) => contentType.type),
    ['application/sdp', 'application/rs-metadata+xml'],
  )
})

test('what is printed reads back byte for byte', () => {
  const binary = Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))
  for (const boundary of ['plain', "=_'()+,-./:?", undefined]) {
    const printed = printMultipart([{ contentType: 'application/octet-stream', body: binary }], boundary)
    const [part] = parseMultipart(printed.contentType, printed.body) ?? []
    assert.deepEqual(Buffer.from(part?.body ?? []), binary)
  }
})

test('what is no multipart, has no boundary, or never uses it, is refused', () => {
  const body = lines(...two, '--b--')

  assert.equal(parseMultipart('application/sdp', body), undefined)
  assert.equal(parseMultipart('multipart/mixed', body), undefined)
  assert.equal(parseMultipart('multipart/mixed;boundary=', body), undefined)
  assert.equal(parseMultipart('multipart/mixed;boundary="b', body), undefined)
  assert.equal(parseMultipart('multipart/mixed;boundary=other', body), undefined)
})

test('parts and depth are bounded', () => {
  const many = `${'--b\r\n\r\nx\r\n'.repeat(multipartLimits.parts * 4)}--b--`
  assert.equal(parseMultipart('multipart/mixed;boundary=b', Buffer.from(many))?.length, multipartLimits.parts)

  let nested = printMultipart([{ contentType: 'text/plain', body: 'deep' }])
  for (let depth = 0; depth < multipartLimits.depth * 2; depth++) nested = printMultipart([nested])
  const leaves = leafParts(parseMultipart(nested.contentType, nested.body) ?? [])
  assert.match(leaves[0]?.contentType.type ?? '', /^multipart\//, 'what lies deeper stays unread')
})
