/**
 * A network of its own for a bench, so that nothing else on the machine is in its counters and its ports, and as many open files
 * as it needs: as root on Linux the program starts itself again in a new network namespace. Elsewhere it goes on as it is.
 */
import { spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'

const mark = 'PATCHBAY_BENCH_ISOLATED'
/** Packets may come to and from 127.0.0.1 that were put on the interface from outside the IP stack: the generator's `--raw`. */
const prepare =
  'ulimit -n 100000 2>/dev/null; ip link set lo up && cd /proc/sys/net/ipv4/conf/lo && echo 1 >route_localnet && echo 1 >accept_local && cd "$OLDPWD"'

/** @returns Whether packets can be put on the loopback interface raw. Does not return where it starts itself again. */
export function isolate(): boolean {
  if (process.env[mark]) return true
  if (process.platform !== 'linux' || process.getuid?.() !== 0 || inside(['true']) !== 0) return false
  return process.exit(inside([process.execPath, ...process.execArgv, ...process.argv.slice(1)]) ?? 1)
}

/** Runs a command in a new network namespace; its exit status. */
function inside(command: readonly string[]): number | null {
  const args = ['--net', 'sh', '-c', `${prepare} && exec "$@"`, 'sh', ...command]
  return spawnSync('unshare', args, { stdio: 'inherit', env: { ...process.env, [mark]: '1' } }).status
}

/** A command on one core of its own, where there are two and `taskset` is there; the measured program has core 0. */
export function pinned(core: 0 | 1, command: readonly string[]): readonly string[] {
  return canPin ? ['taskset', '--cpu-list', String(core), ...command] : command
}

/** The same for all threads of a process that runs already. */
export function pin(core: 0 | 1, pid: number): void {
  if (canPin) spawnSync('taskset', ['--all-tasks', '--pid', '--cpu-list', String(core), String(pid)])
}

const canPin = availableParallelism() > 1 && spawnSync('taskset', ['--version']).status === 0
