/**
 * SIPVicious (Debian's sipvicious) against the server, at the address of two registered phones: it finds no extension and
 * cracks no password, not one that stands in its list; the phones go on.
 *
 * Loopback is trusted by default, so here it is not. With `-c` it does not say its name, which would end its matter at
 * once. MD5 alone is offered: it knows nothing else.
 */
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { loadSpeech } from '../../src/demo/speech.ts'
import { Baresip } from '../support/baresip.ts'
import { extensionsFrom101, forOldClients } from '../support/phones.ts'
import { writePlainWav } from '../support/plain-wav.ts'
import { needs, startProgram } from '../support/program.ts'
import { type ServerProcess, startServerProcess, type TestExtension } from '../support/server-process.ts'

const here = needs('svmap', 'svwar', 'svcrack', 'baresip')
const [alice, bob, carol, dave] = extensionsFrom101(4, false)
assert.ok(alice && bob && carol && dave)
/** The 30th of the list that is tried. */
const weak: TestExtension = { ...carol, password: '00000030' }
/** The third: what a person chose who should have let the system choose. */
const weakest: TestExtension = { ...dave, password: '00000003' }

let folder: string
let server: ServerProcess
const phones: Baresip[] = []
before(async () => {
  if (here.skip) return
  folder = mkdtempSync(join(tmpdir(), 'patchbay-sipvicious-'))
  writePlainWav(join(folder, 'speech.wav'), await loadSpeech('caller'))
  const env = { ...forOldClients, SECURITY_TRUSTED_NETWORKS: '192.0.2.1' }
  server = await startServerProcess({ extensions: [alice, bob, weak, weakest], env })
  for (const { number, password } of [alice, bob])
    phones.push(
      await Baresip.start({
        folder: join(folder, number),
        user: number,
        password,
        server: server.sip,
        transport: 'udp',
        codec: 'PCMU',
        sourceWav: join(folder, 'speech.wav'),
        autoAnswer: number === bob.number,
      }),
    )
})
after(async () => {
  if (here.skip) return
  await Promise.all(phones.map((phone) => phone.stop()))
  await server.remove()
  rmSync(folder, { recursive: true })
})

/** Everything that a run of one of its tools printed. */
async function run(tool: string, ...args: readonly string[]): Promise<string> {
  const { ip, port } = server.sip
  const program = startProgram(tool, ['-b', ip, '-x', ip, '-p', String(port), ...args, ip], {
    cwd: folder,
    timeoutMs: 120_000,
  })
  await program.exited
  return program.output()
}

test('svmap that says its name hears nothing', here, async () => {
  assert.match(await run('svmap'), /found nothing/)
})

for (const method of ['REGISTER', 'INVITE', 'OPTIONS'])
  test(`svwar by ${method} finds no extension of four that exist`, here, async () => {
    const printed = await run('svwar', '-c', '-m', method, '-e', '95-125', '--force', '--maximumtime', '5')
    // An answer that is late, on a machine with other work, it takes for one to a name it made up: that finds nobody.
    assert.match(printed, /found nothing|weird/, printed)
    assert.doesNotMatch(printed, /\b10[1-4]\b/)
  })

const guesses = ['-r', '1-200', '-z', '8', '--maximumtime', '5']

test('svcrack finds a password that is among its first five: that much any phone may try', here, async () => {
  assert.match(await run('svcrack', '-c', '-u', weakest.number, ...guesses), /00000003/)
})

for (const nonce of [[], ['--reusenonce']])
  test(
    `svcrack does not find a password that is the 30th of its list (${nonce[0] ?? 'new nonces'})`,
    here,
    async () => {
      const printed = await run('svcrack', '-c', '-u', weak.number, ...guesses, ...nonce)
      assert.doesNotMatch(printed, /00000030/)
      assert.match(printed, /found nothing|unknown response/, printed)
    },
  )

test('it has been banned for guessing', here, async () => {
  const { items } = await server.api.bans()
  assert.deepEqual(
    items.map(({ source, why, who }) => [source, why, who]),
    [[server.sip.ip, 'guessing', weak.number]],
  )
})

test('the phones beside it are registered and call each other', here, async () => {
  const [atAlice, atBob] = phones
  for (const { number } of [alice, bob]) assert.equal((await server.api.registrations(number)).items.length, 1)
  atAlice?.dial(bob.number)
  await atBob?.saw('CALL_ESTABLISHED')
  atAlice?.hangUp()
  await atBob?.saw('CALL_CLOSED')
})
