/** The server of the demo: as a user's, but on free loopback ports and in a folder of its own. */
import { join } from 'node:path'
import { randomUint16 } from '../core/random.ts'
import { loadSettings } from '../core/settings/load.ts'
import { type RunningServer, startServer } from '../main.ts'

export interface DemoServer {
  readonly running: RunningServer
  readonly recordingDir: string
}

export interface DemoServerOptions {
  /** Temporary; everything the server keeps is below. */
  readonly folder: string
  readonly adminPassword: string
}

/** Ports for a few calls; away from the default range and from Linux's ephemeral ports (32768 and up). */
const rtpPorts = 200
const lowestRtpPort = 20_000
const highestRtpPort = 32_000

export async function startDemoServer({ folder, adminPassword }: DemoServerOptions): Promise<DemoServer> {
  const recordingDir = join(folder, 'recordings')
  const blocks = (highestRtpPort - lowestRtpPort) / rtpPorts
  const portMin = lowestRtpPort + (randomUint16() % blocks) * rtpPorts
  // Nothing of the user's own environment or patchbay.yaml: the demo must not touch a real installation.
  const loaded = loadSettings({
    env: {},
    overrides: {
      'sip.host': '127.0.0.1',
      'sip.ports': [0],
      'http.host': '127.0.0.1',
      'http.port': 0,
      'http.adminPassword': adminPassword,
      'rtp.portMin': portMin,
      'rtp.portMax': portMin + rtpPorts - 1,
      'recording.dir': recordingDir,
      'data.dir': join(folder, 'data'),
      'log.level': 'error',
    },
  })
  return { running: await startServer({ loaded }), recordingDir }
}
