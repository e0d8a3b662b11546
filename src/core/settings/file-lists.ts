/**
 * What only patchbay.yaml can hold, for it comes in lists: extensions, trunks, certificates, recording clients.
 *
 *   schema.ts ─▶ here; docs/configuration.md shows an example of each
 */
import { z } from 'zod'
import { devicePasswordLength, extensionNumber, extensionNumberRule } from '../extension-number.ts'
import { srtpModes } from '../srtp.ts'
import { gainRangeDbov } from '../voice-processing.ts'
import { codecs, duration, headerNames, networks, whole, words } from './fields.ts'
import { recordTo } from './recording-servers.ts'

const devicePasswordError = `at least ${devicePasswordLength.min} characters, or env:NAME, or file:/path`

const srtpMode = () => z.enum(srtpModes, { error: 'none, accepted, optional, mandatory or dtls' })

const voiceProcessing = () =>
  z.strictObject({
    echo: z.boolean().default(false),
    denoise: z.boolean().default(false),
    gainDbov: whole(gainRangeDbov.min, gainRangeDbov.max).optional(),
  })

/** An extension kept in the file rather than added by API or command line. */
export const extension = z.strictObject({
  number: words().regex(extensionNumber, { error: extensionNumberRule }),
  name: words().max(100, { error: 'at most 100 characters' }).default(''),
  /** The password, or where to find it: `env:NAME`, `file:/path`. */
  password: words().min(devicePasswordLength.min, { error: devicePasswordError }),
  ringSeconds: whole(5, 300).default(30),
  record: z.boolean().default(true),
  /** Recording servers elsewhere that its calls are sent to, `main|spare`; RECORD_TO when left out, [] for none. */
  recordTo: recordTo().optional(),
  maxContacts: whole(1, 20).default(5),
  /** Whether their audio is encrypted; RTP_SRTP when left out. */
  srtp: srtpMode().optional(),
  /** Its codecs, best first: `[G722, PCMA]`; those of CODECS when left out. */
  codecs: codecs().optional(),
  /** What is done to its voice, instead of what SOUND_* say for all. */
  sound: voiceProcessing().optional(),
  /** Addresses or networks its devices sign in from; from anywhere when left out. */
  sources: networks().min(1, { error: 'at least one address or network' }).optional(),
})

const callerIdError = 'from, p-asserted-identity, p-preferred-identity or remote-party-id'

/** A carrier, or another telephone system. */
export const trunk = z.strictObject({
  name: words().regex(/^[a-z0-9-]{1,32}$/, { error: '1 to 32 of a-z, 0-9 and -' }),
  host: words().min(1, { error: 'a name or an address' }),
  /** Left out: what DNS says (RFC 3263), else 5060, or 5061 for TLS. */
  port: whole(1, 65_535).optional(),
  /** Left out: what DNS says, else UDP. */
  transport: z.enum(['udp', 'tcp', 'tls']).optional(),
  username: words().optional(),
  /** The password, or where to find it: `env:NAME`, `file:/path`. */
  password: words().optional(),
  /** Register there, as `username`: calls come to us then, also behind NAT. */
  register: z.boolean().default(false),
  /** How long a registration shall last; the trunk decides. */
  expires: duration(60_000).default(3_600_000),
  /** How often it is asked by OPTIONS whether it is there; 0 never asks. */
  qualify: duration().default(60_000),
  /** Calls from these addresses or networks are this trunk's. */
  sources: networks().default([]),
  /**
   * It is in a circle of trust with us (RFC 3325): believed who is calling and where the call has been, and told who
   * calls though the caller is private.
   */
  trustIdentity: z.boolean().optional(),
  /** Where our calls say who is calling, `from` when left out. In a header, From names the account. */
  callerIdIn: z
    .enum(['from', 'p-asserted-identity', 'p-preferred-identity', 'remote-party-id'], { error: callerIdError })
    .optional(),
  /** Shown for extensions that no number of `inbound` reaches. */
  callerNumber: words()
    .regex(/^\+?\d{1,20}$/, { error: 'a telephone number' })
    .optional(),
  /** Domain of our From; our address when left out. */
  fromDomain: words().optional(),
  /** Whether its audio is encrypted, as SRTP with keys in the signalling; RTP_SRTP when left out. */
  srtp: srtpMode().optional(),
  /** Its codecs, best first: `[PCMA, PCMU]`; those of CODECS when left out. */
  codecs: codecs().optional(),
  /** What is done to the voices that come by it, instead of what SOUND_* say for all. */
  sound: voiceProcessing().optional(),
  /** Headers of calls from it that go on to our phones: `[User-to-User, X-Ticket]`. */
  passHeaders: headerNames().optional(),
  /** Calls at a time in both directions; no limit of its own when left out. */
  maxCalls: whole(1, 100_000).optional(),
  /** Calls that begin in a second in both directions; no limit of its own when left out. */
  callsPerSecond: whole(1, 10_000).optional(),
  /** Recording servers elsewhere that its calls are sent to, as of an extension. */
  recordTo: recordTo().optional(),
  /** Numbers dialled in to extensions, or to what the server answers itself: `{"+4930123": "101", "+4930124": "*61"}`. */
  inbound: z.record(z.string(), words()).default({}),
  /** What may go out: a number that starts with `prefix`, from these extensions (all when empty). Nothing without a rule. */
  outbound: z
    .array(
      z.strictObject({
        prefix: words(),
        strip: whole(0, 20).default(0),
        add: words().default(''),
        from: z.array(words()).default([]),
        /** Dear numbers too: those of SECURITY_HIGH_RISK_PREFIXES. */
        highRisk: z.boolean().optional(),
      }),
    )
    .default([]),
})

/** A certificate for another name of ours than that of TLS_CERT_PATH. */
export const certificate = z.strictObject({
  cert: words().min(1, { error: 'the path of a file' }),
  key: words().min(1, { error: 'the path of a file' }),
})

/** A session border controller that sends SIPREC; docs/siprec/peers.md tells what it means. */
export const siprecPeer = z
  .strictObject({
    name: words().min(1, { error: 'a name' }),
    enabled: z.boolean().default(true),
    /** Addresses or networks it sends from. */
    sources: networks().default([]),
    /** User name and password it answers our challenge with. */
    username: words().min(1, { error: 'a user name' }).optional(),
    /** The password, or where to find it: `env:NAME`, `file:/path`. */
    password: words().min(devicePasswordLength.min, { error: devicePasswordError }).optional(),
    /** A name in its TLS certificate, or the certificate's SHA-256 fingerprint. */
    certificate: words().min(1, { error: 'a name or a fingerprint' }).optional(),
    /** How far it may depart from RFC 7866. */
    dialect: z.enum(['rfc', 'lenient', 'network'], { error: 'rfc, lenient or network' }).default('lenient'),
    /** Whether its streams are encrypted; SIPREC_SRTP when left out. */
    srtp: z.enum(['none', 'accepted', 'mandatory'], { error: 'none, accepted or mandatory' }).optional(),
    /** The codecs that are taken from it, best first; all when left out. */
    codecs: codecs().optional(),
    /** How long its recordings are kept. */
    retentionDays: whole(1, 36_500).optional(),
    /** Given to each of its recordings. */
    tags: z.array(words().min(1).max(64)).max(20).default([]),
    /** Where it takes orders to record: `sip:sbc.example.com`. */
    contact: words()
      .regex(/^sips?:/i, { error: 'a SIP address' })
      .optional(),
  })
  .refine(({ sources, password, certificate }) => sources.length > 0 || password || certificate, {
    error: 'sources, a username with a password, or a certificate',
  })
  .refine(({ username, password }) => (username === undefined) === (password === undefined), {
    error: 'a username and a password, or neither',
  })
