/**
 * ICE in session descriptions, as a lite agent speaks it: credentials, and addresses that the peer can check (RFC 8839).
 *
 * What the peer says of its own addresses is not read: it checks its ways to us, and we see from where.
 */
import { randomBytes } from 'node:crypto'
import type { IceCredentials } from '../core/ice.ts'
import { attributeOf } from './media.ts'
import type { SdpAttribute, SdpMedia, SessionDescription } from './types.ts'

/** 48 and 192 bits, of the letters that ICE allows: those of base64 (RFC 8839 §5.4). */
export const newIceCredentials = (): IceCredentials => ({
  user: randomBytes(6).toString('base64'),
  password: randomBytes(24).toString('base64'),
})

const iceText = (least: number): RegExp => new RegExp(`^[A-Za-z0-9+/]{${least},256}$`)
const userText = iceText(4)
const passwordText = iceText(22)

/** Undefined when the peer does no ICE, or its credentials cannot be read. */
export function iceCredentialsOf(media: SdpMedia): IceCredentials | undefined {
  const user = attributeOf(media, 'ice-ufrag')?.trim() ?? ''
  const password = attributeOf(media, 'ice-pwd')?.trim() ?? ''
  return userText.test(user) && passwordText.test(password) ? { user, password } : undefined
}

/** It checks nothing itself (RFC 8839 §5.3). */
export const isIceLite = (description: SessionDescription): boolean =>
  description.attributes.some(({ name }) => name === 'ice-lite')

/** Of the session: we check nothing ourselves, and know RFC 8445. */
export const iceLiteAttributes: readonly SdpAttribute[] = [{ name: 'ice-lite' }, { name: 'ice-options', value: 'ice2' }]

/**
 * RFC 8445 §5.1.2.1: host; RTP and RTCP on one port. The first address is the best.
 * @param place From 0.
 */
const hostPriority = (place: number): number => 2 ** 24 * 126 + 2 ** 8 * (65_535 - place) + (256 - 1)

/** @param ips Where the peer may reach us, the likeliest first: one may be the outside of a NAT. */
export const iceAttributes = (
  { user, password }: IceCredentials,
  ips: readonly string[],
  port: number,
): SdpAttribute[] => [
  { name: 'ice-ufrag', value: user },
  { name: 'ice-pwd', value: password },
  ...ips.map((ip, place) => ({
    name: 'candidate',
    value: `${place + 1} 1 UDP ${hostPriority(place)} ${ip} ${port} typ host`,
  })),
  { name: 'end-of-candidates' },
]
