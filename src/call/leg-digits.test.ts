/** Digits that one party tells by SIP INFO reach the other once, in the way it takes them. */
import assert from 'node:assert/strict'
import { beforeEach, test } from 'node:test'
import { turn } from '../sip/dialog/test-support.ts'
import type { Dialog } from '../sip/stack.types.ts'
import { CallWorld, type Device, description, deviceIps, sdp } from './test-support.ts'

let world: CallWorld

beforeEach(async () => {
  world = await CallWorld.open()
})

const info = (signal: string, durationMs?: number) => ({
  contentType: 'application/dtmf-relay',
  body: `Signal=${signal}\r\n${durationMs === undefined ? '' : `Duration=${durationMs}\r\n`}`,
})

/** The caller speaks with a device that takes these formats and answers INFO so. */
async function talking(formats: string, infoStatus = 200) {
  const device: Device = world.answers(0, 100, formats)
  const call = world.call()
  await turn(world.clock, 1_000)
  const outcome = await call.outcome
  assert.ok(outcome.answered && device.dialog)
  const infos: string[] = []
  device.dialog.on('request', (incoming) => {
    infos.push(Buffer.from(incoming.request.body).toString().trim())
    incoming.respond(infoStatus)
  })
  const [callerPort, devicePort] = world.media.ports
  assert.ok(callerPort && devicePort)
  return { caller: outcome.dialog, device: device.dialog, infos, callerPort, devicePort }
}

async function press(dialog: Dialog, ...presses: readonly ReturnType<typeof info>[]): Promise<void> {
  for (const pressed of presses) {
    const asked = dialog.request('INFO', pressed)
    await turn(world.clock, 300)
    assert.equal((await asked).status, 200)
  }
}

const told = () => world.told('leg.digit').map((fact) => fact.name === 'leg.digit' && [fact.digit, fact.durationMs])

test('who agreed to telephone-event gets events as long as the key was down, and no INFO', async () => {
  const { caller, infos, devicePort, callerPort } = await talking('0 101')
  await press(caller, info('5', 240), info('*', 20), info('d', 9_000), info('11'))
  assert.deepEqual(devicePort.digitsSent, ['5 240', '* 40', 'D 8000', '# 160'])
  assert.deepEqual([infos, callerPort.digitsSent], [[], []])
  assert.deepEqual(told(), [
    ['5', 240],
    ['*', 20],
    ['D', 9_000],
    ['#', 160],
  ])
  void caller.bye()
  await world.nothingIsLeft()
})

test('the called party presses digits that reach the caller', async () => {
  const { device, callerPort } = await talking('0 101')
  await press(device, info('7', 100))
  assert.deepEqual(callerPort.digitsSent, ['7 100'])
  void device.bye()
  await world.nothingIsLeft()
})

test('a digit that comes as event too was relayed: it is handed over by nothing else', async () => {
  const { caller, infos, callerPort, devicePort } = await talking('0 101')
  callerPort.hearsTwice = true
  await press(caller, info('5', 240))
  assert.deepEqual([infos, devicePort.digitsSent, told()], [[], [], []])
  void caller.bye()
  await world.nothingIsLeft()
})

test('who takes neither events nor INFO gets tones, and is asked by INFO once', async () => {
  const { caller, infos, devicePort } = await talking('0', 415)
  await press(caller, info('5', 240), info('6', 80))
  assert.deepEqual(infos, ['Signal=5\r\nDuration=240'])
  assert.deepEqual(devicePort.digitsSent, ['5 240', '6 80'])
  void caller.bye()
  await world.nothingIsLeft()
})

test('who can be sent no sound now gets an INFO, though it agreed to events', async () => {
  const { caller, infos, devicePort } = await talking('0 101')
  devicePort.sendsNoDigits = 'media.no-digits'
  await press(caller, info('5', 240))
  assert.deepEqual(infos, ['Signal=5\r\nDuration=240'])
  void caller.bye()
  await world.nothingIsLeft()
})

test('a hook flash, which no event of ours tells, goes as INFO to everybody', async () => {
  const { caller, infos, devicePort } = await talking('0 101')
  await press(caller, info('16', 100))
  assert.deepEqual([infos, devicePort.digitsSent, told()], [['Signal=16\r\nDuration=100'], [], []])
  void caller.bye()
  await world.nothingIsLeft()
})

test('digits that are pressed into an announcement before the answer reach who announces', async () => {
  const device = world.device(0, (invite) => invite.ring(183, description(sdp(deviceIps[0] ?? '', '0 101'))))
  let early: Dialog | undefined
  const call = world.call({ headers: { Supported: '100rel' }, onProvisional: (_, dialog) => (early = dialog) })
  await turn(world.clock, 500)
  assert.ok(early)
  await press(early, info('1', 120))
  assert.deepEqual(world.media.ports[1]?.digitsSent, ['1 120'])
  device.invite?.answer(description(sdp(deviceIps[0] ?? '', '0 101')))
  await turn(world.clock, 500)
  const outcome = await call.outcome
  assert.ok(outcome.answered)
  await press(outcome.dialog, info('2', 120))
  assert.deepEqual(world.media.ports[1]?.digitsSent, ['1 120', '2 120'])
  assert.deepEqual(told(), [
    ['1', 120],
    ['2', 120],
  ])
  void outcome.dialog.bye()
  await world.nothingIsLeft()
})
