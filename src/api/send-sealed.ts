/**
 * A sealed file, or a file of an archive, sent in the clear: whole, one range of it, or only when it changed
 * (RFC 9110 §13, §14), as `reply.sendFile` sends a plain one. Of several ranges in one request none is honoured, as §14.2 allows.
 */
import { stat } from 'node:fs/promises'
import { extname } from 'node:path'
import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { OpenKey } from '../sealing/container/reader.ts'
import { openStored, plainName, type StoredFile, streamStored } from '../sealing/stored-file.ts'
import { ApiError } from './failures.ts'

const types: Readonly<Record<string, string>> = {
  '.wav': 'audio/wav',
  '.flac': 'audio/flac',
  '.mp3': 'audio/mpeg',
  '.opus': 'audio/ogg',
  '.json': 'application/json; charset=utf-8',
}

export interface Sent {
  readonly request: FastifyRequest
  readonly reply: FastifyReply
  readonly path: string
  readonly openKey: OpenKey
}

/** @throws {ApiError | SealingError} */
export async function sendSealed({ request, reply, path, openKey }: Sent): Promise<FastifyReply> {
  const { mtimeMs, size } = await stat(path)
  const etag = `"${size.toString(16)}-${Math.round(mtimeMs).toString(16)}"`
  const open = () => openStored(path, { openKey })
  return sendOpened({ request, reply, name: path, etag, modifiedMs: mtimeMs, open })
}

export interface Opened extends Pick<Sent, 'request' | 'reply'> {
  /** Says what is in it. */
  readonly name: string
  readonly etag: string
  readonly modifiedMs: number
  /** Asked when the file has to be read. */
  readonly open: () => Promise<StoredFile>
}

/** @throws {ApiError} and what `open` throws. */
export async function sendOpened({ request, reply, name, etag, modifiedMs, open }: Opened): Promise<FastifyReply> {
  const { headers } = request
  reply.headers({ etag, 'last-modified': new Date(modifiedMs).toUTCString(), 'accept-ranges': 'bytes' })
  if (headers['if-match'] !== undefined && !names(headers['if-match'], etag))
    throw new ApiError('api.precondition-failed')
  if (headers['if-none-match'] !== undefined && names(headers['if-none-match'], etag)) return reply.code(304).send()
  const file = await open()
  reply.type(types[extname(plainName(name))] ?? 'application/octet-stream')
  try {
    return sendRange(request, reply, file, etag)
  } catch (error) {
    await file.close()
    throw error
  }
}

function sendRange(
  { headers, method }: FastifyRequest,
  reply: FastifyReply,
  file: StoredFile,
  etag: string,
): FastifyReply {
  const { size } = file
  const ifRange = headers['if-range']
  const wanted = ifRange === undefined || ifRange === etag ? headers.range : undefined
  const range = wanted === undefined ? undefined : rangeOf(wanted, size)
  if (range === 'none') {
    reply.header('content-range', `bytes */${size}`)
    throw new ApiError('api.range-not-satisfiable')
  }
  const { from, until } = range ?? { from: 0, until: size }
  if (range) reply.code(206).header('content-range', `bytes ${from}-${until - 1}/${size}`)
  reply.header('content-length', until - from)
  if (method !== 'HEAD') return reply.send(streamStored(file, from, until))
  void file.close()
  return reply.send(Readable.from([])) // an empty body would change the length
}

/** Whether a list of entity tags names this one. */
const names = (list: string, etag: string): boolean =>
  list.split(',').some((one) => one.trim() === '*' || one.trim().replace(/^W\//, '') === etag)

/** `none`: nothing of the file. undefined: send the whole. */
function rangeOf(text: string, size: number): { from: number; until: number } | 'none' | undefined {
  const [, first = '', last = ''] = /^bytes=(\d*)-(\d*)$/.exec(text.trim()) ?? []
  if (first === '' && last === '') return undefined
  if (first === '') return last === '0' || size === 0 ? 'none' : { from: Math.max(0, size - Number(last)), until: size }
  const from = Number(first)
  const until = last === '' ? size : Math.min(size, Number(last) + 1)
  if (last !== '' && Number(last) < from) return undefined
  return from >= size ? 'none' : { from, until }
}
