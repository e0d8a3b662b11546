/** `npm run bench` lists the benches; `npm run bench -- NAME [options]` runs one in a process of its own, `all` each. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const benches: Readonly<Record<string, { readonly file: string; readonly what: string }>> = {
  'sip-parse': { file: 'sip/parse.ts', what: 'parse and print typical messages, µs, other parsers beside' },
  'sip-calls': {
    file: 'sip/calls.ts',
    what: 'calls a second through the B2BUA without media: CPU a call, answer delay',
  },
  'sip-overload': {
    file: 'sip/overload.ts',
    what: 'more calls than the server can take: what is served, what is lost',
  },
  'sip-registrations': { file: 'sip/registrations.ts', what: '100,000 idle registrations: memory each, refreshes' },
  'sip-dialogs': { file: 'sip/dialogs.ts', what: '50,000 idle dialogs: memory each' },
  codec: { file: 'codec.ts', what: 'decode, encode, resample, mix, detect: µs for each frame of 20 ms' },
  graph: { file: 'graph.ts', what: 'mixers, players, taps and their like: µs for each tick of 20 ms' },
  jitter: { file: 'jitter.ts', what: 'jitter buffer and decoder: µs for each 20 ms heard, on good and bad networks' },
  sound: { file: 'sound/sound.ts', what: 'noise, echo and level of speech before and after, µs for each frame' },
  media: {
    file: 'media/media.ts',
    what: 'packets through one media worker: receive, record, relay; a plain C program and rtpengine beside',
  },
  soak: { file: 'soak/main.ts', what: '10,000 short calls in a row: what the server still holds when they are over' },
  'media-port': {
    file: 'media-port.ts',
    what: 'a packet through two ports without sockets: relay, record, transcode; µs and bytes',
  },
  quality: { file: 'quality.ts', what: 'loss, level and score of a stream: ns for each packet' },
  sealing: { file: 'sealing.ts', what: 'a leg sealed and read again: µs for each 20 ms, ms to open' },
  srtp: { file: 'srtp.ts', what: 'encrypt and decrypt a packet, µs, each suite; node:crypto beside' },
  webrtc: { file: 'webrtc.ts', what: 'a certificate, a handshake of DTLS, a check of ICE: µs' },
  'siprec-load': {
    file: 'siprec-load/siprec-load.ts',
    what: 'many SIPREC sessions at once, every file checked bit by bit',
  },
}

const [name = '', ...args] = process.argv.slice(2)
if (name === 'all') {
  for (const known of Object.keys(benches)) {
    console.log(`\n${known}`)
    await run(known)
  }
} else if (benches[name]) await run(name, args)
else {
  console.log('npm run bench -- NAME [options]\n')
  for (const [known, { what }] of Object.entries(benches)) console.log(`  ${known.padEnd(18)} ${what}`)
  console.log(`  ${'all'.padEnd(18)} one after the other, as they are set`)
  process.exitCode = name === '' ? 0 : 2
}

/** The exit code becomes ours when it is not 0. */
async function run(known: string, options: readonly string[] = []): Promise<void> {
  const file = join(import.meta.dirname, benches[known]?.file ?? '')
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...options], {
    stdio: 'inherit',
  })
  const [code] = (await once(child, 'exit')) as [number | null]
  if (code !== 0) process.exitCode = code ?? 1
}
