/**
 * The addon for packets: where `npm run native` puts it, whether it can be used, and what it offers.
 *
 *   plane.ts, cli doctor  ── which kind of packet input and output? ─▶  here  ── require ─▶  native/build/media-io.node
 *   worker/main.ts        ── the addon ─────────────────────────────▶
 */
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import type { IoKind } from './types.ts'

export const nativeFile = fileURLToPath(new URL('../../native/build/media-io.node', import.meta.url))

/** As in native/media-io.cc. */
export const interfaceVersion = 7

/** What native/media-io.cc gives; `Io` is its own and means nothing here. */
export interface Native {
  readonly version: number
  create(block: ArrayBuffer): object | undefined
  open(io: object, ip: string, port: number, receiveBufferBytes: number): number
  close(io: object, socket: number): void
  aim(io: object, socket: number, ip: string, port: number): number
  /** Negative, less one: more waits. @param share Of the eased sockets that are looked at. */
  poll(io: object, share: number): number
  /** Into the reserved slots. */
  drain(io: object, socket: number): number
  /** The clock by which it says when a poll began, ms. */
  now(io: object): number
  ease(io: object, socket: number, on: number): void
  /** The rest of it lies in the block. */
  pass(io: object, fromIp: string, fromPort: number): void
  source(io: object, slot: number): string
  send(io: object, count: number): void
  /** Writes to files on another thread. @param places A file and a position for each. @param done Told an errno for each, 0 when it is written. */
  write(places: Float64Array, bytes: readonly Uint8Array[], done: (errors: readonly number[]) => void): void
  counters(io: object): readonly [oversized: number, unsent: number, dropped: number]
}

/** The addon, or why there is none. */
export type LoadedNative = { readonly native: Native } | { readonly missing: string }

export function loadNative(file: string = nativeFile): LoadedNative {
  if (process.platform !== 'linux') return { missing: 'it is for Linux' }
  try {
    const native = createRequire(import.meta.url)(file) as Native
    if (native.version === interfaceVersion) return { native }
    return { missing: `it was built from another version of Patchbay: run "npm run native" again` }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    return { missing: code === 'MODULE_NOT_FOUND' ? 'it is not built: run "npm run native"' : message }
  }
}

/**
 * The kind of input and output that a setting means.
 * @returns With `missing`, why it is dgram though the addon would be better, or was asked for.
 */
export function chooseIo(
  wanted: IoKind | 'auto',
  loaded = loadNative,
): { readonly kind: IoKind; readonly missing?: string } {
  if (wanted === 'dgram') return { kind: 'dgram' }
  const found = loaded()
  return 'native' in found ? { kind: 'native' } : { kind: 'dgram', missing: found.missing }
}
