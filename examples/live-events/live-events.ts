/**
 * Prints the facts of a running server as they happen, until Ctrl-C or as many as are asked for.
 *
 *   PATCHBAY_API_KEY=pb_… node examples/live-events/live-events.ts http://127.0.0.1:8080 [count]
 */
import { WebSocket } from 'ws'

const [url = 'http://127.0.0.1:8080', count = 'all'] = process.argv.slice(2)
const headers = { 'X-API-Key': process.env['PATCHBAY_API_KEY'] ?? '' }
const socket = new WebSocket(new URL('/api/events', url.replace(/^http/, 'ws')), { headers })

let left = count === 'all' ? Number.POSITIVE_INFINITY : Number(count)
socket.on('open', () => console.log('listening'))
socket.on('message', (data: Buffer) => {
  const { name, atMs, ...facts } = JSON.parse(data.toString()) as { name: string; atMs: number }
  console.log(new Date(atMs).toISOString(), name, JSON.stringify(facts))
  left -= 1
  if (left === 0) socket.close()
})
socket.on('error', (error) => {
  console.error(`cannot listen to ${url}: ${error.message}`)
  process.exitCode = 1
})
