/** The legs of a call side by side: who, with which device address and codec, and how well the audio came through. */
import { Badge, Card, Group, SimpleGrid, Stack, Text } from '@mantine/core'
import type { ReactNode } from 'react'
import type { Leg, LiveLeg, MediaSummary, Quality } from '../../../src/api/schemas/calls.ts'
import type { LegRole } from '../../../src/api/schemas/common.ts'
import { PartyText } from '../ui/party.tsx'

const roles: Record<LegRole, string> = { caller: 'Caller', callee: 'Called', stream: 'Stream' }

interface LegsProps {
  readonly legs: readonly Leg[]
  /** States, while the call lives. */
  readonly liveLegs: readonly LiveLeg[]
}

export function Legs({ legs, liveLegs }: LegsProps) {
  if (legs.length === 0) return <Text c="dimmed">The call reached no device.</Text>
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }}>
      {legs.map((leg) => (
        <LegCard key={leg.id} leg={leg} live={liveLegs.find(({ id }) => id === leg.id)} />
      ))}
    </SimpleGrid>
  )
}

function LegCard({ leg, live }: { readonly leg: Leg; readonly live: LiveLeg | undefined }) {
  const codec = leg.media?.codec ?? leg.codec ?? live?.codec
  const encryption = leg.encryption ?? live?.encryption
  const quality = carriedAudio(leg) ? (leg.media?.quality ?? live?.quality) : undefined
  return (
    <Card withBorder padding="sm" component="article">
      <Stack gap={6}>
        <Group justify="space-between" wrap="nowrap">
          <div className="truncate">
            <PartyText party={leg.party} />
          </div>
          <Badge variant="light" color="gray" tt="none" flex="none">
            {leg.label === undefined ? roles[leg.role] : `${roles[leg.role]} ${leg.label}`}
          </Badge>
        </Group>
        <dl className="facts">
          {live && live.state !== 'ended' ? <Line name="State">{stateTexts[live.state]}</Line> : null}
          <Line name="Device">
            <span className="mono">{leg.remote}</span> over {leg.transport.toUpperCase()}
          </Line>
          {codec ? <Line name="Codec">{codec}</Line> : null}
          {encryption ? <Line name="Encryption">{encryptionText(encryption, leg.suite ?? live?.suite)}</Line> : null}
          {leg.digits ? (
            <Line name="Digits pressed">
              <span className="mono">{leg.digits}</span>
            </Line>
          ) : null}
          {leg.media && carriedAudio(leg) ? <MediaLines media={leg.media} role={leg.role} /> : null}
          {quality && <QualityLines quality={quality} />}
          {leg.sipStatus !== undefined && leg.sipStatus >= 300 ? (
            <Line name="Answered with">SIP {leg.sipStatus}</Line>
          ) : null}
          <Line name="SIP Call-ID">
            <span className="mono">{leg.sipCallId}</span>
          </Line>
        </dl>
      </Stack>
    </Card>
  )
}

const waysToKeys = { sdes: 'SRTP, keys in the signalling', dtls: 'SRTP, keys by DTLS' } as const

function encryptionText(encryption: NonNullable<Leg['encryption']>, suite: string | undefined): string {
  if (encryption === 'none') return 'none'
  return suite === undefined ? waysToKeys[encryption] : `${waysToKeys[encryption]} (${suite})`
}

const stateTexts: Record<LiveLeg['state'], string> = {
  calling: 'Calling',
  ringing: 'Ringing',
  answered: 'Connected',
  ended: 'Ended',
}

/** An answered leg without a packet is worth a line: it was silent. */
function carriedAudio({ answeredAtMs, media }: Leg): boolean {
  return answeredAtMs !== undefined || (media?.packetsReceived ?? 0) > 0 || (media?.packetsSent ?? 0) > 0
}

function MediaLines({ media, role }: { readonly media: MediaSummary; readonly role: LegRole }) {
  const { packetsReceived, packetsLost, packetsSent, jitterMs, source } = media
  const expected = packetsReceived + packetsLost
  const lostPercent = expected === 0 ? 0 : (100 * packetsLost) / expected
  return (
    <>
      {source ? (
        <Line name="Audio from">
          <span className="mono">{source}</span>
        </Line>
      ) : null}
      <Line name="Packets">
        {packetsReceived.toLocaleString()} received{role === 'stream' ? '' : `, ${packetsSent.toLocaleString()} sent`}
      </Line>
      <Line name="Lost">
        <Text component="span" c={lostPercent >= 1 ? 'red' : undefined} inherit>
          {packetsLost === 0
            ? 'none'
            : `${packetsLost.toLocaleString()} (${lostPercent.toFixed(lostPercent < 1 ? 2 : 1)} %)`}
        </Text>
      </Line>
      <Line name="Jitter">{jitterMs.toFixed(1)} ms</Line>
    </>
  )
}

/** What P.800 calls the steps of the scale; wideband says so, for its scale is another one. */
const scoreTexts = ['bad', 'poor', 'fair', 'good', 'excellent'] as const

function QualityLines({ quality }: { readonly quality: Quality }) {
  const { mos, scale, delayMs, discardShare, heardByPeer, verdicts } = quality
  return (
    <>
      {mos === undefined ? null : (
        <Line name="Quality">
          MOS {mos.toFixed(1)}, {scoreTexts[Math.min(5, Math.max(1, Math.round(mos))) - 1]}
          {scale === 'wideband' ? ' (wideband)' : ''}
        </Line>
      )}
      {discardShare > 0 ? <Line name="Too late">{(100 * discardShare).toFixed(1)} %</Line> : null}
      <Line name="Delay">{delayMs.toFixed(0)} ms on this side</Line>
      {heardByPeer ? (
        <Line name="Hears us">
          {(100 * heardByPeer.lossShare).toFixed(1)} % lost, {heardByPeer.jitterMs.toFixed(1)} ms jitter
          {heardByPeer.mos === undefined ? '' : `, MOS ${heardByPeer.mos.toFixed(1)}`}
        </Line>
      ) : null}
      {verdicts.map(({ code, text, advice }) => (
        <Line key={code} name="Trouble">
          <Text component="span" c="red" inherit>
            {text}
          </Text>
          <Text size="sm" c="dimmed">
            {advice}
          </Text>
        </Line>
      ))}
    </>
  )
}

function Line({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className="tabular">{children}</dd>
    </div>
  )
}
