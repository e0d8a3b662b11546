/** What the host refused, in one line that says what to do: a port in use, a folder that cannot be written. */

export class StartError extends Error {
  override readonly name = 'StartError'
}

interface HostError extends NodeJS.ErrnoException {
  readonly address?: string
  readonly port?: number
}

const lines: Readonly<Record<string, (what: string) => string>> = {
  ENOENT: (what) => `${what} is not there`,
  EISDIR: (what) => `${what} is a folder, not a file`,
  EADDRINUSE: (what) =>
    `${what} is in use by another program; choose another port (PORTS for SIP, HTTP_PORT for the console)`,
  EADDRNOTAVAIL: (what) => `${what} is no address of this machine`,
  EACCES: (what) => `${what} may not be used: permission denied`,
  EPERM: (what) => `${what} may not be used: permission denied`,
  EROFS: (what) => `${what} may not be written: the file system is read-only`,
  ENOTDIR: (what) => `${what} cannot be a folder: there is a file in the way`,
  EEXIST: (what) => `${what} cannot be a folder: there is a file in the way`,
  ENOSPC: (what) => `${what} cannot be written: the disk is full`,
}

/** The error itself, or a StartError when the host's refusal stands at the end of its chain of causes. */
export function asStartError(error: unknown): unknown {
  let deepest = error
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause
  if (!(deepest instanceof Error) || !('code' in deepest)) return error
  const { code = '', address, port, path } = deepest as HostError
  const line = lines[code]
  return line
    ? new StartError(line(path ?? (port === undefined ? String(address) : `${address}:${port}`)), { cause: error })
    : error
}
