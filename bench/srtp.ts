/**
 * What SRTP costs a packet of 20 ms of G.711: each suite, both directions, no socket.
 *
 * Beside it stands what one would write first: node:crypto's AES-CTR and HMAC for each packet.
 *
 *   npm run bench -- srtp --packets 200000
 */
import { createCipheriv, createHmac, createSecretKey } from 'node:crypto'
import { availableParallelism, cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { type SrtpSuite, srtpSuites } from '../src/core/srtp.ts'
import { rtpHeaderBytes, writeRtpHeader } from '../src/rtp/packet.ts'
import { SrtpReceiver, SrtpSender } from '../src/rtp/srtp.ts'
import { newSrtpKey } from '../src/sdp/crypto.ts'

const { values } = parseArgs({ options: { packets: { type: 'string', default: '200000' } } })
const packets = Number(values.packets)
const length = rtpHeaderBytes + 160
const rounds = 5

const plain = Buffer.alloc(length, 0x55)
const stamp = (sequence: number): Buffer => {
  const header = { marker: false, payloadType: 0, sequence: sequence & 0xffff, timestamp: sequence * 160, ssrc: 7 }
  writeRtpHeader(plain, 0, header)
  return plain
}

/** µs a packet: the best of the rounds, the first of which only warms up. */
function best(round: () => number): number {
  return Math.min(...Array.from({ length: rounds }, round).slice(1))
}

function timed(work: (sequence: number) => void): number {
  const start = performance.now()
  for (let sequence = 0; sequence < packets; sequence++) work(sequence)
  return ((performance.now() - start) * 1000) / packets
}

function measure(suite: SrtpSuite): string {
  const key = newSrtpKey(suite)
  const encrypt = best(() => {
    const sender = new SrtpSender(key)
    return timed((sequence) => void sender.rtp(stamp(sequence), 0, length))
  })
  const decrypt = best(() => {
    const sender = new SrtpSender(key)
    const sealed = Array.from({ length: packets }, (_, sequence) => sender.rtp(stamp(sequence), 0, length))
    const receiver = new SrtpReceiver(key)
    return timed((sequence) => {
      const bytes = sealed[sequence]
      if (!bytes || !receiver.rtp(bytes)) throw new Error(`packet ${sequence} was refused`)
    })
  })
  return `${suite.padEnd(28)}${encrypt.toFixed(2).padStart(10)}${decrypt.toFixed(2).padStart(10)}`
}

/** The same work by node:crypto, with keys that are made ready once. */
function nodeCrypto(): string {
  const [aes, sha] = [createSecretKey(Buffer.alloc(16, 1)), createSecretKey(Buffer.alloc(20, 2))]
  const iv = Buffer.alloc(16)
  const encrypt = best(() =>
    timed((sequence) => {
      const packet = stamp(sequence)
      iv.writeUInt32BE(sequence, 10)
      const body = createCipheriv('aes-128-ctr', aes, iv).update(packet.subarray(rtpHeaderBytes))
      const hmac = createHmac('sha1', sha).update(packet.subarray(0, rtpHeaderBytes)).update(body)
      hmac.update(iv.subarray(8, 12)).digest()
    }),
  )
  return `${'node:crypto, 128, SHA1'.padEnd(28)}${encrypt.toFixed(2).padStart(10)}`
}

console.log(`${cpus()[0]?.model}, ${availableParallelism()} cores, Node ${process.version}\n`)
console.log('µs a packet of 160 bytes       encrypt   decrypt')
for (const suite of Object.keys(srtpSuites) as SrtpSuite[]) console.log(measure(suite))
console.log(nodeCrypto())
