/** A room of phones whose server has Kamailio as its carrier. */
import { freeSipPort } from './free-port.ts'
import { carrier, type Kamailio, startKamailio } from './kamailio.ts'
import { PhoneRoom } from './phone-room.ts'
import { forOldClients } from './phones.ts'

export interface CarrierRoom {
  readonly room: PhoneRoom
  /** At 127.0.0.2. */
  readonly carried: Kamailio
  readonly close: () => Promise<void>
}

/** @param trunk Settings besides the account that the carrier knows, and calls to 7… and 9… */
export async function openCarrierRoom(trunk: object): Promise<CarrierRoom> {
  const server = { ip: '127.0.0.1', port: await freeSipPort() }
  const carried = await startKamailio('127.0.0.2', carrier(server))
  const room = await PhoneRoom.open({
    env: { ...forOldClients, PORTS: String(server.port) },
    trunks: [
      {
        name: 'carrier',
        host: carried.address.ip,
        port: carried.address.port,
        username: 'patchbay',
        password: 'pw-patchbay',
        outbound: [{ prefix: '7' }, { prefix: '9' }],
        ...trunk,
      },
    ],
  })
  return {
    room,
    carried,
    close: async () => {
      await room.close()
      await carried.stop()
    },
  }
}
