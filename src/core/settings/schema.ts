/**
 * Every setting: its name in patchbay.yaml (the path), its environment variable, its kind, default and meaning.
 *
 * The single source of the loader, the defaults, `patchbay config` and docs/configuration.md. Where loreste/siprec has
 * a variable of the same meaning, the name is the same. What only the file can hold is in file-lists.ts.
 */
import { availableParallelism } from 'node:os'
import { z } from 'zod'
import { srtpModes } from '../srtp.ts'
import { gainRangeDbov } from '../voice-processing.ts'
import { accessSettings } from './access-settings.ts'
import { storageSettings } from './archive-settings.ts'
import { convertSettings } from './convert-settings.ts'
import { decoderSettings } from './decoder-settings.ts'
import {
  bitrate,
  codecs,
  duration,
  flag,
  headerNames,
  ip,
  ips,
  list,
  networks,
  oneOf,
  port,
  ports,
  setting,
  text,
  toldAddresses,
  whole,
} from './fields.ts'
import { certificate, extension, siprecPeer, trunk } from './file-lists.ts'
import { usualHighRiskPrefixes } from './high-risk-prefixes.ts'
import { lifeSettings } from './life-settings.ts'
import { pauseSettings } from './pause-settings.ts'
import { privateNetworks } from './private-networks.ts'
import { recordingServer } from './recording-servers.ts'
import { reloadSettings } from './reload-settings.ts'
import { sealingSettings } from './sealing-settings.ts'
import { redisSettings, siprecSettings } from './siprec-settings.ts'

const section = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject(shape).prefault({} as never)

const srtpMeaning =
  '`none`: plain RTP alone. `accepted`: who offers it gets it. `optional`: we offer it too, and take plain RTP. `mandatory`: nothing else. `dtls`: nothing else, and we offer keys agreed by DTLS instead of keys in the signalling. Browsers get DTLS whatever stands here.'

/** A number that phones can dial. */
const serviceNumber = () =>
  text().refine((given) => /^[\d*#]{0,16}$/.test(given), { error: 'up to 16 of 0-9, * and #, or nothing' })

const prefixError = 'telephone prefixes of digits, separated by commas'
const digestError = 'of SHA-512-256, SHA-256 and MD5 one or more, separated by commas'

export const settingsSchema = z.strictObject({
  sip: section({
    host: setting(ips().default(['0.0.0.0']), {
      env: 'SIP_HOST',
      description:
        'Addresses the SIP listeners bind to, separated by commas. `0.0.0.0` is every IPv4 address, `::` every one of IPv6 and IPv4.',
    }),
    ports: setting(ports().default([5060]), {
      env: 'PORTS',
      description: 'SIP ports, each for UDP and TCP. 0 takes a free one.',
    }),
    udpPorts: setting(ports().default([]), { env: 'UDP_PORTS', description: 'Ports for UDP alone, instead of PORTS.' }),
    tcpPorts: setting(ports().default([]), { env: 'TCP_PORTS', description: 'Ports for TCP alone, instead of PORTS.' }),
    wsPorts: setting(ports().default([]), {
      env: 'WS_PORTS',
      description:
        'Ports for SIP over WebSocket, for browsers behind a reverse proxy that speaks TLS; none unless given.',
    }),
    wssPorts: setting(ports().default([]), {
      env: 'WSS_PORTS',
      description: 'Ports for SIP over secure WebSocket, with the certificate of TLS_CERT_PATH; none unless given.',
    }),
    realm: setting(text().default('patchbay'), {
      env: 'SIP_AUTH_REALM',
      description:
        'Realm of digest authentication. Stored password hashes belong to it: after a change set new passwords.',
    }),
    authAlgorithms: setting(
      list()
        .pipe(
          z
            .array(z.enum(['SHA-512-256', 'SHA-256', 'MD5'], { error: digestError }), { error: digestError })
            .min(1, { error: digestError }),
        )
        .default(['SHA-256', 'MD5']),
      {
        env: 'SIP_AUTH_ALGORITHMS',
        description:
          'Digest algorithms offered to phones, best first. Phones known to give up at SHA-256 are offered MD5 alone; for others like them set MD5.',
      },
    ),
    nonceTimeout: setting(duration(5_000).default(60_000), {
      env: 'SIP_AUTH_NONCE_TIMEOUT',
      description: 'How long a digest nonce may be used before the phone is asked again.',
    }),
    minExpires: setting(duration(1_000).default(60_000), {
      env: 'REGISTER_MIN_EXPIRES',
      description: 'Shortest registration; a shorter one is answered 423.',
    }),
    maxExpires: setting(duration(1_000).default(3_600_000), {
      env: 'REGISTER_MAX_EXPIRES',
      description: 'Longest registration; a longer one is shortened.',
    }),
    sessionExpires: setting(duration(90_000).default(1_800_000), {
      env: 'SIP_SESSION_EXPIRES',
      description: 'A call that is not refreshed by either side for so long is over (session timers, RFC 4028).',
    }),
    sessionMin: setting(duration(90_000).default(90_000), {
      env: 'SIP_SESSION_MIN',
      description: 'Shortest interval of a session timer; a shorter one is answered 422.',
    }),
    traceMessageBodies: setting(flag().default(false), {
      env: 'SIP_TRACE_MESSAGE_BODIES',
      description: 'Keep what people write to each other (SIP MESSAGE) in the trace of SIP messages.',
    }),
    passHeaders: setting(list().pipe(headerNames()).default(['User-to-User']), {
      env: 'SIP_PASS_HEADERS',
      description:
        'Headers of calls from extensions that go on to who is called, `X-Our-*` for all that begin so. Alert-Info and Call-Info can make phones answer by themselves. What comes from a trunk passes by its own passHeaders.',
    }),
    maxCalls: setting(whole(1, 100_000).default(500), {
      env: 'MAX_CONCURRENT_CALLS',
      description: 'Calls and recording sessions at a time; one more is answered 503.',
    }),
    maxConnections: setting(whole(1, 1_000_000).default(5_000), {
      env: 'SIP_MAX_CONNECTIONS',
      description: 'TCP, TLS and WebSocket connections for SIP at a time; each phone that does not use UDP has one.',
    }),
    maxConnectionsPerSource: setting(whole(1, 1_000_000).default(250), {
      env: 'SIP_MAX_CONNECTIONS_PER_SOURCE',
      description: 'Of those, from one address (IPv6: one /64) that is not trusted. Phones behind one NAT share it.',
    }),
    overloadLag: setting(duration().default(300), {
      env: 'SIP_OVERLOAD_LAG',
      description:
        'When the main thread runs later than this for a second, new calls are refused in part (503) until it keeps up. 0 never refuses.',
    }),
  }),
  tls: section({
    enable: setting(flag().default(false), { env: 'ENABLE_TLS', description: 'Listen for SIP over TLS.' }),
    port: setting(port().default(5061), { env: 'TLS_PORT', description: 'Port for SIP over TLS. 0 takes a free one.' }),
    certPath: setting(text().default(''), {
      env: 'TLS_CERT_PATH',
      description:
        'File with the certificate and its intermediates, in PEM; needed with ENABLE_TLS and WSS_PORTS. Read again when it changes and at SIGHUP.',
    }),
    keyPath: setting(text().default(''), {
      env: 'TLS_KEY_PATH',
      description:
        'File with the key of the certificate, in PEM, without a passphrase; needed with ENABLE_TLS and WSS_PORTS.',
    }),
    caFile: setting(text().default(''), {
      env: 'TLS_CA_FILE',
      description:
        "File with the authorities, in PEM, that vouch for clients and for the trunks we call by TLS; empty: the system's.",
    }),
    clientAuth: setting(oneOf(['none', 'request', 'require']).default('none'), {
      env: 'TLS_CLIENT_AUTH',
      description:
        'What is asked of those who connect by TLS: none, request (a certificate, if there is one, must be valid) or require.',
    }),
  }),
  nat: section({
    behindNat: setting(flag().default(false), {
      env: 'BEHIND_NAT',
      description:
        'Put EXTERNAL_IP into SIP and SDP instead of the local address, for peers outside NAT_LOCAL_NETWORKS.',
    }),
    pingPhones: setting(duration().default(25_000), {
      env: 'NAT_PING_PHONES',
      description:
        'How often phones behind NAT that registered by UDP are sent a few bytes, so that their NAT keeps letting calls in. 0 never.',
    }),
    localNetworks: setting(
      list()
        .pipe(networks())
        .default([...privateNetworks, '100.64.0.0/10']),
      {
        env: 'NAT_LOCAL_NETWORKS',
        description: 'Networks on our side of the NAT: peers in them are told the local address.',
      },
    ),
    addresses: setting(toldAddresses().default([]), {
      env: 'NAT_ADDRESSES',
      description:
        'Which of our addresses the peers of a network are told, as 10.200.0.0/16=10.8.0.2, separated by commas; the first that fits, behind NAT or not. Instead of an address: local, or stun:HOST for the one that a STUN server there sees.',
    }),
    externalIp: setting(text().default(''), {
      env: 'EXTERNAL_IP',
      description: 'The public address, or auto to find it by STUN_SERVER; needed with BEHIND_NAT.',
    }),
    stunServer: setting(text().default(''), {
      env: 'STUN_SERVER',
      description:
        'Host, or host:port, of a STUN server that tells the public address, asked at the start and every five minutes; needed with EXTERNAL_IP=auto.',
    }),
  }),
  rtp: section({
    bindIp: setting(text().default(''), {
      env: 'RTP_BIND_IP',
      description: 'Address RTP sockets bind to; empty: that of SIP_HOST.',
    }),
    portMin: setting(whole(1024, 65_534).default(10_000), { env: 'RTP_PORT_MIN', description: 'Lowest RTP port.' }),
    portMax: setting(whole(1025, 65_535).default(20_000), {
      env: 'RTP_PORT_MAX',
      description: 'Highest RTP or RTCP port.',
    }),
    timeout: setting(duration().default(30_000), {
      env: 'RTP_TIMEOUT',
      description:
        'A phone that sent no packet for so long is asked whether it is still there; its call ends when it does not answer. A SIPREC stream is only reported.',
    }),
    srtp: setting(oneOf(srtpModes).default('accepted'), {
      env: 'RTP_SRTP',
      description: `Whether the audio of phones is encrypted (SRTP; keys in the signalling must be hidden by TLS). ${srtpMeaning}`,
    }),
    codecs: setting(codecs().default(['opus', 'G722', 'PCMA', 'PCMU', 'others']), {
      env: 'CODECS',
      description:
        'Audio codecs, the best first: opus, G722, PCMA, PCMU and L16 are offered and converted; of others, such as G729 or EVS, the name lets them pass between two sides that both have them. `others` allows all that are not named.',
    }),
    transcode: setting(flag().default(true), {
      env: 'TRANSCODE',
      description:
        'Convert sound where the two sides of a call have no codec in common. Without, such a call does not come about.',
    }),
    opus: section({
      bitrate: setting(bitrate().default(0), {
        env: 'OPUS_BITRATE',
        description:
          'Most bits a second of Opus, 6000 to 510000, that we send and ask for; 0 leaves it to the codec and the other side.',
      }),
      complexity: setting(whole(0, 10).default(5), {
        env: 'OPUS_COMPLEXITY',
        description: 'Of our Opus encoder: 10 sounds best, 0 costs least.',
      }),
      fec: setting(flag().default(true), {
        env: 'OPUS_FEC',
        description:
          'Opus carries a coarse copy of the packet before, where the other side takes it and loses packets.',
      }),
      dtx: setting(flag().default(false), {
        env: 'OPUS_DTX',
        description: 'Opus sends hardly anything in silence; else only to who asks for it.',
      }),
    }),
    qualityInterval: setting(duration().default(10_000), {
      env: 'RTP_QUALITY_INTERVAL',
      description:
        'How often the quality of each stream is told while its call lives (the fact `leg.quality`). What begins or ceases to be wrong is told within seconds in any case; with 0 that alone.',
    }),
    workers: setting(whole(1, 128).default(Math.max(1, availableParallelism())), {
      env: 'MEDIA_WORKERS',
      description:
        'Threads that carry media; default: one for each core. A new call goes to the least busy; all of a call, or of a conference, is on one.',
    }),
    stallLimit: setting(
      duration()
        .refine((ms) => ms === 0 || ms >= 5_000, { error: '0, or at least 5s' })
        .default(20_000),
      {
        env: 'MEDIA_STALL_LIMIT',
        description:
          'A media thread that does nothing at all for so long is ended and replaced; its calls end. New calls avoid it from 2s on, and what comes within 5s is not lost. 0: it is waited for.',
      },
    ),
    io: setting(oneOf(['auto', 'dgram', 'native']).default('auto'), {
      env: 'MEDIA_IO',
      description:
        'How packets come in and go out. `dgram`: by Node, everywhere. `native`: by the addon that `npm run native` builds (Linux), at a fraction of the cost. `auto`: by the addon when it is there.',
    }),
    jitterMinMs: setting(whole(20, 1000).default(40), {
      env: 'JITTER_MIN_MS',
      description:
        'How long packets wait at least before somebody hears them decoded (conference, another codec), in milliseconds, the 20 of a frame included. Calls that are passed on packet by packet wait for nothing.',
    }),
    jitterMaxMs: setting(whole(20, 1000).default(200), {
      env: 'JITTER_MAX_MS',
      description: 'How long they wait at most, on a network with much jitter.',
    }),
    pollMs: setting(whole(1, 20).default(2), {
      env: 'MEDIA_POLL_MS',
      description:
        'How often the addon looks for packets, in milliseconds: they are late by so much at most. Less costs more.',
    }),
  }),
  http: section({
    host: setting(ip().default('127.0.0.1'), {
      env: 'HTTP_HOST',
      description: 'Address of the web console and API. Only this machine reaches the default.',
    }),
    port: setting(port().default(8080), { env: 'HTTP_PORT', description: 'Port of the web console and API.' }),
    trustedProxies: setting(list().pipe(networks()).default([]), {
      env: 'HTTP_TRUSTED_PROXIES',
      description:
        'Addresses and networks of reverse proxies: from them X-Forwarded-For, -Host and -Proto are believed.',
    }),
    metrics: setting(flag().default(true), { env: 'HTTP_ENABLE_METRICS', description: 'Serve /metrics.' }),
    ...accessSettings,
    adminPassword: setting(
      text()
        .refine((given) => given === '' || given.length >= 10, { error: 'at least 10 characters' })
        .default(''),
      {
        env: 'PATCHBAY_ADMIN_PASSWORD',
        description:
          'Password of the user admin at the first start, at least 10 characters; one is made and printed once when empty.',
        secret: true,
      },
    ),
  }),
  sealing: section(sealingSettings),
  recording: section({
    dir: setting(text().default('./recordings'), { env: 'RECORDING_DIR', description: 'Folder of the recordings.' }),
    combineLegs: setting(flag().default(true), {
      env: 'RECORDING_COMBINE_LEGS',
      description: 'Write one file with a channel for each leg beside the leg files.',
    }),
    loudness: setting(whole(-40, 0).default(0), {
      env: 'RECORDING_LOUDNESS',
      description:
        'Loudness that each channel of that file is brought to, LUFS (EBU R 128), as far as its peak bears it: -16 is usual for speech. 0 leaves it as it came; files of legs always are.',
    }),
    ...lifeSettings,
    ...pauseSettings,
    ...convertSettings,
    ...decoderSettings,
  }),
  storage: storageSettings,
  siprec: section(siprecSettings),
  redis: section(redisSettings),
  security: section({
    trustedNetworks: setting(list().pipe(networks()).default(['127.0.0.0/8', '::1/128']), {
      env: 'SECURITY_TRUSTED_NETWORKS',
      description:
        'Addresses and networks that are never banned and never slowed down: offices, proxies of yours. Sources of trunks and siprecPeers are besides.',
    }),
    allowedSources: setting(list().pipe(networks()).default([]), {
      env: 'SIP_ALLOWED_SOURCES',
      description: 'Addresses and networks that SIP is read from, besides the trusted; everybody unless given.',
    }),
    deniedSources: setting(list().pipe(networks()).default([]), {
      env: 'SIP_DENIED_SOURCES',
      description: 'Addresses and networks that SIP is never read from.',
    }),
    messagesPerSecond: setting(whole(1, 1_000_000).default(200), {
      env: 'SECURITY_MESSAGES_PER_SECOND',
      description:
        'SIP messages a second that are read from one source (IPv6: its /64) whose devices have not shown a password yet; four times as many at once.',
    }),
    messagesPerSecondInAll: setting(whole(1, 1_000_000).default(2_000), {
      env: 'SECURITY_MESSAGES_PER_SECOND_IN_ALL',
      description: 'The same for all such sources together; twice as many at once.',
    }),
    banAfter: setting(whole(0, 1_000).default(20), {
      env: 'SECURITY_BAN_AFTER',
      description:
        'Wrong passwords from one source within a minute after which its strangers are not listened to. 0 never bans.',
    }),
    highRiskPrefixes: setting(
      list()
        .pipe(z.array(z.string().regex(/^\d{1,15}$/, { error: prefixError }), { error: prefixError }))
        .default([...usualHighRiskPrefixes]),
      {
        env: 'SECURITY_HIGH_RISK_PREFIXES',
        description:
          'Numbers that go out only by a rule that says highRisk: digits after the +, or with a leading 0 as dialled inside the country.',
      },
    ),
    callsAtATime: setting(whole(0, 100_000).default(100), {
      env: 'SECURITY_CALLS_AT_A_TIME',
      description:
        'Calls that one extension may have begun at a time, to whomever; one more hears busy. 0 for no limit.',
    }),
    callsPerSecond: setting(whole(0, 10_000).default(10), {
      env: 'SECURITY_CALLS_PER_SECOND',
      description:
        'Calls that one extension may begin in a second, four times as many at once; one more hears busy. 0 for no limit.',
    }),
    outboundAtATime: setting(whole(0, 100_000).default(20), {
      env: 'SECURITY_OUTBOUND_CALLS_AT_A_TIME',
      description: 'Calls by trunks that one extension may have at a time. 0 for no limit.',
    }),
    outboundPerHour: setting(whole(0, 100_000).default(300), {
      env: 'SECURITY_OUTBOUND_CALLS_PER_HOUR',
      description: 'Calls by trunks that one extension may begin in an hour. 0 for no limit.',
    }),
    banTime: setting(duration(1_000).default(3_600_000), {
      env: 'SECURITY_BAN_TIME',
      description: 'How long a ban lasts.',
    }),
  }),
  hep: section({
    enable: setting(flag().default(false), {
      env: 'HEP_ENABLED',
      description: 'Send each SIP message, without credentials, to a Homer server (HEP version 3).',
    }),
    transport: setting(oneOf(['udp', 'tcp']).default('udp'), {
      env: 'HEP_TRANSPORT',
      description: 'How messages reach the HEP collector: udp or tcp.',
    }),
    host: setting(text().default(''), {
      env: 'HEP_HOST',
      description: 'Name or address of the HEP collector; needed with HEP_ENABLED.',
    }),
    port: setting(whole(1, 65_535).default(9_060), { env: 'HEP_PORT', description: 'Port of the HEP collector.' }),
    captureId: setting(whole(0, 4_294_967_295).default(2_001), {
      env: 'HEP_ID',
      description: 'Number by which the collector tells this sender from others.',
    }),
    password: setting(text().default(''), {
      env: 'HEP_PASSWORD',
      description: 'Password of the collector, if it wants one.',
      secret: true,
    }),
  }),
  calls: section({
    musicOnHold: setting(text().default('music'), {
      env: 'MUSIC_ON_HOLD',
      description:
        'What a party hears that is put on hold: `music` (a quiet piece that the server makes), `none`, or the path of a WAV or Ogg Opus file.',
    }),
    echoNumber: setting(serviceNumber().default('*43'), {
      env: 'ECHO_NUMBER',
      description: 'Extensions that dial this hear a tone and then themselves: a test of the connection. Empty: none.',
    }),
    conferencePrefix: setting(serviceNumber().default('*6'), {
      env: 'CONFERENCE_PREFIX',
      description:
        'Extensions that dial this and one to four digits meet in the room of that number: with `*6` the room 1 is `*61`. Empty: no rooms.',
    }),
  }),
  sound: section({
    echo: setting(flag().default(false), {
      env: 'SOUND_ECHO',
      description:
        'Take the echo of what a party hears out of its voice. With any of SOUND_ECHO, SOUND_DENOISE and SOUND_GAIN all calls are decoded and encoded again, which relaying spares. Recordings keep what came.',
    }),
    denoise: setting(flag().default(false), {
      env: 'SOUND_DENOISE',
      description: 'Suppress noise in voices, by RNNoise where its package is installed.',
    }),
    gain: setting(flag().default(false), {
      env: 'SOUND_GAIN',
      description: 'Bring quiet and loud voices to one level.',
    }),
    gainLevel: setting(whole(gainRangeDbov.min, gainRangeDbov.max).default(-20), {
      env: 'SOUND_GAIN_LEVEL',
      description: 'That level, dBov, while somebody speaks.',
    }),
  }),
  prompts: section({
    dir: setting(text().default('./prompts'), {
      env: 'PROMPTS_DIR',
      description:
        'Folder of your own prompts: a folder for each language with WAV files named as `patchbay prompts list` names them, and grammar.ts where it is none of ours.',
    }),
    language: setting(
      text()
        .refine((given) => /^[a-z]{2,3}([-_][a-z0-9]{2,8})*$/i.test(given), {
          error: 'a language tag such as en or de-AT',
        })
        .default('en'),
      {
        env: 'PROMPTS_LANGUAGE',
        description: 'Language that is spoken where nothing else is said: en, de, fr, es, or one of PROMPTS_DIR.',
      },
    ),
  }),
  data: section({
    dir: setting(text().default('./data'), { env: 'DATA_DIR', description: 'Folder of the database.' }),
  }),
  log: section({
    level: setting(oneOf(['trace', 'debug', 'info', 'warn', 'error', 'silent']).default('info'), {
      env: 'LOG_LEVEL',
      description: 'Least level that is written.',
    }),
    pii: setting(flag().default(false), {
      env: 'LOG_PII',
      description: 'Write numbers, names and addresses of people into the log.',
    }),
  }),
  reload: section(reloadSettings),
  shutdownTimeout: setting(duration().default(10_000), {
    env: 'SHUTDOWN_TIMEOUT',
    description: 'How long a clean stop may take to end calls and finish files.',
  }),
  extensions: z.array(extension).default([]),
  trunks: z.array(trunk).default([]),
  siprecPeers: z.array(siprecPeer).default([]),
  recordingServers: z.array(recordingServer).max(32).default([]),
  certificates: z.array(certificate).default([]),
})

export type Settings = z.infer<typeof settingsSchema>
export type ExtensionSetting = Settings['extensions'][number]
export type TrunkSetting = Settings['trunks'][number]
