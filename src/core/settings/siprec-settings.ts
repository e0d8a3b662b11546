/** Settings of the recording server (SIPREC), spread into schema.ts. */
import { duration, flag, list, networks, oneOf, setting } from './fields.ts'
import { privateNetworks } from './private-networks.ts'

export const siprecSettings = {
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
}
