/** Extensions and simulated phones for tests against the real server. */
import type { G711Law } from '../../src/codec/g711.ts'
import { systemClock } from '../../src/core/clock.ts'
import { type Habit, SimulatedPhone } from '../../src/demo/phone.ts'
import type { ServerProcess, TestExtension } from './server-process.ts'

/** Extensions 101 and 102: who calls and who is called. */
export function callerAndCallee(record = true): readonly [TestExtension, TestExtension] {
  const [caller, callee] = extensionsFrom101(2, record)
  if (!caller || !callee) throw new Error('cannot happen')
  return [caller, callee]
}

/** `count` extensions from 101 on. */
export const extensionsFrom101 = (count: number, record = true): TestExtension[] =>
  Array.from({ length: count }, (_, index) => ({
    number: String(101 + index),
    name: `Phone ${101 + index}`,
    password: `password-of-${101 + index}`,
    ringSeconds: 5,
    record,
  }))

/** sipp gives up when it is offered SHA-256 first, and says nothing of itself by which it could be known. */
export const forOldClients = { SIP_AUTH_ALGORITHMS: 'MD5' }

/** Arguments that make sipp the phone of an extension. */
export const sippPhone = ({ number, password }: TestExtension): string[] =>
  `-s ${number} -au ${number} -ap ${password}`.split(' ')

/** Arguments that make sipp the phone of an extension that calls `callee`. */
export const sippCaller = ({ number, password }: TestExtension, callee: string): string[] =>
  `-s ${callee} -key caller ${number} -au ${number} -ap ${password}`.split(' ')

export interface PhoneWish {
  readonly habit?: Habit
  readonly laws?: readonly G711Law[]
  readonly transport?: 'udp' | 'tcp'
  readonly ringMs?: number
  readonly speech?: Int16Array
}

/** A phone of this extension, registered. */
export async function registeredPhone(
  server: Pick<ServerProcess, 'sip'>,
  extension: TestExtension,
  wish: PhoneWish = {},
): Promise<SimulatedPhone> {
  const phone = await SimulatedPhone.create({
    clock: systemClock,
    server: server.sip,
    extension: extension.number,
    displayName: extension.name,
    password: extension.password,
    speech: new Int16Array(0),
    ...wish,
  })
  await phone.register()
  return phone
}
