/**
 * What the main thread orders of a worker's graph, and what it is told. Things that sound or listen have a number each,
 * given by the main thread; orders about a number that is gone change nothing.
 *
 *   graph/*.ts  ── GraphOrder ─▶  worker/graph/desk.ts
 *               ◀─ GraphNotice ──
 */
import type { MessagePort } from 'node:worker_threads'
import type {
  InjectionEvents,
  Laid,
  MemberWishes,
  MixerWishes,
  Music,
  PlaybackEnd,
  Sound,
  TapFormat,
  TapFrame,
} from './types.ts'

export type GraphOrder =
  | {
      readonly do: 'play'
      readonly id: number
      readonly port: number
      readonly sounds: readonly Sound[]
      readonly wishes: PlayOrder
    }
  | { readonly do: 'change-playback'; readonly id: number; readonly change: PlaybackChange }
  | { readonly do: 'hold-music'; readonly id: number; readonly port: number; readonly sounds: readonly Music[] }
  | { readonly do: 'echo'; readonly id: number; readonly port: number }
  | {
      readonly do: 'tap'
      readonly id: number
      readonly from: readonly Tapped[]
      readonly format: TapFormat
      readonly credit: number
      /** Frames go there, and numbers of further frames come from there. */
      readonly to?: MessagePort
    }
  | { readonly do: 'credit'; readonly id: number; readonly frames: number }
  | {
      readonly do: 'inject'
      readonly id: number
      readonly port: number
      readonly wishes: InjectOrder
      /** Audio comes from there as `InjectMessage`, events go there. */
      readonly from?: MessagePort
    }
  | { readonly do: 'audio'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly do: 'mark'; readonly id: number; readonly name: string }
  | { readonly do: 'flush'; readonly id: number; readonly ask: number }
  | { readonly do: 'end-audio'; readonly id: number }
  | { readonly do: 'open-mixer'; readonly id: number; readonly wishes: MixerWishes }
  | {
      readonly do: 'join'
      readonly id: number
      readonly mixer: number
      readonly port: number
      readonly wishes: MemberWishes
    }
  | { readonly do: 'change-member'; readonly id: number; readonly wishes: MemberWishes }
  | {
      readonly do: 'play-to-mixer'
      readonly id: number
      readonly mixer: number
      readonly sounds: readonly Sound[]
      readonly wishes: PlayOrder
    }
  | {
      readonly do: 'supervise'
      readonly id: number
      readonly port: number
      readonly parties: readonly number[]
      readonly heardBy: readonly number[]
    }
  | { readonly do: 'heard-by'; readonly id: number; readonly ports: readonly number[] }
  | { readonly do: 'meter'; readonly id: number; readonly port: number; readonly everyMs: number }
  /** End the thing of that number, whatever it is. */
  | { readonly do: 'stop'; readonly id: number }

/** What a tap listens to. */
export type Tapped = { readonly port: number; readonly side: 'said' | 'heard' } | { readonly mixer: number }

export interface PlayOrder {
  readonly how: Laid
  readonly times: number
  readonly volumeDb: number
  readonly fromMs: number
  /** Digits that stop it. */
  readonly stopOn: string
}

export type PlaybackChange = { readonly paused: boolean } | { readonly seekMs: number } | { readonly volumeDb: number }

export interface InjectOrder {
  readonly sampleRateHz: number
  readonly encoding: 's16le' | 'PCMU'
  readonly how: Laid
  readonly prebufferMs: number
  readonly lowMs: number
  readonly mostMs: number
}

/** What is told of a thing with a number. */
export type GraphEvent =
  | { readonly name: 'playback-ended'; readonly end: PlaybackEnd }
  | { readonly name: 'frame'; readonly frame: TapFrame }
  | { readonly name: 'flushed'; readonly ask: number; readonly unplayedMs: number }
  | {
      [Name in keyof InjectionEvents]: { readonly name: Name; readonly event: InjectionEvents[Name] }
    }[keyof InjectionEvents]
  | { readonly name: 'talks'; readonly talking: boolean }
  | { readonly name: 'levels'; readonly levels: readonly number[] }
  /** It ended with its port, its session or its worker. */
  | { readonly name: 'gone' }

/** As it goes to the worker, between the other orders. */
export interface GraphCommand {
  readonly type: 'graph'
  readonly order: GraphOrder
}

export interface GraphNotice {
  readonly type: 'graph'
  readonly id: number
  readonly told: GraphEvent
}
