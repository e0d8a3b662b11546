/** Kamailio as the registrar of a carrier: the server registers there, and is called by that registration. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { freeSipPort } from '../support/free-port.ts'
import { carrier, type Kamailio, startKamailio } from '../support/kamailio.ts'
import { PhoneRoom } from '../support/phone-room.ts'
import { forOldClients } from '../support/phones.ts'
import { needs } from '../support/program.ts'
import { until } from '../support/until.ts'

const phones = needs('kamailio', 'baresip')

/** The way to the carrier: by UDP, and by a connection that calls use as well. */
for (const transport of ['udp', 'tcp'] as const)
  test.describe(`by ${transport}`, phones, () => {
    let room: PhoneRoom
    let carried: Kamailio

    before(async () => {
      const server = { ip: '127.0.0.1', port: await freeSipPort() }
      carried = await startKamailio('127.0.0.2', carrier(server))
      room = await PhoneRoom.open({
        env: { ...forOldClients, PORTS: String(server.port) },
        trunks: [
          {
            name: 'carrier',
            host: carried.address.ip,
            port: carried.address.port,
            transport,
            register: true,
            username: 'patchbay',
            password: 'pw-patchbay',
            inbound: { patchbay: '101' },
            outbound: [{ prefix: '7' }, { prefix: '9' }],
          },
        ],
      })
    })

    after(async () => {
      await room.close()
      await carried.stop()
    })

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
