/**
 * A proof: three lines of text, in `<name>.proof` beside the files of a recording and in the database.
 *
 *   1  statement   JSON: what was recorded, and the SHA-256 of each file
 *   2  link        JSON: serial, SHA-256 of line 1, SHA-256 of the link before it, the key that signs, when
 *   3  signature   base64: Ed25519 (RFC 8032) over line 2
 *
 * Hashes are of the bytes of a line without its end, so nobody has to agree on how JSON is written. The statement is not
 * in the chain itself but its hash is: when a person is erased it goes, and the chain still holds.
 */
import { createHash } from 'node:crypto'
import { open } from 'node:fs/promises'
import { z } from 'zod'
import { headBytes, magic, recordsAt } from '../sealing/container/layout.ts'
import type { KeptProof } from './types.ts'

const hash = z.string().regex(/^[0-9a-f]{64}$/)

/** A proof that lies beside files may be anybody's: none that it names is looked for outside their folder. */
const staysInside = (name: string): boolean => !/^[/\\]|^[A-Za-z]:|(?:^|[/\\])\.\.(?:[/\\]|$)|\0/.test(name)

export const provenFileSchema = z.object({
  /** On disk. */
  name: z.string().refine(staysInside),
  /** On disk. */
  bytes: z.number(),
  /** Of all bytes; of a sealed file without its key places (docs/recording-format.md), which change with the master key. */
  sha256: hash,
})
export type ProvenFile = z.infer<typeof provenFileSchema>

export const statementSchema = z.object({
  version: z.literal(1),
  recordingId: z.string(),
  callId: z.string(),
  /** The names of the files begin with it. */
  name: z.string().refine(staysInside),
  startedAtMs: z.number(),
  durationMs: z.number().optional(),
  /** The process or a media worker died during the call. */
  interrupted: z.boolean(),
  participants: z.array(z.looseObject({})),
  /** Pauses and mutes. */
  marks: z.array(z.looseObject({})),
  files: z.array(provenFileSchema),
})
export type Statement = z.infer<typeof statementSchema>

export const linkSchema = z.object({
  version: z.literal(1),
  /** 1, 2, 3… */
  serial: z.int().min(1),
  recordingId: z.string(),
  /** SHA-256 of the statement. */
  statement: hash,
  /** SHA-256 of the link with the serial before; zeros before the first. */
  before: hash,
  /** Id of the key that signs. */
  key: z.string(),
  madeAtMs: z.number(),
})
export type Link = z.infer<typeof linkSchema>

export const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
export const noLink = '0'.repeat(64)

export const printProof = ({ statement, link, signature }: KeptProof): string =>
  `${statement ?? ''}\n${link}\n${signature}\n`

/** undefined when it is no proof. */
export function readProof(text: string): KeptProof | undefined {
  const [statement = '', link = '', signature = '', end, more] = text.split('\n')
  const read = readLink(link)
  if (!read || end !== '' || more !== undefined) return undefined
  const { serial, recordingId } = read
  return { serial, recordingId, ...(statement !== '' && { statement }), link, signature }
}

export const readLink = (text: string): Link | undefined => parsed(linkSchema, text)
export const readStatement = (text: string): Statement | undefined => parsed(statementSchema, text)

function parsed<Schema extends z.ZodType>(schema: Schema, text: string): z.output<Schema> | undefined {
  try {
    return schema.safeParse(JSON.parse(text)).data
  } catch {
    return undefined
  }
}

const readBytes = 1 << 18

/** What a statement says of a file. @throws What the file system throws. */
export async function proofOfFile(path: string, name: string): Promise<ProvenFile> {
  const file = await open(path, 'r')
  try {
    const digest = createHash('sha256')
    const buffer = Buffer.alloc(readBytes)
    let at = 0
    let sealed = false
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, at)
      if (bytesRead === 0) break
      const bytes = buffer.subarray(0, bytesRead)
      if (at === 0) sealed = bytes.subarray(0, magic.length).equals(magic)
      if (at === 0 && sealed) digest.update(bytes.subarray(0, headBytes)).update(bytes.subarray(recordsAt))
      else digest.update(bytes)
      at += bytesRead
    }
    return { name, bytes: at, sha256: digest.digest('hex') }
  } finally {
    await file.close()
  }
}
