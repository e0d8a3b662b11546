/**
 * The log: a fixed sentence, facts in fields, anything a person said, dialled or is called under `pii`.
 *
 * Fields named like a secret are removed before they reach the writer, and `pii` is dropped unless it is asked for.
 */
import { type DestinationStream, pino } from 'pino'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent'

export interface Fields {
  readonly [name: string]: unknown
  /** What names or quotes a person: numbers, names, addresses of record. */
  readonly pii?: Readonly<Record<string, unknown>>
}

export interface Logger {
  debug(sentence: string, fields?: Fields): void
  info(sentence: string, fields?: Fields): void
  warn(sentence: string, fields?: Fields): void
  error(sentence: string, fields?: Fields): void
  /** A logger that adds `fields` to each line. */
  child(fields: Fields): Logger
}

/** Names whose values never reach a log, at the top of the fields or one level down. */
const secretNames = ['password', 'secret', 'token', 'authorization', 'cookie', 'ha1', 'apiKey', 'key']
const redactPaths = secretNames.flatMap((name) => [name, `*.${name}`])

export interface LoggerOptions {
  readonly level: LogLevel
  /** Write the `pii` fields too. Default false. */
  readonly pii?: boolean
  /** Where lines go; standard output unless given. */
  readonly destination?: DestinationStream
}

/** JSON lines: level, time, msg, then the fields. */
export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    level: options.level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: options.pii ? redactPaths : [...redactPaths, 'pii'], remove: true },
  }
  const writer = options.destination ? pino(settings, options.destination) : pino(settings)
  return wrap(writer)
}

function wrap(writer: pino.Logger): Logger {
  return {
    debug: (sentence, fields = {}) => writer.debug(fields, sentence),
    info: (sentence, fields = {}) => writer.info(fields, sentence),
    warn: (sentence, fields = {}) => writer.warn(fields, sentence),
    error: (sentence, fields = {}) => writer.error(fields, sentence),
    child: (fields) => wrap(writer.child(fields)),
  }
}

const nothing = () => {}

/** A logger that writes nothing, for tests and tools. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
  child: () => silentLogger,
}
