/** JsSIP and SIP.js in Chromium: they register over WebSocket and exchange messages with each other and with other phones. */
import assert from 'node:assert/strict'
import { createHash, createPublicKey } from 'node:crypto'
import { after, before, test } from 'node:test'
import { freePort } from '../support/free-port.ts'
import { PhoneRoom } from '../support/phone-room.ts'
import { needs } from '../support/program.ts'
import { type Library, type WebPhone, WebPhones } from '../support/web-phone.ts'

const domain = '127.0.0.1'
const at = (number: string) => `sip:${number}@${domain}`
const chromium = needs('chromium')

let room: PhoneRoom
let phones: WebPhones
const urls: Record<string, string> = {}
before(async () => {
  const ports = { WS_PORTS: String(await freePort()), WSS_PORTS: String(await freePort()) }
  urls['ws'] = `ws://${domain}:${ports.WS_PORTS}`
  urls['wss'] = `wss://${domain}:${ports.WSS_PORTS}`
  room = await PhoneRoom.open({ env: ports })
  const key = createPublicKey(room.certificate).export({ type: 'spki', format: 'der' })
  phones = await WebPhones.open([createHash('sha256').update(key).digest('base64')])
})
after(async () => {
  await phones.close()
  await room.close()
})

const start = (library: Library, number: string, scheme = 'ws'): Promise<WebPhone> =>
  phones.start(library, { url: urls[scheme] ?? '', user: number, password: `password-of-${number}`, domain })

const registered = async (number: string) => (await room.server.api.registrations(number)).items

for (const library of ['jssip', 'sipjs'] as const)
  for (const scheme of ['ws', 'wss'])
    test(`${library} registers over ${scheme}, asks, is refused a call, and goes`, chromium, async () => {
      const phone = await start(library, '101', scheme)
      const [registration] = await registered('101')
      assert.equal(registration?.transport, scheme)
      assert.equal(await phone.options(at('101')), 200)
      assert.equal(await phone.call(at('999')), 404)
      assert.equal(await phone.message(at('999'), 'nobody'), 404)
      await phone.stop()
      assert.deepEqual(await registered('101'), [])
    })

test('JsSIP and SIP.js exchange messages', chromium, async () => {
  const alice = await start('jssip', '101')
  const bob = await start('sipjs', '102', 'wss')
  assert.equal(await alice.message(at('102'), 'Grüße aus Köln'), 200)
  await bob.got('101', 'Grüße aus Köln')
  assert.equal(await bob.message(at('101'), 'こんにちは'), 200)
  await alice.got('102', 'こんにちは')
  await Promise.all([alice.stop(), bob.stop()])
})

for (const library of ['jssip', 'sipjs'] as const)
  test(`${library} and baresip exchange messages`, needs('chromium', 'baresip'), async (t) => {
    const alice = await start(library, '101')
    const bob = await room.baresip(t, '102', { contacts: ['101'] })
    assert.equal(await alice.message(at('102'), 'to baresip'), 200)
    await bob.printed(/to baresip/)
    bob.command('message', 'from baresip')
    await alice.got('102', 'from baresip')
    await alice.stop()
  })

test('JsSIP and linphonec exchange messages', needs('chromium', 'linphonec'), async (t) => {
  const alice = await start('jssip', '101')
  const carol = await room.linphone(t, '103')
  assert.equal(await alice.message(at('103'), 'to linphonec'), 200)
  await carol.printed(/to linphonec/)
  carol.message('101', 'from linphonec')
  await alice.got('103', 'from linphonec')
  await alice.stop()
})
