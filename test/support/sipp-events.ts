/** Scenarios for sipp that watch something: subscribe with digest, hear it, unsubscribe, hear the end. */
import { own, receive, request, retransmitted, scenario, send } from './sipp-parts.ts'

/** The NOTIFY must hold this in a header, and this in its body; else the call fails. */
const notify = (state: string, body: string): string =>
  [
    '  <recv request="NOTIFY">',
    '    <action>',
    `      <ereg regexp="${state}" search_in="hdr" header="Subscription-State:" check_it="true" assign_to="1"/>`,
    `      <ereg regexp="${body}" search_in="body" check_it="true" assign_to="2"/>`,
    '    </action>',
    '  </recv>',
    '  <Reference variables="1,2"/>',
    send([
      'SIP/2.0 200 OK',
      '[last_Via:]',
      '[last_From:]',
      '[last_To:]',
      '[last_Call-ID:]',
      '[last_CSeq:]',
      'Contact: <sip:[caller]@[local_ip]:[local_port];transport=[transport]>',
    ]),
  ].join('\n')

/** `-s WATCHED -key caller NUMBER -au NUMBER -ap PASSWORD`. @param body What every body has to match. */
export function watchingScenario(event: string, contentType: string, body: string): string {
  const subscribe = (seq: number, more: readonly string[]): string =>
    send(
      request('SUBSCRIBE', seq, [`Event: ${event}`, `Accept: ${contentType}`, 'Expires: 600', ...more]),
      '',
      retransmitted,
    )
  return scenario(
    `watch ${event}`,
    subscribe(1, []),
    receive('response="401"', ' auth="true"'),
    subscribe(2, ['[authentication]']),
    receive('response="200"', ' rrs="true"'),
    notify('active;expires=600', body),
    '  <pause/>',
    send(
      [
        'SUBSCRIBE [next_url] SIP/2.0',
        own,
        'From: <sip:[caller]@[remote_ip]>;tag=[pid]t[call_number]',
        'To: <sip:[service]@[remote_ip]>[peer_tag_param]',
        'Call-ID: [call_id]',
        'CSeq: 3 SUBSCRIBE',
        'Contact: <sip:[caller]@[local_ip]:[local_port];transport=[transport]>',
        'Max-Forwards: 70',
        `Event: ${event}`,
        'Expires: 0',
      ],
      '',
      retransmitted,
    ),
    receive('response="200"'),
    notify('terminated;reason=timeout', body),
  )
}
