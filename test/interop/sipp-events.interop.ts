/** sipp subscribes with digest to what extensions may watch: lamps, presence, mailbox, registrations. */
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { callerAndCallee, forOldClients, sippCaller } from '../support/phones.ts'
import { needs } from '../support/program.ts'
import { type ServerProcess, startServerProcess } from '../support/server-process.ts'
import { runSipp } from '../support/sipp.ts'
import { watchingScenario } from '../support/sipp-events.ts'

const [watcher, watched] = callerAndCallee()
const calls = 50

let server: ServerProcess
before(async () => {
  server = await startServerProcess({ extensions: [watcher, watched], env: forOldClients })
})
after(() => server.remove())

const packages = [
  ['dialog', 'application/dialog-info+xml', watched.number, '&lt;state&gt;terminated&lt;/state&gt;'],
  ['presence', 'application/pidf+xml', watched.number, '&lt;basic&gt;closed&lt;/basic&gt;'],
  ['message-summary', 'application/simple-message-summary', watcher.number, 'Messages-Waiting: no'],
  ['reg', 'application/reginfo+xml', watcher.number, 'state=.init.'],
] as const

for (const [event, type, number, body] of packages)
  for (const transport of ['udp', 'tcp'] as const)
    test(
      `${calls} subscriptions of sipp to ${event} over ${transport}: all told, all ended`,
      needs('sipp'),
      async () => {
        const result = await runSipp({
          scenario: watchingScenario(event, type, body),
          target: `${server.sip.ip}:${server.sip.port}`,
          transport,
          calls,
          rate: 25,
          holdMs: 500,
          args: sippCaller(watcher, number),
          timeoutMs: 60_000,
        })
        assert.equal(result.errors, '')
        assert.deepEqual([result.successful, result.failed, result.retransmissions], [calls, 0, 0])
      },
    )
