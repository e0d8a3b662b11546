/** What bench/media.ts measures: kinds of work, done by several devices. */

/** `bridge`: streams are bridged in pairs. */
export const kinds = ['receive', 'record', 'relay', 'relay+record'] as const
export type Kind = (typeof kinds)[number]

export const records = (kind: Kind): boolean => kind.includes('record')
export const relays = (kind: Kind): boolean => kind.includes('relay')

export interface Job {
  readonly kind: Kind
  /** Even. */
  readonly streams: number
  /** Where streams come from, and relayed packets go to, on 127.0.0.1. */
  readonly peerPort: number
  /** For recordings. */
  readonly folder: string
}

/** A program that does a job. */
export interface Device {
  readonly pid: number
  /** Of the streams, in their order, on 127.0.0.1. */
  readonly ports: readonly number[]
  /** Ends it; the files are whole then. */
  stop(): Promise<void>
}

/** The leg file of a stream, where it is Patchbay that records. */
export const fileOf = (folder: string, stream: number): string => `${folder}/${stream}.wav`
