/** Serves the page and its script, JsSIP included, on 127.0.0.1: browsers take that for a secure place. */
import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { build } from 'vite'

const port = Number(process.argv[2] ?? 8090)
const built = await build({
  configFile: false,
  logLevel: 'error',
  build: { write: false, lib: { entry: join(import.meta.dirname, 'phone.js'), formats: ['es'] } },
})
const [output] = Array.isArray(built) ? built : [built]
if (!output || !('output' in output)) throw new Error('nothing was built')
const script = output.output[0].code
const page = readFileSync(join(import.meta.dirname, 'index.html'))

const server = createServer((request, response) => {
  const isScript = request.url === '/phone.js'
  response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
  response.end(isScript ? script : page)
})
server.listen(port, '127.0.0.1', () => {
  const address = server.address()
  const bound = typeof address === 'object' && address ? address.port : port
  console.log(`open http://127.0.0.1:${bound}`)
})
