/** Extensions of the phone system and the devices registered for them. */
import { z } from 'zod'
import { codecName, codecsRule, mostCodecs } from '../../core/codec-names.ts'
import { devicePasswordLength, extensionNumber, extensionNumberRule } from '../../core/extension-number.ts'
import { srtpModes } from '../../core/srtp.ts'
import { gainRangeDbov } from '../../core/voice-processing.ts'
import { recordToSchema } from './recording-servers.ts'

export const registrationSchema = z
  .object({
    extension: z.string(),
    contact: z.string(),
    source: z.string(),
    transport: z.string(),
    userAgent: z.string().optional(),
    expiresAtMs: z.number(),
  })
  .meta({ id: 'Registration' })
export type Registration = z.infer<typeof registrationSchema>

export const registrationsSchema = z
  .object({ items: z.array(registrationSchema).readonly() })
  .meta({ id: 'Registrations' })
export type Registrations = z.infer<typeof registrationsSchema>

const soundSchema = z
  .strictObject({
    echo: z.boolean().describe('Take out what it hears and sends back.'),
    denoise: z.boolean().describe('Suppress noise.'),
    gainDbov: z
      .int()
      .min(gainRangeDbov.min)
      .max(gainRangeDbov.max)
      .optional()
      .describe('Bring its voice to this level; left out: as loud as it comes.'),
  })
  .meta({ id: 'Sound' })
export type Sound = z.infer<typeof soundSchema>

export const extensionSchema = z
  .object({
    number: z.string(),
    displayName: z.string(),
    ringSeconds: z.int(),
    record: z.boolean(),
    maxContacts: z.int(),
    srtp: z.enum(srtpModes).optional().describe('Whether its audio is encrypted; left out: as RTP_SRTP says.'),
    codecs: z.array(z.string()).readonly().optional().describe('Its codecs, best first; left out: as CODECS says.'),
    sound: soundSchema.optional().describe('What is done to its voice; left out: as SOUND_… say.'),
    recordTo: z
      .array(z.string())
      .readonly()
      .optional()
      .describe('Recording servers that its calls are sent to, `main|spare` each; left out: as RECORD_TO says.'),
    createdAtMs: z.number(),
    registrations: z.array(registrationSchema).readonly().describe('Devices registered now, newest first.'),
  })
  .meta({ id: 'Extension' })
export type Extension = z.infer<typeof extensionSchema>

export const extensionsSchema = z.object({ items: z.array(extensionSchema).readonly() }).meta({ id: 'Extensions' })
export type Extensions = z.infer<typeof extensionsSchema>

/** What a device signs in with as user name and people dial. */
const numberSchema = z.string().regex(extensionNumber, extensionNumberRule)

const extensionPasswordSchema = z.string().min(devicePasswordLength.min).max(devicePasswordLength.max)

const changeable = {
  displayName: z.string().max(100),
  ringSeconds: z.int().min(5).max(300),
  record: z.boolean(),
  maxContacts: z.int().min(1).max(20),
  srtp: z.enum(srtpModes),
  codecs: z
    .array(z.string().regex(codecName, { error: codecsRule }))
    .min(1)
    .max(mostCodecs),
  sound: soundSchema,
  recordTo: recordToSchema.max(4),
}

export const newExtensionSchema = z
  .strictObject({
    number: numberSchema,
    displayName: changeable.displayName.default(''),
    password: extensionPasswordSchema.optional().describe('Left out: one is generated and returned, once.'),
    ringSeconds: changeable.ringSeconds.default(30),
    record: changeable.record.default(true),
    maxContacts: changeable.maxContacts.default(5),
    srtp: changeable.srtp.optional().describe('Whether its audio is encrypted; left out: as RTP_SRTP says.'),
    codecs: changeable.codecs.optional().describe('Its codecs, best first; left out: as CODECS says.'),
    sound: changeable.sound.optional().describe('What is done to its voice; left out: as SOUND_… say.'),
    recordTo: changeable.recordTo
      .optional()
      .describe('Recording servers that its calls are sent to, `main|spare` each; left out: as RECORD_TO says.'),
  })
  .meta({ id: 'NewExtension' })
export type NewExtension = z.input<typeof newExtensionSchema>

export const extensionChangesSchema = z
  .strictObject({
    displayName: changeable.displayName.optional(),
    ringSeconds: changeable.ringSeconds.optional(),
    record: changeable.record.optional(),
    maxContacts: changeable.maxContacts.optional(),
    srtp: changeable.srtp.nullable().optional().describe('null: as RTP_SRTP says.'),
    codecs: changeable.codecs.nullable().optional().describe('null: as CODECS says.'),
    sound: changeable.sound.nullable().optional().describe('null: as SOUND_… say.'),
    recordTo: changeable.recordTo.nullable().optional().describe('null: as RECORD_TO says; empty: none.'),
    password: extensionPasswordSchema.optional(),
    generatePassword: z.literal(true).optional().describe('A new password is generated and returned, once.'),
  })
  .meta({ id: 'ExtensionChanges' })
export type ExtensionChanges = z.input<typeof extensionChangesSchema>

/** The password is there only when it was generated by this very request; it cannot be asked for again. */
export const extensionSavedSchema = z
  .object({ extension: extensionSchema, password: z.string().optional() })
  .meta({ id: 'ExtensionSaved' })
export type ExtensionSaved = z.infer<typeof extensionSavedSchema>

export const extensionParams = z.object({ number: z.string().min(1).max(64) })
