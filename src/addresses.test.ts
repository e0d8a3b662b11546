import assert from 'node:assert/strict'
import { test } from 'node:test'
import { advertiser, externalAddress, mediaAddresses, mediaSettings, sipSockets } from './addresses.ts'
import { parseNetworks } from './core/networks.ts'
import { loadSettings } from './core/settings/load.ts'
import type { Flow } from './sip/stack.types.ts'

const settingsOf = (env: Readonly<Record<string, string>>) => loadSettings({ env }).settings
const behindNat = { BEHIND_NAT: 'true', EXTERNAL_IP: '203.0.113.9' }

const flow = (local: string, remote: string): Flow => ({
  id: '',
  transport: 'udp',
  reliable: false,
  local: { ip: local, port: 5060 },
  remote: { ip: remote, port: 5060 },
  open: true,
})

test('behind NAT the outside is told the public address, our own networks and the other family are not', () => {
  const told = externalAddress(settingsOf(behindNat), () => '203.0.113.9')
  assert.equal(told('198.51.100.7'), '203.0.113.9')
  for (const local of ['192.168.1.20', '10.1.2.3', '127.0.0.1', '2001:db8::7']) assert.equal(told(local), undefined)
  const named = externalAddress(
    settingsOf({ ...behindNat, NAT_LOCAL_NETWORKS: '198.51.100.0/24' }),
    () => '203.0.113.9',
  )
  assert.equal(named('198.51.100.7'), undefined)
  assert.equal(named('192.168.1.20'), '203.0.113.9')
})

test('media is offered at the public address to the outside, else where the peer sees us', () => {
  const told = advertiser(settingsOf({ ...behindNat, SIP_HOST: '10.0.0.2,10.1.0.2' }), () => '203.0.113.9')
  assert.equal(told(flow('10.0.0.2', '198.51.100.7')), '203.0.113.9')
  assert.equal(told('198.51.100.7'), '203.0.113.9')
  assert.equal(told(undefined), '203.0.113.9')
  assert.equal(told(flow('10.1.0.2', '10.1.0.30')), '10.1.0.2')
  assert.equal(told('127.0.0.1'), '127.0.0.1')
  const bound = advertiser(settingsOf({ RTP_BIND_IP: '10.0.0.9' }), undefined)
  assert.equal(bound(flow('10.0.0.2', '198.51.100.7')), '10.0.0.9')
})

test('a network with an address of its own is told that one, before it counts as ours or as outside', () => {
  const networks = [
    { networks: parseNetworks(['10.9.0.0/16']), ip: () => '10.9.0.5' },
    { networks: parseNetworks(['198.51.100.0/24']), ip: () => undefined },
  ]
  const settings = settingsOf({ ...behindNat, SIP_HOST: '10.0.0.2' })
  const told = externalAddress(settings, () => '203.0.113.9', networks)
  assert.equal(told('10.9.4.7'), '10.9.0.5')
  assert.equal(told('10.8.4.7'), undefined)
  assert.equal(told('198.51.100.7'), undefined, 'local')
  assert.equal(told('192.0.2.7'), '203.0.113.9')
  const media = advertiser(settings, () => '203.0.113.9', networks)
  assert.equal(media(flow('10.0.0.2', '10.9.4.7')), '10.9.0.5')
  assert.equal(media('198.51.100.7'), '10.0.0.2')
  assert.equal(media(undefined), '203.0.113.9')
  assert.equal(externalAddress(settingsOf({}), undefined, networks)('10.9.4.7'), '10.9.0.5', 'without BEHIND_NAT too')
})

test('each address is listened on, and media takes packets for all of them', () => {
  const settings = settingsOf({ SIP_HOST: '10.0.0.2,10.1.0.2', PORTS: '5060' })
  assert.deepEqual(
    sipSockets(settings).map(({ transport, ip, port }) => `${transport} ${ip} ${port}`),
    ['udp 10.0.0.2 5060', 'udp 10.1.0.2 5060', 'tcp 10.0.0.2 5060', 'tcp 10.1.0.2 5060'],
  )
  assert.equal(mediaSettings(settings).bindIp, '0.0.0.0')
  assert.equal(mediaSettings(settingsOf({ SIP_HOST: '10.0.0.2,2001:db8::2' })).bindIp, '::')
  assert.equal(mediaSettings(settingsOf({ SIP_HOST: '10.0.0.2' })).bindIp, '10.0.0.2')
})

test('browsers are told the public address and our own, and never loopback', () => {
  const bound = mediaAddresses(settingsOf({ RTP_BIND_IP: '10.0.0.9' }), () => '203.0.113.9')
  assert.deepEqual(bound(), ['203.0.113.9', '10.0.0.9'])
  assert.deepEqual(mediaAddresses(settingsOf({ RTP_BIND_IP: '127.0.0.1' }), undefined)(), [])
  for (const ip of mediaAddresses(settingsOf({}), undefined)()) assert.doesNotMatch(ip, /^127\.|^::1$|^0\./)
})

test('voices are processed as SOUND_* say, and workers get ready where a trunk alone suppresses noise', () => {
  const plain = mediaSettings(settingsOf({}))
  assert.deepEqual([plain.voice, plain.loadDenoise], [undefined, false])
  const asked = mediaSettings(settingsOf({ SOUND_DENOISE: 'true', SOUND_GAIN: 'true', SOUND_GAIN_LEVEL: '-24' }))
  assert.deepEqual(asked.voice, { echo: false, denoise: true, gainDbov: -24 })
  const settings = settingsOf({})
  const [byTrunk] = [{ sound: { echo: false, denoise: true } }] as unknown as typeof settings.trunks
  assert.ok(byTrunk)
  assert.equal(mediaSettings({ ...settings, trunks: [byTrunk] }).loadDenoise, true)
})
