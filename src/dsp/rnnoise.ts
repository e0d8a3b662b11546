/**
 * RNNoise: a small neural network (some 88,000 weights) that tells voice from noise in sound of 48 kHz.
 *
 *   denoise.ts, voice-activity.ts  ── 480 samples ─▶  here  ── WebAssembly of @sapphi-red/web-noise-suppressor (MIT)
 *
 * The package is optional: without it `loadRnnoise` finds nothing and callers go without. One WebAssembly instance serves
 * all streams of a thread; a stream is some 20 kB of its memory. Nothing allocates but `loadRnnoise` and `open`.
 * J.-M. Valin, A Hybrid DSP/Deep Learning Approach to Real-Time Full-Band Speech Enhancement, 2018.
 */
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

export const rnnoiseRateHz = 48_000
/** 10 ms. */
export const rnnoiseFrame = 480
/** What comes out is one frame behind what went in. */
export const rnnoiseDelayMs = 10

const moduleFile = '@sapphi-red/web-noise-suppressor/rnnoise_simd.wasm'

/** What of WebAssembly is used here; the types of Node do not have it. */
interface WebAssemblyHere {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
}
const { Module, Instance } = (globalThis as unknown as { readonly WebAssembly: WebAssemblyHere }).WebAssembly

interface Exports {
  readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number }
  __wasm_call_ctors(): void
  malloc(bytes: number): number
  rnnoise_create(model: number): number
  rnnoise_destroy(state: number): void
  rnnoise_process_frame(state: number, output: number, input: number): number
}

/** Whether there is something to load. */
export function isRnnoiseInstalled(): boolean {
  try {
    return existsSync(fileURLToPath(import.meta.resolve(moduleFile)))
  } catch {
    return false
  }
}

/** The loaded network; undefined inside when the package is not there, so that it is looked for once. */
let loaded: { readonly network: Rnnoise | undefined } | undefined

/** The network, loaded at the first call (some ms); undefined where its package is not installed. */
export function loadRnnoise(): Rnnoise | undefined {
  loaded ??= { network: load() }
  return loaded.network
}

function load(): Rnnoise | undefined {
  let bytes: Buffer
  try {
    bytes = readFileSync(fileURLToPath(import.meta.resolve(moduleFile)))
  } catch {
    return undefined
  }
  return new Rnnoise(new Module(bytes))
}

const pageBytes = 65_536

export class Rnnoise {
  readonly #exports: Exports
  /** One frame in the module's memory, used by all streams, for each call is over before the next begins. */
  readonly #frame: number
  #view: Float32Array

  /** @param module The compiled network. */
  constructor(module: object) {
    const instance = new Instance(module, {
      env: {
        emscripten_memcpy_big: (to: number, from: number, count: number): void => {
          new Uint8Array(this.#exports.memory.buffer).copyWithin(to, from, from + count)
        },
        emscripten_resize_heap: (bytes: number): number => this.#grow(bytes),
        __assert_fail: (): never => {
          throw new Error('RNNoise failed an assertion of its own')
        },
      },
    })
    this.#exports = instance.exports as Exports
    this.#exports.__wasm_call_ctors()
    this.#frame = this.#exports.malloc(rnnoiseFrame * Float32Array.BYTES_PER_ELEMENT)
    this.#view = this.#newView()
  }

  /** Begin a stream; `close` it. */
  open(): RnnoiseStream {
    return new RnnoiseStream(this, this.#exports.rnnoise_create(0))
  }

  /**
   * Clean 480 samples of the scale of 16 bits, in place.
   * @returns How probably they hold a voice, 0 to 1.
   */
  process(state: number, samples: Float32Array, from: number): number {
    // Memory that grew is another buffer: the old view is empty then
    if (this.#view.length === 0) this.#view = this.#newView()
    const view = this.#view
    for (let i = 0; i < rnnoiseFrame; i++) view[i] = samples[from + i] ?? 0
    const probability = this.#exports.rnnoise_process_frame(state, this.#frame, this.#frame)
    for (let i = 0; i < rnnoiseFrame; i++) samples[from + i] = view[i] ?? 0
    return probability
  }

  destroy(state: number): void {
    this.#exports.rnnoise_destroy(state)
  }

  #grow(bytes: number): number {
    const { memory } = this.#exports
    try {
      memory.grow(Math.ceil((bytes - memory.buffer.byteLength) / pageBytes))
      return 1
    } catch {
      return 0
    }
  }

  #newView(): Float32Array {
    return new Float32Array(this.#exports.memory.buffer, this.#frame, rnnoiseFrame)
  }
}

/** One voice. */
export class RnnoiseStream {
  readonly #library: Rnnoise
  #state: number

  constructor(library: Rnnoise, state: number) {
    this.#library = library
    this.#state = state
  }

  /** As `Rnnoise.process`; after `close` samples stay as they are. */
  process(samples: Float32Array, from: number): number {
    return this.#state === 0 ? 0 : this.#library.process(this.#state, samples, from)
  }

  close(): void {
    if (this.#state !== 0) this.#library.destroy(this.#state)
    this.#state = 0
  }
}
