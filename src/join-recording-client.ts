/** Joins the recording client: the servers elsewhere that calls of ours are sent to. */
import { resolveSecret } from './core/settings/load.ts'
import type { Foundation } from './foundation.ts'
import { RecordingServers } from './siprec/client/servers.ts'

/** @throws {SettingsError} when a password cannot be found where the file says it is. */
export function openRecordingServers(
  { settings, clock, log, bus, closing }: Foundation,
  ownHost: (serverIp: string) => string,
): RecordingServers {
  const servers = new RecordingServers({
    servers: settings.recordingServers.map(({ name, uri, srtp, qualify, username, password }) => ({
      name,
      uri,
      srtp,
      qualifyMs: qualify,
      ...(username !== undefined &&
        password !== undefined && { credentials: { username, password: resolveSecret(password) } }),
    })),
    clock,
    log,
    bus,
    ownHost,
  })
  closing.push(async () => servers.close())
  return servers
}
