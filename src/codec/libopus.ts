/**
 * libopus 1.6.1 as WebAssembly: the functions and the heap of the package libopus-wasm, loaded once for each thread.
 *
 *   opus.ts  ── heap addresses ─▶  here
 *
 * The package's own classes make an array for each frame, and are made by promises; its module underneath, which is not
 * among its exports, needs neither. So its version is pinned in package.json, and opus.test.ts notices what changes.
 * The heap begins with 16 MB, of which the system gives what is touched, and grows.
 */

/** What is used of it. Addresses are bytes from the beginning of the heap; what is negative is an error of libopus. */
export interface Libopus {
  /** New arrays when the heap has grown: read them anew after each call that may allocate. */
  readonly HEAPU8: Uint8Array
  readonly HEAP16: Int16Array
  readonly HEAP32: Int32Array
  _malloc(bytes: number): number
  _free(address: number): void
  _oc_create_encoder(sampleRateHz: number, channels: number, application: number, errorAt: number): number
  _oc_destroy_encoder(encoder: number): void
  _oc_encode(encoder: number, pcmAt: number, frameSize: number, packetAt: number, mostBytes: number): number
  _oc_encoder_ctl(encoder: number, request: number, value: number): number
  _oc_create_decoder(sampleRateHz: number, channels: number, errorAt: number): number
  _oc_destroy_decoder(decoder: number): void
  _oc_decode(
    decoder: number,
    packetAt: number,
    packetBytes: number,
    pcmAt: number,
    frameSize: number,
    fec: number,
  ): number
}

const moduleUrl = new URL('generated/libopus.generated.mjs', import.meta.resolve('libopus-wasm')).href
const { default: create } = (await import(moduleUrl)) as { readonly default: () => Promise<Libopus> }

export const libopus: Libopus = await create()
