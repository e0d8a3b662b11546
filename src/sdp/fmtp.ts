/**
 * Parameters of formats (`a=fmtp`): whether two sides mean the same by one encoding, and what the answer says.
 *
 * Most parameters tell what a receiver likes and hinder nobody. The table holds those that must be equal on both sides
 * (AMR's packing, H.264's profile), by the payload format's RFC.
 */
import type { SdpFormat } from './types.ts'

type Fmtp = ReadonlyMap<string, string>

/** `annexb=no; mode=20` to a map, names in lower case; what has no value is a name with an empty one. */
export function parseFmtp(text = ''): Fmtp {
  const pairs = text.split(';').map((piece) => piece.trim())
  return new Map(
    pairs
      .filter((piece) => piece !== '')
      .map((piece) => {
        const equals = piece.indexOf('=')
        const name = equals < 0 ? piece : piece.slice(0, equals)
        return [name.trim().toLowerCase(), equals < 0 ? '' : piece.slice(equals + 1).trim()]
      }),
  )
}

/** By encoding: names that must be equal, with what counts when one is absent. */
const mustBeEqual: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  // RFC 4867 §8.3.1: how the payload is packed.
  amr: { 'octet-align': '0', crc: '0', 'robust-sorting': '0', interleaving: '' },
  'amr-wb': { 'octet-align': '0', crc: '0', 'robust-sorting': '0', interleaving: '' },
  // RFC 6184 §8.2.2
  h264: { 'packetization-mode': '0', profile: '42' },
  // RFC 7798 §7.2.2
  h265: { 'profile-id': '1', 'tx-mode': 'SRST' },
  // RFC 9628 §6.2
  vp9: { 'profile-id': '0' },
  // RFC 5577 §4.1: the bit rate is part of what the codec is.
  g7221: { bitrate: '' },
}

/** The first two of six hexadecimal digits are the profile; the rest are constraints and a level, which may differ. */
const valueOf = (fmtp: Fmtp, name: string): string | undefined =>
  name === 'profile' ? fmtp.get('profile-level-id')?.slice(0, 2) : fmtp.get(name)

/** Whether formats of one encoding, rate and channels can be spoken by both sides. */
export function sameParameters(a: SdpFormat, b: SdpFormat): boolean {
  if (a.fmtp === b.fmtp) return true
  const encoding = a.encoding.toLowerCase()
  if (encoding === 'telephone-event') return commonEvents(a.fmtp, b.fmtp) !== ''
  const [ofA, ofB] = [parseFmtp(a.fmtp), parseFmtp(b.fmtp)]
  if (encoding.startsWith('amr') && !sameModes(ofA.get('mode-set'), ofB.get('mode-set'))) return false
  return Object.entries(mustBeEqual[encoding] ?? {}).every(
    ([name, absent]) => (valueOf(ofA, name) ?? absent).toLowerCase() === (valueOf(ofB, name) ?? absent).toLowerCase(),
  )
}

/** RFC 4867 §8.3.1: an answer must repeat a mode-set that is offered, so two different ones do not meet. */
const sameModes = (a: string | undefined, b: string | undefined): boolean =>
  a === undefined || b === undefined || [...numbersOf(a)].sort().join() === [...numbersOf(b)].sort().join()

const numbersOf = (text: string): ReadonlySet<string> => new Set(text.split(',').map((each) => each.trim()))

/** What the answer to an offered format says, when we know it as `ours`; undefined when it needs no fmtp line. */
export function answeredFmtp(offered: SdpFormat, ours: SdpFormat): string | undefined {
  const encoding = offered.encoding.toLowerCase()
  if (encoding === 'telephone-event') return commonEvents(offered.fmtp, ours.fmtp) || offered.fmtp
  // RFC 4856 §2.1.9: silence is suppressed by Annex B unless one side says no.
  if (encoding === 'g729') return [offered, ours].some(saysNoAnnexB) ? 'annexb=no' : offered.fmtp
  // RFC 7587 §7.1: what we like to receive, whatever the offerer likes. Of others, `ours` is what the other side of the
  // call made of this offer; without that the offer stands.
  return encoding === 'opus' ? ours.fmtp : (ours.fmtp ?? offered.fmtp)
}

const saysNoAnnexB = ({ fmtp }: SdpFormat): boolean => parseFmtp(fmtp).get('annexb')?.toLowerCase() === 'no'

/** RFC 4733 §2.4.1: without a list, the digits. */
const digits = '0-15'

/** The events that both lists hold, as a list: `0-15,66`. Empty when there are none. */
function commonEvents(a = digits, b = digits): string {
  const [inA, inB] = [eventsOf(a), eventsOf(b)]
  const ranges: string[] = []
  for (let first = 0; first <= lastEvent; first++) {
    let end = first
    while (inA[end] && inB[end]) end++
    if (end === first) continue
    ranges.push(end === first + 1 ? `${first}` : `${first}-${end - 1}`)
    first = end
  }
  return ranges.join(',')
}

/** Event codes are octets (RFC 4733 §2.3.1). */
const lastEvent = 255

/** By code: 1 for those in the list. */
function eventsOf(list: string): Uint8Array {
  const events = new Uint8Array(lastEvent + 1)
  for (const piece of list.replace(/^events=/i, '').split(',')) {
    const [, from, to = from] = /^\s*(\d{1,3})(?:\s*-\s*(\d{1,3}))?\s*$/.exec(piece) ?? []
    if (from !== undefined) events.fill(1, Number(from), Number(to) + 1)
  }
  return events
}
