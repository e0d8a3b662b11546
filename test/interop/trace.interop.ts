/** The trace of a call as Wireshark reads it, and as sngrep takes it by HEP. */
import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { sleep, systemClock } from '../../src/core/clock.ts'
import { freeSipPort } from '../support/free-port.ts'
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

test('sngrep takes the messages of a call by HEP', needs('sngrep', 'tshark'), async (t) => {
  const port = await freeSipPort()
  const file = join(server.folder, 'hep.pcap')
  const listen = ['-N', '-q', '-F', '-L', `udp:127.0.0.1:${port}`, '-O', file]
  const sngrep = startProgram('sngrep', listen, { timeoutMs: 60_000, env: { TERM: 'xterm' } })
  t.after(() => sngrep.stop())
  const sending = await startTestServer({ 'hep.enable': true, 'hep.host': '127.0.0.1', 'hep.port': port })
  t.after(() => sending.close())
  const [alice, bob] = [await sending.phone('101'), await sending.phone('102')]
  const [atAlice] = await connect(alice, bob, '102')
  await atAlice.hangUp()
  await sleep(systemClock, 1_500) // for the batch, and for sngrep
  await sngrep.stop('SIGINT')

  const fields = ['sip.Call-ID', 'sip.Request-Line', 'sip.Status-Line']
  const seen = await decode(file, ['-Y', 'sip', '-T', 'fields', ...fields.flatMap((field) => ['-e', field])])

  const ofCaller = seen.filter((line) => line.startsWith(atAlice.sipCallId))
  for (const part of [/\tINVITE sip:102@/, /\tSIP\/2.0 180/, /\tSIP\/2.0 200/, /\tACK /, /\tBYE /])
    assert.ok(
      ofCaller.some((line) => part.test(line)),
      `${part} in ${seen.join('\n')}`,
    )
})
