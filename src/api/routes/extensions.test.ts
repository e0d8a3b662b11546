import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startApi } from '../test-support.ts'

const url = '/api/extensions'

test('an extension without a password gets one, which is shown once and kept only as hashes', async (t) => {
  const { app, as, database } = await startApi(t)
  const headers = await as('admin')

  const added = await app.inject({ method: 'POST', url, headers, payload: { number: '101', displayName: 'Alice' } })

  assert.equal(added.statusCode, 201)
  assert.equal(added.headers['location'], '/api/extensions/101')
  const { extension, password } = added.json()
  assert.match(password, /^\w{20}$/)
  assert.deepEqual(extension, {
    number: '101',
    displayName: 'Alice',
    ringSeconds: 30,
    record: true,
    maxContacts: 5,
    createdAtMs: Date.UTC(2026, 0, 1),
    registrations: [],
  })
  assert.equal(database.directory.find('101')?.hashes.md5, `md5 101 ${password}`)
  assert.deepEqual((await app.inject({ url: `${url}/101`, headers })).json(), extension)
  assert.deepEqual((await app.inject({ url, headers })).json(), { items: [extension] })
})

test('a given password is used and not sent back', async (t) => {
  const { app, as, database } = await startApi(t)

  const added = await app.inject({
    method: 'POST',
    url,
    headers: await as('admin'),
    payload: { number: '101', password: 'long enough' },
  })

  assert.equal(added.json().password, undefined)
  assert.equal(database.directory.find('101')?.hashes.md5, 'md5 101 long enough')
})

test('a number that is taken is refused with 409, a wrong one names its field', async (t) => {
  const { app, as } = await startApi(t)
  const headers = await as('admin')
  const add = (payload: object) => app.inject({ method: 'POST', url, headers, payload })

  await add({ number: '101' })
  const twice = await add({ number: '101' })
  const wrong = await add({ number: '../etc', ringSeconds: 1, colour: 'red' })

  assert.deepEqual([twice.statusCode, twice.json().code], [409, 'directory.exists'])
  assert.equal(wrong.statusCode, 400)
  assert.deepEqual(
    wrong.json().fields.map(({ path }: { path: string }) => path),
    ['body.number', 'body.ringSeconds', 'body'],
  )
})

test('a change keeps what it does not name; a new password can be asked for', async (t) => {
  const { app, as, database } = await startApi(t)
  const headers = await as('admin')
  await app.inject({ method: 'POST', url, headers, payload: { number: '101', displayName: 'Alice' } })
  const before = database.directory.find('101')?.hashes.md5

  const named = await app.inject({ method: 'PATCH', url: `${url}/101`, headers, payload: { record: false } })
  assert.equal(named.json().extension.displayName, 'Alice')
  assert.equal(named.json().extension.record, false)
  assert.equal(database.directory.find('101')?.hashes.md5, before)

  const renewed = await app.inject({ method: 'PATCH', url: `${url}/101`, headers, payload: { generatePassword: true } })
  assert.equal(database.directory.find('101')?.hashes.md5, `md5 101 ${renewed.json().password}`)
  const missing = await app.inject({ method: 'PATCH', url: `${url}/999`, headers, payload: {} })
  assert.deepEqual([missing.statusCode, missing.json().code], [404, 'directory.not-found'])
})

test('an extension may encrypt its audio in its own way, and go back to that of the server', async (t) => {
  const { app, as, database } = await startApi(t)
  const headers = await as('admin')
  const added = await app.inject({ method: 'POST', url, headers, payload: { number: '101', srtp: 'mandatory' } })
  assert.equal(added.json().extension.srtp, 'mandatory')
  const change = async (payload: object) =>
    (await app.inject({ method: 'PATCH', url: `${url}/101`, headers, payload })).json()

  assert.equal((await change({ record: false })).extension.srtp, 'mandatory')
  assert.equal(database.directory.find('101')?.srtp, 'mandatory')
  assert.equal((await change({ srtp: null })).extension.srtp, undefined)
  assert.equal(database.directory.find('101')?.srtp, undefined)
  assert.equal((await change({ srtp: 'rot13' })).code, 'api.invalid')
  assert.deepEqual((await change({ codecs: ['G722', 'PCMA'] })).extension.codecs, ['G722', 'PCMA'])
  assert.deepEqual(database.directory.find('101')?.codecs, ['G722', 'PCMA'])
  assert.equal((await change({ codecs: null })).extension.codecs, undefined)
  assert.equal((await change({ codecs: ['no codec'] })).code, 'api.invalid')
  assert.equal((await change({ codecs: [] })).code, 'api.invalid')
})

test('the voice of an extension may be worked on in its own way, within bounds, and as that of all again', async (t) => {
  const { app, as, database } = await startApi(t)
  const headers = await as('admin')
  const sound = { echo: true, denoise: false, gainDbov: -20 }
  const added = await app.inject({ method: 'POST', url, headers, payload: { number: '101', sound } })
  assert.deepEqual(added.json().extension.sound, sound)
  const change = (payload: object) => app.inject({ method: 'PATCH', url: `${url}/101`, headers, payload })

  assert.deepEqual((await change({ record: false })).json().extension.sound, sound)
  assert.equal((await change({ sound: { ...sound, gainDbov: 3 } })).statusCode, 400)
  assert.deepEqual(database.directory.find('101')?.sound, sound)
  assert.equal((await change({ sound: null })).json().extension.sound, undefined)
  assert.equal(database.directory.find('101')?.sound, undefined)
})

test('deleting an extension forgets its devices; so does an administrator alone', async (t) => {
  const { app, as, registered } = await startApi(t)
  const headers = await as('admin')
  const device = { contact: 'sip:101@192.0.2.9', source: '192.0.2.9:5060', transport: 'udp', expiresAtMs: 5 }
  for (const number of ['101', '102']) {
    await app.inject({ method: 'POST', url, headers, payload: { number } })
    registered.push({ extension: number, ...device })
  }

  const shown = await app.inject({ url: `${url}/101/registrations`, headers })
  assert.deepEqual(shown.json(), { items: [{ extension: '101', ...device }] })
  assert.equal((await app.inject({ url, headers })).json().items[0].registrations.length, 1)

  assert.equal((await app.inject({ method: 'DELETE', url: `${url}/101/registrations`, headers })).statusCode, 204)
  assert.equal((await app.inject({ method: 'DELETE', url: `${url}/102`, headers })).statusCode, 204)

  assert.deepEqual(registered, [])
  assert.equal((await app.inject({ url: `${url}/102`, headers })).statusCode, 404)
  assert.equal((await app.inject({ url: `${url}/102/registrations`, headers })).statusCode, 404)
  assert.equal((await app.inject({ method: 'DELETE', url: `${url}/102`, headers })).statusCode, 404)
})

test('a wrong body is told in words what each field must be', async (t) => {
  const { app, as } = await startApi(t)
  const post = async (payload: object) =>
    (await app.inject({ method: 'POST', url: '/api/extensions', headers: await as('admin'), payload })).json().detail

  assert.equal(await post({}), 'body.number: is missing')
  assert.equal(await post({ number: '101', ringSeconds: 'long' }), 'body.ringSeconds: must be number')
  assert.match(await post({ number: '+' }), /^body\.number: up to 32 letters, digits/)
})
