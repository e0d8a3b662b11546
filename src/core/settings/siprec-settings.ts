/** Settings of the recording server (SIPREC), spread into schema.ts. */
import { duration, flag, list, networks, oneOf, setting, text, whole } from './fields.ts'
import { privateNetworks } from './private-networks.ts'
import { recordToSettings } from './recording-servers.ts'

export const siprecSettings = {
  ...recordToSettings,
  askWhenSilent: setting(duration().default(300_000), {
    env: 'SIPREC_ASK_WHEN_SILENT',
    description:
      'A recording client whose streams are all silent for so long is asked whether it is still there; its session ends when it does not answer. 0 never asks.',
  }),
  srtp: setting(oneOf(['none', 'accepted', 'mandatory']).default('accepted'), {
    env: 'SIPREC_SRTP',
    description:
      'Whether the streams of recording sessions are encrypted (SRTP). `none`: plain RTP alone. `accepted`: who offers it gets it. `mandatory`: nothing else.',
  }),
  allowedSources: setting(
    list()
      .pipe(networks())
      .default([...privateNetworks]),
    {
      env: 'SIPREC_ALLOWED_SOURCES',
      description:
        'Addresses and networks that may send recording sessions, instead of the default; siprecPeers may besides.',
    },
  ),
  multipartResponse: setting(flag().default(false), {
    env: 'MULTIPART_RESPONSE',
    description:
      'Answer recording clients with two parts, description and empty metadata, as loreste/siprec once did by default. Some clients cannot read it; the standard asks for the description alone.',
  }),
  dialect: setting(oneOf(['rfc', 'lenient', 'network']).default('rfc'), {
    env: 'SIPREC_DIALECT',
    description:
      'How far recording clients that no siprecPeers entry names may depart from RFC 7866. `rfc`: not at all. `lenient`: `Require: siprec` or `+sip.src` may be missing. `network`: every call of theirs is recorded.',
  }),
  maxDurationHours: setting(whole(0, 8_760).default(0), {
    env: 'RECORDING_MAX_DURATION_HOURS',
    description:
      'A recording session is ended after so many hours, unless its client asks for another time (X-Recording-Max-Duration). 0 never.',
  }),
  checkpoints: setting(oneOf(['sqlite', 'redis', 'memory']).default('sqlite'), {
    env: 'SIPREC_CHECKPOINTS',
    description:
      'Where running recording sessions are kept, so that a restart takes them up: in the database, in Redis (REDIS_ADDRESS), or only in memory, which takes up none.',
  }),
  takeUpWithin: setting(duration().default(300_000), {
    env: 'SIPREC_TAKE_UP_WITHIN',
    description: 'Recording sessions are taken up by a start so long after the last process was seen, not later.',
  }),
  handover: setting(flag().default(false), {
    env: 'SIPREC_HANDOVER',
    description:
      'At SIGTERM leave recording sessions running, for the next start to take up, instead of ending them by BYE: for updates on one machine.',
  }),
}

/** Redis, where a setting chooses it. */
export const redisSettings = {
  address: setting(text().default('localhost:6379'), {
    env: 'REDIS_ADDRESS',
    description: 'host:port of Redis, or a URL (redis://, rediss:// for TLS).',
  }),
  password: setting(text().default(''), { env: 'REDIS_PASSWORD', description: 'Password of Redis.', secret: true }),
  database: setting(whole(0, 1_000_000).default(0), {
    env: 'REDIS_DATABASE',
    description: 'Number of the database in Redis.',
  }),
}
