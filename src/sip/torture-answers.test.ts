/**
 * The torture messages of RFC 4475 and RFC 5118 sent to a whole stack: what comes back from one who takes every request
 * (200) and refuses every call (486). What expected.json leaves to the layers above is checked there: 415 by the call, 404
 * and 403 by the registrar; who is no stranger is another matter (401).
 */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { FakeClock } from '../core/fake-clock.ts'
import { silentLogger } from '../core/logger.ts'
import { MemoryNetwork } from '../net/memory-network.ts'
import { createSipStack } from './stack.ts'

const data = join(import.meta.dirname, '../../test/data')
const at = { ip: '192.0.2.1', port: 5060 }

/** Status codes of what it is answered over UDP. */
async function answersTo(path: string): Promise<string> {
  const clock = new FakeClock()
  const network = new MemoryNetwork({ clock })
  const answers = new Set<string>()
  const stack = await createSipStack({
    clock,
    log: silentLogger,
    network,
    listen: [{ transport: 'udp', ...at }],
    observe: (direction, _flow, text) => {
      if (direction === 'out') answers.add(text.slice(8, 11))
    },
  })
  stack.on('request', (incoming) => incoming.respond(200))
  stack.on('invite', (invite) => invite.reject(486))
  const sender = await network.udp({ ip: '192.0.2.2', port: 5060 }, () => {})
  sender.send(readFileSync(join(data, path)), at)
  clock.advance(1_000)
  await stack.close()
  return [...answers].join(' ')
}

/** By what is answered, and why it is not another status where expected.json names one. */
const answered: Readonly<Record<string, string>> = {
  // Requests that are taken. unksm2 is refused by the registrar: its To is no extension. regaut01 is challenged by the
  // guard. regbadct: its Contact is understood without its brackets.
  '200':
    'intmeth esc02 escnull lwsdisp dblreq semiuri transports mpart01 regbadct badaspec badbranch unksm2 regaut01 zeromf ' +
    'cparam01 cparam02 regescrt ipv6-good port-ambiguous port-unambiguous ipv6-correct-abnf-2-colons ' +
    'ipv6-bug-abnf-3-colons',
  // Calls that are read. baddate: its Date is not looked at. invut is refused by the call (415); sdp01 is answered with SDP
  // by default, which its Accept does not admit, for a phone that calls can read it.
  // escruri: the headers in its Request-URI are not looked at.
  '486': 'esc01 longreq escruri baddate invut sdp01 ipv6-in-sdp mult-ip-in-sdp ipv4-mapped-ipv6',
  // Their To has a tag, so they belong to a dialog that is not here.
  '481': 'wsinv via-received-param-with-delim via-received-param-no-delim mult-ip-in-header',
  // inv2543 has no Contact, so nobody could be told of its end: peers as old as RFC 2543 cannot call.
  '400':
    'badinv01 clerr ncl scalar02 quotbal ltgtruri lwsruri lwsstart trws baddn mismatch01 mismatch02 insuf multi01 mcl01 ' +
    'inv2543 ipv6-bad',
  '416': 'novelsc unkscm',
  '420': 'bext01',
  '505': 'badvers',
  // Responses, to nothing that was sent.
  '': 'unreason noreason scalarlg bigcode bcast',
}

for (const folder of ['rfc4475', 'rfc5118']) {
  const text = readFileSync(join(data, folder, 'expected.json'), 'utf8')
  const expected = JSON.parse(text) as Record<string, { section: string; expect: string }>
  for (const [name, { section, expect }] of Object.entries(expected)) {
    const [status, ...more] = Object.keys(answered).filter((code) => answered[code]?.split(' ').includes(name))
    test(`RFC ${folder.slice(3)} §${section} ${name} is answered ${status === '' ? 'nothing' : status}: ${expect}`, async () => {
      assert.ok(status !== undefined && more.length === 0)
      assert.equal(await answersTo(`${folder}/${name}.dat`), status)
    })
  }
}
