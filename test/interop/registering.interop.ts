/** Kamailio as the registrar of a carrier: the server registers there, and is called by that registration. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { openCarrierRoom } from '../support/carrier-room.ts'
import type { Kamailio } from '../support/kamailio.ts'
import type { PhoneRoom } from '../support/phone-room.ts'
import { needs } from '../support/program.ts'
import { until } from '../support/until.ts'

const phones = needs('kamailio', 'baresip')

/** The way to the carrier: by UDP, and by a connection that calls use as well. */
for (const transport of ['udp', 'tcp'] as const)
  test.describe(`by ${transport}`, phones, () => {
    let room: PhoneRoom
    let carried: Kamailio
    let close: () => Promise<void>
    before(async () => {
      ;({ room, carried, close } = await openCarrierRoom({ transport, register: true, inbound: { patchbay: '101' } }))
    })
    after(() => close())

    test('the registration is taken, and the trunk is up', async () => {
      const trunk = await until('the trunk to be registered', 10_000, async () => {
        const [first] = (await room.server.api.trunks()).items
        return first?.registration?.state === 'registered' && first.state === 'up' ? first : undefined
      })
      assert.equal(trunk.server, `${transport} ${carried.address.ip}:${carried.address.port}`)
    })

    test('who calls our account there reaches the extension', async (t) => {
      const alice = await room.baresip(t, '101', { autoAnswer: true })
      const dave = await room.baresip(t, '102', { server: carried.address, user: '7001', password: 'pw-7001' })
      dave.dial('patchbay')
      await dave.saw('CALL_ESTABLISHED')
      dave.hangUp()
      assert.equal((await room.ended()).endReason, 'hangup')
      await Promise.all([alice.stop(), dave.stop()])
    })
  })
