import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sameFormat } from './media.ts'
import { commonFormats } from './offer-answer.ts'
import type { SdpFormat } from './types.ts'

const format = (encoding: string, fmtp?: string, payloadType = 96, clockRateHz = 8_000): SdpFormat => ({
  payloadType,
  encoding,
  clockRateHz,
  channels: 1,
  ...(fmtp !== undefined && { fmtp }),
})

test('parameters that must be equal tell formats apart, others do not', () => {
  const same = [
    ['AMR', 'octet-align=1', 'octet-align=1;mode-set=0,2'],
    ['AMR', undefined, 'octet-align=0; crc=0'],
    ['AMR-WB', 'mode-set=2,0', 'mode-set=0,2'],
    ['H264', 'profile-level-id=42e01f;packetization-mode=1', 'packetization-mode=1;profile-level-id=42801E'],
    ['H264', undefined, 'profile-level-id=42000a'],
    ['VP9', 'profile-id=0', undefined],
    ['opus', 'useinbandfec=1;stereo=1', 'maxaveragebitrate=20000'],
    ['G729', 'annexb=no', undefined],
    ['iLBC', 'mode=20', 'mode=30'],
    ['X-OWN', 'a=1', 'a=2'],
  ] as const
  const different = [
    ['AMR', 'octet-align=1', undefined],
    ['amr-wb', 'mode-set=0,2', 'mode-set=0,2,5'],
    ['AMR', 'interleaving=30', undefined],
    ['H264', 'profile-level-id=42e01f;packetization-mode=1', 'profile-level-id=42e01f'],
    ['H264', 'profile-level-id=64001f', 'profile-level-id=42001f'],
    ['H265', 'profile-id=2', undefined],
    ['VP9', 'profile-id=2', 'profile-id=0'],
    ['G7221', 'bitrate=32000', 'bitrate=24000'],
    ['telephone-event', '0-9', '10-15'],
  ] as const

  for (const [name, a, b] of same) assert.ok(sameFormat(format(name, a), format(name.toLowerCase(), b)), `${name} ${a}`)
  for (const [name, a, b] of different) assert.ok(!sameFormat(format(name, a), format(name, b)), `${name} ${a}`)
})

const answered = (offered: SdpFormat, ours: SdpFormat): string | undefined =>
  commonFormats([format('PCMU', undefined, 0), offered], [format('PCMU', undefined, 0), ours])[1]?.fmtp

const events = (offered?: string): string | undefined =>
  answered(format('telephone-event', offered), format('telephone-event', '0-16'))

test('of telephone events the answer takes those that both know (RFC 4733 §2.4.1)', () => {
  assert.equal(events('0-15'), '0-15')
  assert.equal(events('0-255'), '0-16')
  assert.equal(events('0-11, 16,66'), '0-11,16')
  assert.equal(events(undefined), '0-15')
  assert.equal(events('events=0-15'), '0-15')
  assert.equal(events('0-999'), '0-16')
  assert.equal(events('66-70'), undefined)
})

test('the answer says no to Annex B when one side does, and else what we like, or repeats what must agree', () => {
  assert.equal(answered(format('G729'), format('G729', 'annexb=no')), 'annexb=no')
  assert.equal(answered(format('G729', 'annexb=no'), format('G729')), 'annexb=no')
  assert.equal(answered(format('G729'), format('G729')), undefined)
  assert.equal(
    answered(format('AMR', 'octet-align=1'), format('AMR', 'octet-align=1;mode-set=0')),
    'octet-align=1;mode-set=0',
  )
  assert.equal(answered(format('EVS', 'br=5.9-24.4'), format('EVS')), 'br=5.9-24.4')
  assert.equal(answered(format('opus', 'stereo=1'), format('opus', 'useinbandfec=1')), 'useinbandfec=1')
})
