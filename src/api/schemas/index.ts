/** All shapes of the API, for the console and the command line. */
export * from './auth.ts'
export * from './calls.ts'
export * from './common.ts'
export * from './events.ts'
export * from './extensions.ts'
export * from './recordings.ts'
export * from './security.ts'
export * from './status.ts'
