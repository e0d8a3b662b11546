/**
 * A server of Google Cloud Storage's JSON protocol, as far as an archive uses it, for tests: nothing of Google's can be
 * run here. Written from https://cloud.google.com/storage/docs/json_api/v1 and …/resumable-uploads.
 *
 * Not the real thing: nobody has to show a token, as with other emulators, and there are no versions.
 */
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

interface Resource {
  name: string
  size: string
  md5Hash: string
  storageClass: string
  metadata?: Record<string, string>
  [field: string]: unknown
}

interface Session {
  readonly name: string
  readonly total: number
  readonly resource: Partial<Resource>
  received: Buffer[]
  bytes: number
}

export interface FakeGcs {
  readonly endpoint: string
  readonly bucket: string
  readonly objects: ReadonlyMap<string, { readonly resource: Resource; readonly content: Buffer }>
  /** Bytes of bodies that came, doubled ones too. */
  readonly bytesReceived: () => number
  /** Answer the next requests so, before they are looked at. */
  failNext(status: number, reason: string, times: number): void
  /** Break the connection when so many more bytes of an upload have come. */
  breakAfter(bytes: number): void
  /** All connections break, and nothing listens. */
  kill(): Promise<void>
  start(): Promise<void>
}

/** What a server has for sure of a session is a multiple of this. */
const grain = 256 * 1024

const answer = (response: ServerResponse, status: number, body: unknown, headers = {}): void => {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body))
}
const refuse = (response: ServerResponse, code: number, reason: string, message: string): void =>
  answer(response, code, { error: { code, message, errors: [{ reason, message, domain: 'global' }] } })

export async function startFakeGcs(t: TestContext): Promise<FakeGcs> {
  const bucket = 'recordings'
  const objects = new Map<string, { resource: Resource; content: Buffer }>()
  const sessions = new Map<string, Session>()
  const finished = new Map<string, Resource>()
  let bytesReceived = 0
  let failures: { status: number; reason: string; times: number } = { status: 0, reason: '', times: 0 }
  let breakIn = Infinity
  let server: Server | undefined
  let port = 0

  async function begin(request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
    const resource = JSON.parse((await bodyOf(request)).toString() || '{}') as Partial<Resource>
    const id = randomUUID()
    const total = Number(request.headers['x-upload-content-length'] ?? Number.NaN)
    sessions.set(id, { name: url.searchParams.get('name') ?? '', total, resource, received: [], bytes: 0 })
    answer(response, 200, {}, { location: `http://127.0.0.1:${port}/session/${id}` })
  }

  async function receive(request: IncomingMessage, response: ServerResponse, id: string): Promise<void> {
    const session = sessions.get(id)
    const before = finished.get(id)
    if (before) {
      request.resume()
      return answer(response, 200, before)
    }
    if (!session) return refuse(response, 404, 'notFound', 'No such upload')
    const [, from, , whole] =
      /^bytes (?:(\d+)-(\d+|\*)|\*)\/(\d+|\*)$/.exec(request.headers['content-range'] ?? '') ?? []
    if (from !== undefined && Number(from) !== session.bytes) {
      request.resume()
      return refuse(response, 400, 'invalid', `Range begins at ${from}, not at ${session.bytes}`)
    }
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        if (from === undefined && request.headers['content-range']) continue
        session.received.push(chunk)
        session.bytes += chunk.length
        bytesReceived += chunk.length
        breakIn -= chunk.length
        if (breakIn <= 0) {
          breakIn = Infinity
          request.destroy()
        }
      }
    } catch {
      // What came before the break counts, in whole grains.
      const kept = Buffer.concat(session.received).subarray(0, session.bytes - (session.bytes % grain))
      session.received = [kept]
      session.bytes = kept.length
      return
    }
    const total = Number.isNaN(session.total) ? Number(whole) : session.total
    if (session.bytes < total) {
      const range = session.bytes === 0 ? {} : { range: `bytes=0-${session.bytes - 1}` }
      response.writeHead(308, range).end()
      return
    }
    finish(session, id, response)
  }

  function finish(session: Session, id: string, response: ServerResponse): void {
    const content = Buffer.concat(session.received)
    const md5Hash = createHash('md5').update(content).digest('base64')
    sessions.delete(id)
    if (session.resource.md5Hash !== undefined && session.resource.md5Hash !== md5Hash)
      return refuse(response, 400, 'invalid', `Provided MD5 hash does not match calculated MD5 hash ${md5Hash}`)
    const resource: Resource = {
      storageClass: 'STANDARD',
      ...session.resource,
      name: session.name,
      size: String(content.length),
      md5Hash,
      generation: String(objects.size + 1),
    }
    objects.set(session.name, { resource, content })
    finished.set(id, resource)
    answer(response, 200, resource)
  }

  async function aboutObject(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
    url: URL,
  ): Promise<void> {
    const found = objects.get(name)
    if (!found) return refuse(response, 404, 'notFound', `No such object: ${bucket}/${name}`)
    if (request.method === 'DELETE') {
      if (found.resource['retention'])
        return refuse(response, 403, 'retentionPolicyNotMet', 'Object is under retention')
      objects.delete(name)
      response.writeHead(204).end()
    } else if (request.method === 'PATCH') {
      Object.assign(found.resource, JSON.parse((await bodyOf(request)).toString()))
      answer(response, 200, found.resource)
    } else if (url.searchParams.get('alt') === 'media') {
      const [, from = '0', until = ''] = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '') ?? []
      const part = found.content.subarray(Number(from), until === '' ? undefined : Number(until) + 1)
      response.writeHead(request.headers.range ? 206 : 200, {
        'content-length': part.length,
        'x-goog-hash': `md5=${found.resource.md5Hash}`,
      })
      response.end(part)
    } else answer(response, 200, found.resource)
  }

  function list(response: ServerResponse, url: URL): void {
    const prefix = url.searchParams.get('prefix') ?? ''
    const after = url.searchParams.get('pageToken') ?? ''
    const names = [...objects.keys()].filter((name) => name.startsWith(prefix) && name > after).toSorted()
    const page = names.slice(0, Number(url.searchParams.get('maxResults') ?? 1000))
    answer(response, 200, {
      items: page.map((name) => objects.get(name)?.resource),
      ...(names.length > page.length && { nextPageToken: page.at(-1) }),
    })
  }

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://x')
    const [, tail] = /^\/(?:download\/)?storage\/v1\/b\/recordings\/o\/?(.*)$/.exec(url.pathname) ?? []
    if (failures.times > 0) {
      failures.times--
      request.resume()
      return refuse(response, failures.status, failures.reason, failures.reason)
    }
    if (url.pathname.startsWith('/session/')) return receive(request, response, url.pathname.slice('/session/'.length))
    if (url.pathname === '/upload/storage/v1/b/recordings/o') return begin(request, response, url)
    if (tail === undefined) return refuse(response, 404, 'notFound', 'The specified bucket does not exist.')
    if (tail === '') return list(response, url)
    const [, from, to] = /^(.*)\/rewriteTo\/b\/recordings\/o\/(.*)$/.exec(tail) ?? []
    if (from === undefined || to === undefined) return aboutObject(request, response, decodeURIComponent(tail), url)
    const source = objects.get(decodeURIComponent(from))
    if (!source) return refuse(response, 404, 'notFound', 'No such object')
    const changes = JSON.parse((await bodyOf(request)).toString() || '{}') as Partial<Resource>
    const name = decodeURIComponent(to)
    objects.set(name, { content: source.content, resource: { ...source.resource, ...changes, name } })
    answer(response, 200, { done: true, resource: objects.get(name)?.resource })
  }

  const emulator: FakeGcs = {
    get endpoint() {
      return `http://127.0.0.1:${port}`
    },
    bucket,
    objects,
    bytesReceived: () => bytesReceived,
    failNext(status, reason, times) {
      failures = { status, reason, times }
    },
    breakAfter(bytes) {
      breakIn = bytes
    },
    async kill() {
      const stopped = server
      server = undefined
      if (!stopped) return
      stopped.closeAllConnections()
      stopped.close()
      await once(stopped, 'close')
    },
    async start() {
      server = createServer((request, response) => void handle(request, response).catch(() => response.destroy()))
      server.listen(port, '127.0.0.1')
      await once(server, 'listening')
      port = (server.address() as AddressInfo).port
    },
  }
  t.after(() => emulator.kill())
  await emulator.start()
  return emulator
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
