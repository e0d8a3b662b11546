/** Who may use the API, and how much: spread into `http` of schema.ts. */
import type { z } from 'zod'
import { duration, flag, setting, text, whole } from './fields.ts'

const secretError = 'at least 32 characters (RFC 7518 §3.2); `openssl rand -hex 32` makes one'
const keyError = 'at least 16 characters'

export const accessSettings = {
  tls: setting(flag().default(false), {
    env: 'HTTP_TLS_ENABLED',
    description: 'Serve console and API by HTTPS, with HTTP_TLS_CERT_FILE and HTTP_TLS_KEY_FILE, and not by HTTP.',
  }),
  tlsCert: setting(text().default(''), {
    env: 'HTTP_TLS_CERT_FILE',
    description: 'File with the certificate and its intermediates for HTTPS, in PEM. Read again with the settings.',
  }),
  tlsKey: setting(text().default(''), {
    env: 'HTTP_TLS_KEY_FILE',
    description: 'File with the key of that certificate, in PEM, without a passphrase.',
  }),
  requestsPerMinute: setting(whole(0, 1_000_000).default(1_200), {
    env: 'HTTP_REQUESTS_PER_MINUTE',
    description: 'Requests a minute that one address may send to the API; 0 for no limit.',
  }),
  adminName: setting(
    text()
      .refine((given) => /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/.test(given), {
        error: 'up to 64 letters, digits or . _ @ -, a letter or digit first',
      })
      .default('admin'),
    { env: 'AUTH_ADMIN_USERNAME', description: 'Name of the administrator that the first start makes.' },
  ),
  apiKeys: setting(flag().default(true), {
    env: 'AUTH_ENABLE_API_KEYS',
    description: 'Take API keys; without, people sign in and programs send tokens.',
  }),
  keysInUrl: setting(flag().default(false), {
    env: 'HTTP_KEYS_IN_URL',
    description:
      'Take keys and tokens in the address too, `?api_key=` and `?token=`. Addresses are kept in logs of proxies and histories of browsers: who can, sends a header.',
  }),
  jwtSecret: setting(
    text()
      .refine((given) => given === '' || given.length >= 32, { error: secretError })
      .default(''),
    {
      env: 'AUTH_JWT_SECRET',
      description:
        'Secret that signs tokens (JWT, HS256), at least 32 characters; tokens that others sign with it are taken, for the role they name. Empty: one is made at each start, and tokens of before end.',
      secret: true,
    },
  ),
  jwtIssuer: setting(text().default('siprec-server'), {
    env: 'AUTH_JWT_ISSUER',
    description: 'Issuer (`iss`) that tokens name.',
  }),
  tokenExpiry: setting(duration(60_000).default(86_400_000), {
    env: 'AUTH_TOKEN_EXPIRY',
    description: 'How long a token holds.',
  }),
  pauseKey: setting(
    text()
      .refine((given) => given === '' || given.length >= 16, { error: keyError })
      .default(''),
    {
      env: 'PAUSE_RESUME_API_KEY',
      description:
        'An API key, at least 16 characters, that pauses, resumes and mutes recordings and does nothing else; none when empty.',
      secret: true,
    },
  ),
} satisfies z.ZodRawShape
