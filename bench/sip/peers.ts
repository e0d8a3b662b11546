/**
 * Other SIP parsers for Node, to stand beside ours: npm `sip` and SIP.js. They are no dependencies of this project:
 * `npm install sip sip.js` in any folder, and name it.
 */
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface PeerParser {
  readonly name: string
  /** From bytes, as they come from a socket. */
  readonly parse: (bytes: Buffer) => unknown
  readonly print?: (parsed: never) => unknown
}

interface NpmSip {
  readonly parse: (bytes: Buffer) => unknown
  readonly stringify: (message: unknown) => string
}

interface SipJs {
  readonly Parser: { parseMessage(text: string, log: object): unknown }
}

/** @param folder With node_modules in it. Those that are not installed there are left out. */
export async function loadPeers(folder: string): Promise<readonly PeerParser[]> {
  const { parse, stringify } = (load(folder, 'sip') as NpmSip | undefined) ?? {}
  const peers: PeerParser[] =
    parse && stringify ? [{ name: 'npm sip', parse, print: (message) => stringify(message) }] : []
  // Its package exports the browser's side only; the parser is one of its files.
  const file = join(folder, 'node_modules/sip.js/lib/core/messages/parser.js')
  if (existsSync(file)) {
    const { Parser } = (await import(pathToFileURL(file).href)) as SipJs
    peers.push({ name: 'SIP.js', parse: (bytes) => Parser.parseMessage(bytes.toString(), silent) })
  }
  return peers
}

function load(folder: string, name: string): unknown {
  try {
    return createRequire(resolve(folder, 'package.json'))(name)
  } catch {
    return undefined
  }
}

const nothing = (): void => {}
const silent = { debug: nothing, log: nothing, warn: nothing, error: nothing }
