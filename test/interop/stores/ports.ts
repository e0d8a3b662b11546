/** Ports for servers that tests start, and when those answer. */
import { once } from 'node:events'
import { createServer } from 'node:net'

/** Free a moment ago: a server that starts later than another test may find it taken. */
export async function freePort(): Promise<number> {
  const socket = createServer()
  socket.listen(0, '127.0.0.1')
  await once(socket, 'listening')
  const address = socket.address()
  socket.close()
  await once(socket, 'close')
  return typeof address === 'object' && address ? address.port : 0
}

/** Resolves when anything but a fault comes back; a refusal is an answer. @throws After 60 s. */
export async function answers(url: string): Promise<void> {
  const until = performance.now() + 60_000
  for (;;) {
    const status = await fetch(url).then(
      (answer) => answer.status,
      () => 599,
    )
    if (status < 500) return
    if (performance.now() > until) throw new Error(`${url} does not answer`)
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
}
