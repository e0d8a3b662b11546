/** Offers inside a call that the other side is asked about, when both sides make one. RFC 3261 §14.1. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { turn } from '../sip/dialog/test-support.ts'
import type { Dialog } from '../sip/stack.types.ts'
import { CallWorld, callerIp, description, deviceIps, sdp } from './test-support.ts'

const withVideo = (ip: string) => description(`${sdp(ip, '0')}m=video 4002 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\n`)

const agrees = (dialog: Dialog, ip: string, heard: string[], name: string): void => {
  dialog.on('request', (incoming) => {
    heard.push(`${name} is asked`)
    incoming.respond(200, withVideo(ip))
  })
}

test('both sides switch video on at once: each gets its answer, one after the other', async () => {
  const world = await CallWorld.open()
  const device = world.answers(0, 100, '0')
  const call = world.call()
  await turn(world.clock, 1_000)
  const outcome = await call.outcome
  assert.ok(outcome.answered && device.dialog)
  const heard: string[] = []
  agrees(outcome.dialog, callerIp, heard, 'the caller')
  agrees(device.dialog, deviceIps[0] ?? '', heard, 'the device')
  const asked = [
    outcome.dialog.request('INVITE', withVideo(callerIp)),
    device.dialog.request('INVITE', withVideo(deviceIps[0] ?? '')),
  ]
  await turn(world.clock, 20_000)
  const statuses = (await Promise.all(asked)).map(({ status }) => status)
  assert.ok(heard.includes('the device is asked'))
  assert.deepEqual(statuses, [200, 200])
  void outcome.dialog.bye()
  await world.nothingIsLeft()
})
