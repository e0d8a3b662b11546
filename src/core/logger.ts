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
  /** A function where it may change while the program runs. */
  readonly level: LogLevel | (() => LogLevel)
  /** Write the `pii` fields too. Default false. */
  readonly pii?: boolean
  /** Where lines go; standard output unless given. */
  readonly destination?: DestinationStream
}

/** JSON lines: level, time, msg, then the fields. */
export function createLogger(options: LoggerOptions): Logger {
  const settings = {
    // Which lines are written is decided below, for a child of pino keeps the level it was made with.
    level: 'trace',
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label: string) => ({ level: label }) },
    redact: { paths: options.pii ? redactPaths : [...redactPaths, 'pii'], remove: true },
  }
  const writer = options.destination ? pino(settings, options.destination) : pino(settings)
  const { level } = options
  return wrap(writer, typeof level === 'function' ? level : () => level)
}

const ranks: Readonly<Record<LogLevel, number>> = { trace: 10, debug: 20, info: 30, warn: 40, error: 50, silent: 100 }

function wrap(writer: pino.Logger, least: () => LogLevel): Logger {
  const write =
    (level: 'debug' | 'info' | 'warn' | 'error') =>
    (sentence: string, fields: Fields = {}): void => {
      if (ranks[level] >= ranks[least()]) writer[level](fields, sentence)
    }
  return {
    debug: write('debug'),
    info: write('info'),
    warn: write('warn'),
    error: write('error'),
    child: (fields) => wrap(writer.child(fields), least),
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
