/** The trace of a call as Wireshark reads it. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { connect, startTestServer, type TestServer } from '../support/in-process.ts'
import { needs, startProgram } from '../support/program.ts'
import { until } from '../support/until.ts'

let server: TestServer
before(async () => {
  server = await startTestServer()
})
after(() => server.close())

/** What tshark sees: a line for each SIP message, its fields behind tabs. */
async function decode(file: string, args: readonly string[]): Promise<string[]> {
  const tshark = startProgram('tshark', ['-r', file, '-o', 'udp.check_checksum:TRUE', ...args], { timeoutMs: 60_000 })
  assert.equal(await tshark.exited, 0, tshark.output())
  return tshark
    .output()
    .split('\n')
    .filter((line) => line.includes('\t'))
}

test(
  'tshark reads every message of a call over UDP and TCP as SIP, in order, checksums right',
  needs('tshark'),
  async () => {
    const alice = await server.phone('101')
    const bob = await server.phone('102', { transport: 'tcp' })
    const [atAlice] = await connect(alice, bob, '102')
    await atAlice.hangUp()
    const call = await until('the call to be stored', 10_000, async () =>
      (await server.api.calls({ search: atAlice.sipCallId })).items.find(({ endedAtMs }) => endedAtMs),
    )
    const items = await until('its messages to be stored', 10_000, async () => {
      const kept = (await server.api.messages(call.id)).items
      return kept.length >= 10 && kept
    })
    const file = join(server.folder, 'call.pcap')
    await writeFile(file, await server.api.capture(call.id))

    const fields = ['sip.Call-ID', 'sip.Request-Line', 'sip.Status-Line', 'udp.checksum.status']
    const seen = await decode(file, ['-Y', 'sip', '-T', 'fields', ...fields.flatMap((field) => ['-e', field])])

    assert.deepEqual(
      seen,
      items.map(({ sipCallId, summary }) => {
        const isRequest = !summary.startsWith('SIP/2.0')
        return [sipCallId, isRequest ? summary : '', isRequest ? '' : summary, 1].join('\t')
      }),
    )
  },
)
