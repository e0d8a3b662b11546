import assert from 'node:assert/strict'
import { test } from 'node:test'
import { advertiser, externalAddress, mediaSettings, sipSockets } from './addresses.ts'
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

test('networks that have a way of their own are told the address there, behind NAT or not', () => {
  const env = { NAT_ADDRESSES: '10.200.0.0/16=10.8.0.2, 198.51.100.0/24=203.0.113.10, 2001:db8:9::/48=2001:db8:8::2' }
  const told = externalAddress(settingsOf({ ...env, ...behindNat }), () => '203.0.113.9')
  assert.equal(told('10.200.0.5'), '10.8.0.2', 'though it is a local network')
  assert.equal(told('198.51.100.7'), '203.0.113.10')
  assert.equal(told('198.18.0.7'), '203.0.113.9')
  assert.equal(told('2001:db8:9::7'), '2001:db8:8::2')
  const media = advertiser(settingsOf(env), undefined)
  assert.equal(media(flow('192.0.2.1', '10.200.0.5')), '10.8.0.2')
  assert.equal(media(flow('192.0.2.1', '192.0.2.7')), '192.0.2.1')
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
