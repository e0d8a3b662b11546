/** Sockets for tests of ports and for benches, without a network: what is not given does nothing. */
import type { PortSockets } from './io/io.ts'

export const fakeSockets = (given: Partial<PortSockets>): PortSockets => ({
  sendRtp: () => {},
  sendRtcp: () => {},
  ease: () => {},
  canPass: false,
  pass: () => {},
  drain: () => {},
  separate: () => Promise.resolve(),
  close: () => Promise.resolve(),
  ...given,
})
