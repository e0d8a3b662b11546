/**
 * The built console: files as they are, and index.html for every other address, since the console routes by itself.
 *
 * Hashed assets never change and are kept by browsers for a year; everything else is asked for again each time.
 */
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { ApiError } from './failures.ts'
import { problemOf, sendProblem } from './problem.ts'

/** Shown while the first build runs. */
const waitingPage = `<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="2">
<title>Patchbay</title><p>The console is being built; this page looks again by itself.</p></html>`

/** Vite puts what carries a hash in its name here. */
const hashedFolder = 'assets/'

/** True for addresses that belong to the console: a page or a file, not a route of the API. */
export const isConsoleAddress = ({ method, url }: FastifyRequest): boolean =>
  (method === 'GET' || method === 'HEAD') && !/^\/(api|health|metrics|status)(\/|\?|$)/.test(url)

export async function sendConsole(
  request: FastifyRequest,
  reply: FastifyReply,
  folder: string | undefined,
): Promise<FastifyReply> {
  reply.code(200)
  if (folder === undefined)
    return reply.header('cache-control', 'no-store').type('text/html; charset=utf-8').send(waitingPage)
  const path = pathOf(request.url)
  const isFile = path !== '' && (await stat(join(folder, path)).catch(() => undefined))?.isFile() === true
  // A page that was built before asks for a script that is gone: index.html in its place would be a riddle.
  if (!isFile && path.startsWith(hashedFolder)) return sendProblem(reply, problemOf(new ApiError('api.not-found')))
  if (isFile && path.startsWith(hashedFolder)) {
    return reply.sendFile(path, folder, { maxAge: '365d', immutable: true })
  }
  reply.header('cache-control', 'no-cache')
  return reply.sendFile(isFile ? path : 'index.html', folder, { cacheControl: false })
}

/** The path without its query, decoded, or nothing when it cannot be a file of ours. */
function pathOf(url: string): string {
  try {
    const path = decodeURIComponent(url.split('?', 1)[0] ?? '').replace(/^\/+/, '')
    return path.split(/[/\\]/).some((part) => part.startsWith('.')) || path.includes('\0') ? '' : path
  } catch {
    return ''
  }
}
