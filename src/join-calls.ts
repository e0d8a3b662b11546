/** Joins what a call needs: media plane, SIP stack, gatekeeper, registrar, dialplan, SIPREC server, recordings. */
import {
  advertiser,
  externalAddress,
  mediaAddresses,
  mediaSettings,
  type PublicIp,
  reachableAt,
  type SipAddress,
  sipSockets,
  tryMediaAddress,
} from './addresses.ts'
import type { CodecRules } from './call/codec-rules.ts'
import { LiveCalls } from './call/live-calls.ts'
import { honorPreferences } from './call/record-preference.ts'
import type { CallServices } from './call/services.ts'
import { watchRecording } from './call/watch-recording.ts'
import { type CertificateWatch, tlsIdentityFrom, watchCertificates } from './certificates.ts'
import type { Clock } from './core/clock.ts'
import { changingNetworks, type Networks, parseNetworks } from './core/networks.ts'
import type { LiveSettings } from './core/settings/live.ts'
import type { Settings } from './core/settings/schema.ts'
import { isRnnoiseInstalled } from './dsp/rnnoise.ts'
import type { FactBus } from './events/bus.ts'
import type { Foundation } from './foundation.ts'
import { allowedMethods, FrontDesk } from './front-desk.ts'
import { findHoldMusic } from './hold-music.ts'
import { speakFrom } from './join-prompts.ts'
import { openRecordingServers } from './join-recording-client.ts'
import { openPeerBook, takeUpSessions } from './join-siprec.ts'
import { joinTrace } from './join-trace.ts'
import { chooseIo } from './media/native-addon.ts'
import { createMediaPlane, type MediaPlaneOptions } from './media/plane.ts'
import type { IoKind, MediaPlane } from './media/types.ts'
import { hostNetwork } from './net/host-network.ts'
import { eventLoopProbe, LoadWatch } from './ops/load-watch.ts'
import { Dialplan } from './pbx/dialplan.ts'
import { ExtensionEvents } from './pbx/extension-events.ts'
import { Gatekeeper } from './pbx/gatekeeper.ts'
import { HouseNumbers } from './pbx/house-numbers.ts'
import { Mailboxes } from './pbx/mailboxes.ts'
import { Messages } from './pbx/messages.ts'
import { NatKeeper } from './pbx/nat-keeper.ts'
import { Registrar } from './pbx/registrar.ts'
import { TrunkLines } from './pbx/trunk-lines.ts'
import { readTrunk } from './pbx/trunks.ts'
import { findNetworkAddresses, findPublicAddress } from './public-address.ts'
import { findRecordNotice } from './record-notice.ts'
import { type RecordingDeps, Recordings } from './recording/service.ts'
import type { BanList } from './security/bans.ts'
import { CallLimits } from './security/call-limits.ts'
import { shedding } from './security/shed.ts'
import { Shield } from './security/shield.ts'
import { TollGuard } from './security/toll-guard.ts'
import { DigestVerifier } from './sip/auth/digest.ts'
import { type CountedSipStack, createSipStack } from './sip/stack.ts'
import type { Flow, SipStack } from './sip/stack.types.ts'
import type { SipTrace } from './sip/trace.ts'
import { RecordingSender } from './siprec/client/sender.ts'
import type { PeerBook } from './siprec/peers/peer-book.ts'
import { recordingClients, SiprecReception } from './siprec/peers/reception.ts'
import { SiprecServer } from './siprec/server.ts'
import { StartError } from './start-error.ts'
import { version } from './version.ts'

/** The side of the server that speaks SIP and RTP. */
export interface CallSide {
  readonly desk: FrontDesk
  readonly live: LiveCalls
  readonly media: MediaPlane
  readonly recordings: Recordings
  readonly registrar: Registrar
  readonly events: ExtensionEvents
  readonly mailboxes: Mailboxes
  readonly trunks: TrunkLines
  readonly siprecPeers: PeerBook
  readonly sender: RecordingSender
  readonly reception: SiprecReception
  readonly siprec: SiprecServer
  /** Calls whose recording sessions could not be taken up. */
  readonly notTakenUp: readonly string[]
  readonly stack: CountedSipStack
  /** What SIP counted since the start, by name. */
  readonly sipCounts: () => Readonly<Record<string, number>>
  /** The latest in memory. */
  readonly sipMessages: SipTrace['recent']
  readonly certificates: CertificateWatch
  readonly bans: BanList
  readonly load: LoadWatch
  readonly publicIp: PublicIp
  /** Where SIP is spoken, as a phone is told. */
  readonly listening: readonly SipAddress[]
}

/**
 * Calls are taken from the moment this resolves.
 * @param left Of recordings that the last run left: to be repaired (`reserved`), or gone on with.
 * @throws {SipError} `sip.cannot-listen`
 * @throws {StartError} when the TLS files, the music on hold or the addon for packets cannot be used, or the public address cannot be found.
 */
export async function joinCalls(
  foundation: Foundation,
  { reserved, unfinished }: Pick<RecordingDeps, 'reserved' | 'unfinished'>,
): Promise<CallSide> {
  const { settings, clock, log, bus, database, sessions, recordingDir, keys, closing } = foundation
  const inForce = (): Settings => foundation.live.now
  await tryMediaAddress(settings)
  const planeSettings = mediaSettings(settings)
  if (planeSettings.loadDenoise && !isRnnoiseInstalled())
    log.warn('Noise stays: RNNoise is not installed; `patchbay doctor` says more')
  const media = await createMediaPlane({ ...planeSettings, io: mediaIo(settings) }, { log, ...workerFacts(bus, clock) })
  closing.push(() => media.close())
  const { trace, counts: traceCounts } = joinTrace(foundation)
  const { minExpires: minExpiresMs, maxExpires: maxExpiresMs } = settings.sip
  const registrar = new Registrar({
    clock,
    bus,
    minExpiresMs,
    maxExpiresMs,
    store: database.registrations,
  })
  closing.push(async () => registrar.close())
  database.directory.onRemoved((number) => registrar.drop(number))
  database.directory.onPasswordChanged((number) => registrar.drop(number))
  registrar.restore(await database.registrations.all(), database.directory)
  const siprecPeers = await openPeerBook(foundation)
  const shield = makeShield(foundation, siprecPeers)
  // Phones that were registered before the restart are no strangers.
  for (const { flow } of registrar.reached()) if (shield.mayConnect(flow.remote.ip)) shield.expect(flow)
  const publicAddress = await findPublicAddress(settings, { network: hostNetwork, clock, log })
  closing.push(async () => publicAddress?.close())
  const publicIp = publicAddress?.current
  const elsewhere = await findNetworkAddresses(settings, { network: hostNetwork, clock, log })
  closing.push(async () => elsewhere.close())
  const advertisedIp = advertiser(settings, publicIp, elsewhere.networks)
  const trunks = new TrunkLines(settings.trunks.map(readTrunk), { clock, log, bus, ownHost: advertisedIp })
  const gatekeeper = makeGatekeeper(foundation, trunks, shield, siprecPeers)
  const tls = tlsIdentityFrom(settings)
  const certificates = watchCertificates(tls, clock, log)
  closing.push(async () => certificates.close())
  const load = new LoadWatch({ clock, bus, probe: eventLoopProbe(clock), maxLagMs: settings.sip.overloadLag })
  closing.push(async () => load.close())
  const holdMusic = await findHoldMusic(settings.calls.musicOnHold)
  // From here to the end nothing is waited for: who asks in a dialog of the last run finds it.
  const stack = await createSipStack({
    clock,
    log,
    listen: sipSockets(settings),
    tls,
    advertisedIp: externalAddress(settings, publicIp, elsewhere.networks),
    userAgent: `Patchbay/${version}`,
    supported: [...supported, ...(settings.recording.notice === 'none' ? [] : ['record-aware'])],
    session: { expiresS: settings.sip.sessionExpires / 1000, minS: settings.sip.sessionMin / 1000 },
    allow: allowedMethods,
    guard: shedding(load, gatekeeper.admit),
    screen: shield,
    observe: trace.observe,
    limits: {
      idleMs: maxExpiresMs + silenceMarginMs,
      connections: settings.sip.maxConnections,
      connectionsPerSource: settings.sip.maxConnectionsPerSource,
    },
  })
  closing.push(() => stack.close())
  keepPhones(foundation, registrar, stack)
  closing.push(() => trunks.close())

  const live = new LiveCalls()
  const recordings = new Recordings({
    folder: recordingDir,
    get combineLegs() {
      return inForce().recording.combineLegs
    },
    get loudnessLufs() {
      return inForce().recording.loudness || undefined
    },
    get decoders() {
      return inForce().recording.decoders
    },
    keys,
    isKept: (recordingId) => database.isKept(recordingId),
    get pause() {
      return pauseRules(inForce().recording)
    },
    ...(reserved && { reserved }),
    ...(unfinished && { unfinished }),
    bus,
    clock,
    log,
  })
  const servers = openRecordingServers(foundation, advertisedIp)
  servers.open(stack)
  const sender = new RecordingSender({
    services: { clock, log, stack, bus, advertisedIp },
    servers,
    codecs: () => codecRules(inForce().rtp),
  })
  watchRecording(bus, live)
  if (settings.recording.honorPreference)
    honorPreferences(bus, (callId, on) => {
      const recording = recordings.liveOf(callId)
      if (recording) recording[on ? 'pause' : 'resume']({ by: 'signalling' })
      sender.pause(callId, on, 'wish')
    })
  const recordNotice = await findRecordNotice(settings.recording.notice)
  const services: CallServices = {
    sender,
    ...(recordNotice && { recordNotice }),
    clock,
    log,
    stack,
    media,
    bus,
    live,
    recorder: recordings,
    advertisedIp,
    mediaIps: mediaAddresses(settings, publicIp),
    messages: (sipCallIds) => trace.messages(sipCallIds),
    get rtpTimeoutMs() {
      return inForce().rtp.timeout
    },
    holdMusic,
    get srtp() {
      return inForce().rtp.srtp
    },
    get codecs() {
      return codecRules(inForce().rtp)
    },
  }
  const { directory } = database
  const { security } = settings
  const limits = new CallLimits({
    clock,
    bus,
    get callsAtATime() {
      return inForce().security.callsAtATime
    },
    get callsPerSecond() {
      return inForce().security.callsPerSecond
    },
  })
  const dialplan = new Dialplan({
    gatekeeper,
    directory,
    registrar,
    trunks,
    toll: new TollGuard({
      clock,
      bus,
      highRiskPrefixes: security.highRiskPrefixes,
      callsAtATime: security.outboundAtATime,
      callsPerHour: security.outboundPerHour,
      limits,
    }),
    limits,
    house: new HouseNumbers({ ...settings.calls, services, speak: speakFrom(settings, log) }),
    passHeaders: settings.sip.passHeaders,
    services,
    recordTo: settings.siprec.recordTo,
  })
  const siprec = new SiprecServer(
    { ...services, recordings, keeper: sessions.keeper },
    {
      get streamSilentMs() {
        return inForce().rtp.timeout
      },
      get maxDurationMs() {
        return inForce().siprec.maxDurationHours * 3_600_000
      },
      get askWhenSilentMs() {
        return inForce().siprec.askWhenSilent
      },
      get srtp() {
        return inForce().siprec.srtp
      },
      get multipartResponse() {
        return inForce().siprec.multipartResponse
      },
    },
  )
  const notTakenUp = takeUpSessions(sessions.goingOn, {
    server: siprec,
    book: siprecPeers,
    keeper: sessions.keeper,
    bus,
    clock,
    log,
  })
  for (const { dialog } of sessions.goingOn) shield.expect(dialog.flow)
  const reception = new SiprecReception({
    book: siprecPeers,
    server: siprec,
    senderOf: (request, flow) => shield.senderOf(request, flow),
    log,
  })
  const messages = new Messages({ ...services, directory, registrar, trunks })
  const mailboxes = new Mailboxes()
  const events = new ExtensionEvents({ ...services, gatekeeper, directory, registrar, mailboxes })
  const desk = new FrontDesk({
    gatekeeper,
    registrar,
    dialplan,
    messages,
    siprec: reception,
    live,
    maxCalls: () => inForce().sip.maxCalls,
  })
  stack.on('request', (incoming) => desk.request(incoming))
  stack.on('invite', (invite) => desk.invite(invite))
  trunks.open(stack)
  return {
    desk,
    live,
    media,
    recordings,
    registrar,
    events,
    mailboxes,
    trunks,
    siprecPeers,
    sender,
    reception,
    siprec,
    notTakenUp,
    stack,
    sipMessages: (query) => trace.recent(query),
    sipCounts: () => ({ ...stack.counters, ...traceCounts() }),
    certificates,
    bans: shield.bans,
    load,
    publicIp,
    listening: reachableAt(stack.listening),
  }
}

/** What peers are told that we can. That we tell our users of recording (RFC 7866 §6.3) only when all are told. */
const supported = ['siprec', 'replaces', 'norefersub', 'path', 'outbound', 'gruu']

/** What becomes of media workers, for all who listen. */
const workerFacts = (
  bus: FactBus,
  clock: Clock,
): Pick<MediaPlaneOptions, 'onWorkerLost' | 'onWorkerStalled' | 'onWorkerRecovered'> => ({
  onWorkerLost: (worker, callIds, why) =>
    bus.publish({ name: 'worker.lost', atMs: clock.wallMs(), worker, callIds, why }),
  onWorkerStalled: (worker, callIds) => bus.publish({ name: 'worker.stalled', atMs: clock.wallMs(), worker, callIds }),
  onWorkerRecovered: (worker, stalledMs) =>
    bus.publish({ name: 'worker.recovered', atMs: clock.wallMs(), worker, stalledMs }),
})

/** What the settings say of pauses. */
function pauseRules({ maxPause, autoResume, pauseDigits }: Settings['recording']) {
  const longestMs = maxPause === 0 ? undefined : maxPause
  return { longestMs, usualMs: autoResume ? longestMs : undefined, digits: pauseDigits || undefined }
}

/** What the settings say of codecs. */
const codecRules = ({ codecs, transcode, opus }: Settings['rtp']): CodecRules => ({
  codecs,
  transcode,
  opus: {
    complexity: opus.complexity,
    fec: opus.fec,
    dtx: opus.dtx,
    ...(opus.bitrate > 0 && { bitsPerSecond: opus.bitrate }),
  },
})

/** A phone that says nothing between two registrations keeps its connection for as long as it is registered. */
const silenceMarginMs = 300_000
/** A proof outlives the registration it was given for. */
const proofMarginMs = 600_000

function makeShield({ settings, live, clock, bus, closing }: Foundation, siprecPeers: PeerBook): Shield {
  const { security, trunks, sip } = settings
  const carriers = trunks.flatMap(({ sources }) => sources)
  const trusted = changingNetworks(() => [live.now.security.trustedNetworks, carriers])
  const shield = new Shield({
    clock,
    bus,
    trusted: { has: (ip) => trusted.has(ip) || siprecPeers.isPeers(ip) },
    allowed: everybodyUnless(() => live.now.security.allowedSources),
    denied: changingNetworks(() => [live.now.security.deniedSources]),
    get messagesPerSecond() {
      return live.now.security.messagesPerSecond
    },
    get messagesPerSecondInAll() {
      return live.now.security.messagesPerSecondInAll
    },
    banAfter: security.banAfter,
    banMs: security.banTime,
    knownMs: sip.maxExpires + proofMarginMs,
  })
  closing.push(async () => shield.close())
  return shield
}

/** An empty list lets everybody in. */
function everybodyUnless(allowed: () => readonly string[]): Networks {
  const networks = changingNetworks(() => [allowed()])
  return { has: (ip) => allowed().length === 0 || networks.has(ip) }
}

function keepPhones({ settings, clock, closing }: Foundation, registrar: Registrar, stack: SipStack): void {
  const everyMs = settings.nat.pingPhones
  if (everyMs === 0) return
  const ping = (flow: Flow): void => stack.ping(flow)
  const keeper = new NatKeeper({ clock, reached: () => registrar.reached(), ping, everyMs })
  closing.push(async () => keeper.close())
}

/** Of extensions in the file that say where they are. */
function extensionSources(live: LiveSettings): (number: string) => Networks | undefined {
  let seen: Settings['extensions'] | undefined
  let sources = new Map<string, Networks>()
  return (number) => {
    const { extensions } = live.now
    if (extensions !== seen) {
      const listed = extensions.flatMap((one) =>
        one.sources ? [[one.number, parseNetworks(one.sources)] as const] : [],
      )
      sources = new Map(listed)
      seen = extensions
    }
    return sources.get(number)
  }
}

function makeGatekeeper(
  { settings, live, clock, bus, database }: Foundation,
  trunks: TrunkLines,
  strangers: Shield,
  siprecPeers: PeerBook,
): Gatekeeper {
  return new Gatekeeper({
    strangers,
    digest: new DigestVerifier({
      realm: settings.sip.realm,
      clock,
      nonceLifeMs: settings.sip.nonceTimeout,
      algorithms: settings.sip.authAlgorithms,
    }),
    directory: database.directory,
    sourcesOf: extensionSources(live),
    trunks,
    recordingClients: recordingClients(siprecPeers),
    bus,
    wallMs: () => clock.wallMs(),
  })
}

/** @throws {StartError} when the addon is asked for and cannot be used. */
function mediaIo({ rtp }: Settings): IoKind {
  const { kind, missing } = chooseIo(rtp.io)
  if (rtp.io === 'native' && missing)
    throw new StartError(`MEDIA_IO is native, but the addon cannot be used: ${missing}`)
  return kind
}
