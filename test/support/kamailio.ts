/**
 * A Kamailio (Debian's kamailio) as an independent proxy: in front of the server, or behind it as somebody's trunk.
 *
 *   phones ──▶  edgeProxy  ──▶ server            phones register and call through it; Record-Route, Path
 *   server ──▶  carrier  ──▶ phones of its own   a registrar that asks for digest, and numbers that it refuses
 *
 * Each has an address of its own on the loopback, so that the server can tell it from phones.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Address } from '../../src/sip/stack.types.ts'
import { freeSipPort } from './free-port.ts'
import { type Program, startProgram } from './program.ts'
import { SipProbe } from './sip-probe.ts'
import { until } from './until.ts'

const lifeMs = 150_000

export interface Kamailio {
  readonly address: { readonly ip: string; readonly port: number }
  /** What it logged: a line for each request it saw, `METHOD from PROTO`, and its complaints. */
  output(): string
  stop(): Promise<void>
}

/**
 * @param ip `127.0.0.2` and so on.
 * @param routes What its configuration does with a request: `edgeProxy`, `carrier`.
 */
export async function startKamailio(ip: string, routes: string): Promise<Kamailio> {
  const folder = mkdtempSync(join(tmpdir(), 'patchbay-kamailio-'))
  const port = await freeSipPort(ip)
  const config = join(folder, 'kamailio.cfg')
  writeFileSync(config, `${head(ip, port)}${routes}`)
  const args = ['-f', config, '-DD', '-E', '-Y', folder, '-P', join(folder, 'pid'), '-m', '64', '-M', '8']
  const program = startProgram('kamailio', args, { cwd: folder, timeoutMs: lifeMs })
  const stop = async () => {
    await program.stop()
    rmSync(folder, { recursive: true, force: true })
  }
  try {
    await answers(program, { ip, port })
  } catch (error) {
    await stop()
    throw new Error(`kamailio printed:\n${program.output()}`, { cause: error })
  }
  return { address: { ip, port }, output: () => program.output(), stop }
}

async function answers(program: Program, address: Address): Promise<void> {
  const probe = await SipProbe.open(address)
  try {
    await until('kamailio to answer', 15_000, async () => {
      if (!program.running) throw new Error('kamailio ended')
      return (await probe.alive()) !== undefined
    })
  } finally {
    probe.close()
  }
}

const head = (ip: string, port: number): string => `#!KAMAILIO
debug=1
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
dns=no
rev_dns=no
listen=udp:${ip}:${port}
listen=tcp:${ip}:${port}
tcp_accept_no_cl=yes
${['tm', 'sl', 'rr', 'pv', 'maxfwd', 'usrloc', 'registrar', 'textops', 'siputils', 'xlog', 'auth', 'path'].map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("usrloc", "db_mode", 0)
modparam("rr", "enable_full_lr", 1)
modparam("path", "use_received", 1)
modparam("tm", "fr_timer", 5000)
modparam("tm", "fr_inv_timer", 30000)

request_route {
  if (is_method("OPTIONS") && $rU == $null) { sl_send_reply("200", "OK"); exit; }
  xlog("L_ERR", "$rm from $proto\\n");
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483", "Too Many Hops"); exit; }
  force_rport();
  if (is_method("CANCEL")) { if (t_check_trans()) { t_relay(); } exit; }
  if (has_totag()) {
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK") && t_check_trans()) { t_relay(); exit; }
    sl_send_reply("404", "Not Here");
    exit;
  }
  t_check_trans();
  if (is_method("INVITE|SUBSCRIBE")) { record_route(); }
  route(OUTSIDE);
}
`

/**
 * Everything from phones goes to the server, and what the server sends goes where its Request-URI, or its Route from
 * the Path, points.
 */
export const edgeProxy = (server: { readonly ip: string; readonly port: number }, transport: 'udp' | 'tcp'): string => `
route[OUTSIDE] {
  if ($si == "${server.ip}" && $hdr(User-Agent) =~ "^Patchbay") { loose_route(); t_relay(); exit; }
  if (is_method("REGISTER")) { add_path(); }
  $du = "sip:${server.ip}:${server.port};transport=${transport}";
  t_relay();
  exit;
}
`

const refused = [404, 486, 503, 603]

/** The password of user NAME is `pw-NAME`. The numbers 9302, 9404, 9486, 9503 and 9603 are refused with that status. */
export const carrier = (server: { readonly ip: string; readonly port: number }): string => `
route[OUTSIDE] {
  if (is_method("REGISTER")) {
    if (!pv_www_authenticate("carrier", "pw-$fU", "0")) { www_challenge("carrier", "0"); exit; }
    save("location");
    exit;
  }
  if (is_method("INVITE") && !pv_proxy_authenticate("carrier", "pw-$au", "0")) { proxy_challenge("carrier", "0"); exit; }
  consume_credentials();
  t_newtran();
  if ($rU == "9302") { append_to_reply("Contact: <sip:elsewhere@127.0.0.1>\\r\\n"); send_reply("302", "Moved"); exit; }
${refused.map((status) => `  if ($rU == "9${status}") { send_reply("${status}", "Refused"); exit; }`).join('\n')}
  if (lookup("location")) { t_relay(); exit; }
  $du = "sip:${server.ip}:${server.port}";
  t_relay();
  exit;
}
`
