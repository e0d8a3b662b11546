/**
 * Bans and allowances, against the real server: the scanner is shut out, a phone at the same address goes on.
 *
 * Loopback is trusted by default, so these tests say that it is not.
 */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { connect, startTestServer, type TestServer } from './support/in-process.ts'
import { Stranger } from './support/stranger.ts'
import { until } from './support/until.ts'

const scannerIp = '127.0.0.66'

let server: TestServer
let scanner: Stranger
before(async () => {
  server = await startTestServer({ 'security.trustedNetworks': [], 'security.messagesPerSecond': 100 })
  scanner = await Stranger.at(scannerIp, server.sip)
})
after(async () => {
  scanner.close()
  await server.close()
})

/** @param line A name, with its labels if it has some. */
const metric = async (line: string): Promise<number> => {
  const text = await (await fetch(`${server.running.url}/metrics`)).text()
  const found = text.split('\n').find((each) => each.startsWith(`${line} `))
  return Number(found?.split(' ').at(-1) ?? Number.NaN)
}
const screened = () => metric('patchbay_sip_events_total{event="screened"}')

test('who guesses passwords is shut out, even from the right one; a phone behind the same address goes on', async () => {
  const phone = await server.phone('101', { ip: scannerIp })
  await server.phone('102')
  const right = await server.passwordOf('103')
  for (let tried = 0; tried < 5; tried++) assert.equal(await scanner.guess('103', `wrong ${tried}`), 401)
  assert.equal(await scanner.guess('103', right), 401, 'the sixth guess is not looked at')
  let tried = 6
  while (tried < 40 && (await scanner.guess('103', `wrong ${tried}`)) !== undefined) tried++
  assert.ok(tried <= 21, `${tried} guesses`)

  const { items } = await server.api.bans()
  assert.deepEqual(
    items.map(({ source, why, who }) => ({ source, why, who })),
    [{ source: scannerIp, why: 'guessing', who: '103' }],
  )
  assert.equal(await metric('patchbay_security_bans'), 1)
  await phone.register()
  const [call] = await connect(phone, await server.phone('104'), '104')
  await call.hangUp()
})

test('a ban is released by the API, and the source may try again', async () => {
  await server.api.releaseBan(scannerIp)
  assert.deepEqual((await server.api.bans()).items, [])
  assert.equal(await scanner.guess('105', 'wrong'), 401)
})

test('a flood of a stranger is not read beyond its allowance, while others are served', async (t) => {
  const flooder = await Stranger.at('127.0.0.67', server.sip)
  t.after(() => flooder.close())
  for (let n = 0; n < 3_000; n++) {
    flooder.send({ method: 'OPTIONS', uri: 'sip:101@127.0.0.1' })
    if (n % 100 === 0) await new Promise((go) => setImmediate(go))
  }
  const quiet = await Stranger.at('127.0.0.68', server.sip)
  t.after(() => quiet.close())
  assert.equal((await quiet.ask({ method: 'MESSAGE', uri: 'sip:101@127.0.0.1' }))?.status, 401)
  await until('messages to be dropped', 5_000, async () => (await screened()) > 1_000)
  assert.ok(flooder.answers < 1_000, `${flooder.answers} answers`)
})
