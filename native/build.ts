/**
 * `npm run native`: builds the addon that carries the packets of many sockets at once (Linux). Needs a C++ compiler (`c++`,
 * in Debian the package `g++`) and nothing else: no node-gyp, no download. The server runs without it, by node:dgram.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, renameSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { nativeFile } from '../src/media/native-addon.ts'

const headers = dirname(createRequire(import.meta.url).resolve('node-api-headers/include/node_api.h'))
const compiler = process.env['CXX'] ?? 'c++'
const options = [
  '-std=c++17',
  '-O2',
  '-Wall',
  '-Wextra',
  '-Werror',
  '-shared',
  '-fPIC',
  '-fvisibility=hidden',
  '-DNAPI_VERSION=8',
]
const unfinished = `${nativeFile}.${process.pid}`

if (process.platform !== 'linux') stop('The addon is for Linux; elsewhere node:dgram does its work.')
mkdirSync(dirname(nativeFile), { recursive: true })
const { status, error } = spawnSync(
  compiler,
  [...options, '-isystem', headers, '-o', unfinished, join(import.meta.dirname, 'media-io.cc')],
  { stdio: 'inherit' },
)
if (error) stop(`${compiler} could not be started (${error.message}); in Debian: apt-get install g++`)
if (status !== 0) stop('The addon was not built.')
// A server that runs keeps the file it has opened.
renameSync(unfinished, nativeFile)
console.log(`Built ${nativeFile}`)

function stop(why: string): never {
  console.error(why)
  process.exit(1)
}
