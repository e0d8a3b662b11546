/** Settings of the recording client (SIPREC): the servers that calls of ours are sent to, and which calls. */
import { z } from 'zod'
import { duration, fromText, setting, words } from './fields.ts'

const serverName = /^[a-z0-9-]{1,32}$/
const listError = 'names of recordingServers: `main|spare` is tried in that order, `a,b` are sent to both'

/** `main|spare,compliance`: lists of names; of each list one server gets the call. */
export const recordTo = () =>
  fromText(
    (given) =>
      given
        .split(',')
        .map((one) => one.trim())
        .filter((one) => one !== ''),
    z
      .array(z.string({ error: listError }).regex(/^[a-z0-9-]{1,32}(\|[a-z0-9-]{1,32}){0,7}$/, { error: listError }), {
        error: listError,
      })
      .max(4, { error: 'at most four lists' }),
  )

/** A recording server elsewhere. */
export const recordingServer = z
  .strictObject({
    name: words().regex(serverName, { error: '1 to 32 of a-z, 0-9 and -' }),
    /** `sip:recorder@srs.example.com;transport=tcp`; `sips:` for TLS. */
    uri: words().regex(/^sips?:[^\s<>"]+$/i, { error: 'a SIP address' }),
    /** Whether the streams are encrypted, with keys in the signalling. */
    srtp: z.enum(['none', 'optional', 'mandatory'], { error: 'none, optional or mandatory' }).default('none'),
    /** How often it is asked by OPTIONS whether it is there; 0 never asks. */
    qualify: duration().default(30_000),
    username: words().min(1).optional(),
    /** The password, or where to find it: `env:NAME`, `file:/path`. */
    password: words().min(1).optional(),
  })
  .refine(({ username, password }) => (username === undefined) === (password === undefined), {
    error: 'a username and a password, or neither',
  })

export const recordToSettings = {
  recordTo: setting(recordTo().default([]), {
    env: 'RECORD_TO',
    description:
      'Servers of recordingServers that calls of extensions and trunks without a recordTo of their own are sent to: `main|spare` (the first that takes it), `main,compliance` (both). Empty: none.',
  }),
}
