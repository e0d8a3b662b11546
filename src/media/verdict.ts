/**
 * What is wrong with a stream, in plain words: from what was measured to a code, a sentence and what to look at.
 *
 *   worker/quality  ── Evidence of some seconds ─▶  judge  ── Verdict[] ─▶  facts, the call's history
 *
 * Pure. Thresholds are set where a listener would complain, not where a purist would.
 */

/** Of each code its sentence and advice; `{about}` is what was seen. */
export const verdicts = {
  'no-audio': {
    text: 'It sent no audio {about}',
    advice:
      'Look where its packets go: at the address in our SDP, at the firewall for our RTP ports, and at whether the recording client really forks this stream.',
  },
  'one-way-audio': {
    text: 'Nothing comes from this side, though we send to it',
    advice:
      'A firewall or NAT on the way keeps its packets, or it sends them elsewhere: look at the address in our SDP, and whether the RTP ports are open.',
  },
  'wrong-address': {
    text: 'Packets from {about} were refused: the audio of this call comes from elsewhere',
    advice:
      'The device sends from two addresses, or somebody else sends to this port. A device that moved has to say so by a re-INVITE.',
  },
  'wrong-codec': {
    text: 'Packets of payload type {about} were refused: nobody agreed to it',
    advice: 'The device sends another codec than it negotiated: look at its list of codecs and at its answer.',
  },
  'wrong-key': {
    text: 'Its packets cannot be decrypted',
    advice:
      'They are not encrypted, or with another key than its SDP says: look at the SRTP settings of the device, and at what changes the SDP on the way.',
  },
  silence: {
    text: 'Packets come, but only silence is in them',
    advice: 'The device is muted, or its microphone does not work.',
  },
  clipping: {
    text: 'The sound is too loud and clips: {about} of it',
    advice: 'Turn down the microphone or the gain of the gateway.',
  },
  echo: {
    text: 'What we send comes back as an echo: {about}',
    advice:
      'A loudspeaker is heard by its microphone, or a gateway cancels no echo: use a headset, look at the gateway.',
  },
  'high-loss': {
    text: 'Packets are lost or too late: {about}',
    advice: 'The network on the way drops packets: look at Wi-Fi, at full lines and at their priority (QoS).',
  },
  'high-jitter': {
    text: 'Packets come unevenly: {about} of jitter',
    advice: 'A queue on the way is full at times: look at Wi-Fi, at uploads and at priority (QoS).',
  },
  'high-delay': {
    text: 'The way to this side is long: {about} one way',
    advice: 'Look at the route, a VPN or a satellite link; people begin to talk over each other.',
  },
} as const

export type VerdictCode = keyof typeof verdicts

export interface Verdict {
  readonly code: VerdictCode
  /** What was seen: an address, a payload type, a figure with its unit. */
  readonly about?: string
}

/** The sentence of a verdict. */
export const sentence = ({ code, about = '' }: Verdict): string => verdicts[code].text.replace('{about}', about)

/** What was measured in the last seconds. */
export interface Evidence {
  /** The peer said that it sends. */
  readonly expectsPackets: boolean
  /** Since the last packet, or since packets were expected. */
  readonly quietMs: number
  readonly everReceived: boolean
  /** We send nothing ourselves, and only listen (SIPREC). */
  readonly listensOnly?: boolean
  /** From the first description to the last packet. */
  readonly heardForMs?: number
  /** Packets in these seconds. */
  readonly sent: number
  readonly expected: number
  /** Of the expected ones, lost or too late. */
  readonly missing: number
  /** The address from which most were refused, and how many. */
  readonly stranger?: { readonly address: string; readonly packets: number }
  /** The payload type of which most were refused. */
  readonly unknown?: { readonly payloadType: number; readonly packets: number }
  /** Packets that were not authentic, while none was taken. */
  readonly undecrypted: number
  /** Undefined when nobody could listen. */
  readonly sound?: {
    /** Of samples at the end of the scale. */
    readonly clippedShare: number
    /** For so long nothing was louder than the noise of an open line. */
    readonly silentMs: number
  }
  readonly jitterMs: number
  /** Half of the round trip, packet and jitter buffer; undefined when no round trip is known. */
  readonly delayMs?: number
  readonly echo?: { readonly delayMs: number; readonly lossDb: number }
}

/** Two seconds of speech at 50 packets a second. */
const fewPackets = 100
/** Half a second: more than what still comes in for a call before. */
const refusedPackets = 25
/** Nothing ever came: sure after five seconds. It came before: silence suppression lasts longer than that. */
const neverMs = 5000
const stoppedMs = 10_000
/** A listener says little; a dead microphone says nothing at all. */
const silentMs = 30_000
/** Where G.711 with concealment falls below a rating of 83 (G.107; G.113 appendix I: Bpl 25.1). */
const lossShare = 0.03
/** What the least depth of our buffer hides (rtp/playout-model.ts). */
const jitterMs = 40
/** ITU-T G.114: 400 ms from mouth to ear at most; each of two sides may take half. */
const delayMs = 200
/** Speech that clips seldom is not noticed. */
const clippedShare = 0.01
/** ITU-T G.131 figure 1: an echo 30 dB below is noticed from some 30 ms of delay on. */
const echoLossDb = 30
const echoDelayMs = 30

const percent = (share: number): string => `${(100 * share).toFixed(1)} %`

/** Every code at most once, the gravest first. */
export function judge(evidence: Evidence): Verdict[] {
  const { sound, jitterMs: jitter, delayMs: delay, echo, stranger, unknown, missing, expected } = evidence
  const found: Verdict[] = []
  if (isUnheard(evidence)) found.push({ code: 'no-audio', about: whenIn(evidence) })
  if (isOneWay(evidence)) found.push({ code: 'one-way-audio' })
  if (stranger && stranger.packets >= refusedPackets) found.push({ code: 'wrong-address', about: stranger.address })
  if (unknown && unknown.packets >= refusedPackets)
    found.push({ code: 'wrong-codec', about: String(unknown.payloadType) })
  if (evidence.undecrypted >= refusedPackets) found.push({ code: 'wrong-key' })
  if (sound && sound.silentMs >= silentMs) found.push({ code: 'silence' })
  if (sound && sound.clippedShare >= clippedShare) found.push({ code: 'clipping', about: percent(sound.clippedShare) })
  if (echo && echo.lossDb < echoLossDb && echo.delayMs >= echoDelayMs)
    found.push({ code: 'echo', about: `${Math.round(echo.lossDb)} dB below, after ${Math.round(echo.delayMs)} ms` })
  if (expected >= fewPackets && missing / expected >= lossShare)
    found.push({ code: 'high-loss', about: percent(missing / expected) })
  if (expected >= fewPackets && jitter >= jitterMs)
    found.push({ code: 'high-jitter', about: `${Math.round(jitter)} ms` })
  if (delay !== undefined && delay >= delayMs) found.push({ code: 'high-delay', about: `${Math.round(delay)} ms` })
  return found
}

const isQuiet = ({ expectsPackets, quietMs, everReceived }: Evidence): boolean =>
  expectsPackets && quietMs >= (everReceived ? stoppedMs : neverMs)

const isUnheard = (evidence: Evidence): boolean => evidence.listensOnly === true && isQuiet(evidence)

const whenIn = ({ everReceived, heardForMs = 0 }: Evidence): string =>
  everReceived ? `after ${Math.round(heardForMs / 1000)} s` : 'at all'

const isOneWay = (evidence: Evidence): boolean => evidence.sent >= fewPackets && isQuiet(evidence)
