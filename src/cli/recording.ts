/** `patchbay recording`: files verified and decrypted, and the keys they are sealed with; whether or not the server runs. */
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { auditHere, withDatabase } from '../administration.ts'
import { wavHeader } from '../codec/wav.ts'
import { systemClock } from '../core/clock.ts'
import { silentLogger } from '../core/logger.ts'
import type { Settings } from '../core/settings/schema.ts'
import { joinProofs } from '../join-proof.ts'
import { keyRingOf, masterKeysOf } from '../join-sealing.ts'
import type { Proofs } from '../proof/proofs.ts'
import type { Verdict } from '../proof/verify.ts'
import { replaceKey } from '../sealing/container/key-place.ts'
import { SealedReader } from '../sealing/container/reader.ts'
import { readKeyText } from '../sealing/keys/environment-keys.ts'
import type { KeyRing } from '../sealing/keys/key-ring.ts'
import { isSiprecFile, readSiprecFile } from '../sealing/siprec-file.ts'
import { openStored, plainName, sealedExtension, streamStored } from '../sealing/stored-file.ts'
import type { CommandContext } from './commands.ts'
import { UsageError, wrongWord } from './expected.ts'

type Context = Pick<CommandContext, 'rest' | 'given'>

export async function runRecording(settings: Settings, context: Context): Promise<number> {
  const [action = '', ...rest] = context.rest
  const inner = { ...context, rest }
  if (action === 'verify') return verify(settings, inner)
  if (action === 'decrypt') return decrypt(settings, inner)
  if (action === 'keys') return keys(settings, inner)
  throw wrongWord('recording', action, 'verify, decrypt or keys')
}

async function verify(settings: Settings, { rest, given }: Context): Promise<number> {
  const [name, extra] = rest
  if (extra !== undefined) throw new UsageError(`"${extra}" was given besides; see patchbay --help`)
  if ((name === undefined) !== (given['all'] === true)) throw new UsageError('recording verify: give a name, or --all')
  const { openKey } = keyRingOf(settings, systemClock, silentLogger)
  return withDatabase(settings, async (database) => {
    const proofs = await joinProofs({ settings, database, openKey, clock: systemClock })
    return name === undefined ? verifyAll(proofs) : told(await proofs.verify(name))
  })
}

async function verifyAll(proofs: Proofs): Promise<number> {
  let status = 0
  let recordings = 0
  for await (const id of proofs.proven()) {
    recordings++
    if (told(await proofs.verify(id)) !== 0) status = 1
  }
  const { intact, links, broken, head } = await proofs.verifyChain()
  if (broken)
    console.log(`the chain of proofs is broken at serial ${broken.serial}: ${broken.why}; the ${links} before it fit`)
  else console.log(`${recordings} recordings verified; the chain of ${links} proofs is whole, head ${head}`)
  return intact ? status : 1
}

/** @returns 0 when it is intact. */
function told({ name, recordingId, state, problems }: Verdict): number {
  console.log(`${name || recordingId}\t${state}`)
  for (const { text } of problems) console.log(`\t${text}`)
  return state === 'broken' || state === 'unproven' ? 1 : 0
}

async function decrypt(settings: Settings, { rest, given }: Context): Promise<number> {
  const [path, extra] = rest
  if (path === undefined || extra !== undefined) throw new UsageError('recording decrypt: give one file')
  const output = textOf(given['output']) ?? `./${plainName(basename(path)).replace(/\.siprec$/, '.wav')}`
  if (existsSync(output)) throw new UsageError(`${output} is there already; choose another by --output`)
  const start = await firstBytes(path)
  const subject = isSiprecStart(start)
    ? await decryptSiprec(settings, path, output, given)
    : await decryptSealed(settings, path, output, given['unfinished'] === true)
  if (existsSync(join(settings.data.dir, 'patchbay.db')))
    await withDatabase(settings, (database) => auditHere(database, 'recording.decrypted', subject))
  console.log(output)
  return 0
}

/** @returns What the audit record says was decrypted: never the file's name, in which numbers of people may stand. */
async function decryptSealed(settings: Settings, path: string, output: string, unfinished: boolean): Promise<string> {
  const { openKey } = keyRingOf(settings, systemClock, silentLogger)
  const file = await openStored(path, { openKey, unfinished })
  if (!file.sealed) {
    await file.close()
    throw new UsageError(`${path} is not encrypted`)
  }
  const target = await open(output, 'wx', 0o600)
  try {
    await pipeline(streamStored(file), target.createWriteStream())
  } catch (error) {
    await rm(output, { force: true }) // half of a damaged file is no recording
    throw error
  }
  return `recording:${file.recordingId}`
}

/** A header of JSON with its length before it. */
const isSiprecStart = (start: Buffer): boolean => start.length > 4 && start[4] === 0x7b

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path, 'r')
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(8), 0, 8, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

/**
 * Samples of 16 bits, one channel: what that server encrypts.
 * @returns As `decryptSealed`; whose recording it is does not stand in the file, so its hash has to do.
 */
async function decryptSiprec(
  { sealing }: Settings,
  path: string,
  output: string,
  given: Context['given'],
): Promise<string> {
  const keyFile = textOf(given['key'])
  const text = keyFile === undefined ? sealing.masterKey : await readFile(keyFile)
  if (text.length === 0) throw new UsageError('the key is missing: give --key FILE, or set SIPREC_MASTER_KEY')
  const bytes = await readFile(path)
  if (!isSiprecFile(bytes)) throw new UsageError(`${path} is no encrypted recording`)
  const sound = readSiprecFile(bytes, readKeyText(text)).bytes
  const sampleRateHz = Number(textOf(given['rate']) ?? 8_000)
  if (!Number.isInteger(sampleRateHz) || sampleRateHz < 1) throw new UsageError('--rate: a whole number of hertz')
  const startedAtMs = (await stat(path)).mtimeMs
  const isWav = sound.subarray(0, 4).toString('latin1') === 'RIFF'
  const header = wavHeader({ sampleRateHz, channels: 1, dataBytes: sound.length, startedAtMs })
  await writeFile(output, isWav ? sound : Buffer.concat([header, sound]), { flag: 'wx', mode: 0o600 })
  return `file:sha256:${createHash('sha256').update(bytes).digest('hex')}`
}

async function keys(settings: Settings, { rest }: Context): Promise<number> {
  const [action, extra] = rest
  if (extra !== undefined) throw new UsageError(`"${extra}" was given besides; see patchbay --help`)
  if (action === 'list') return listKeys(settings)
  if (action === 'rotate') return rotate(settings)
  if (action === 'rewrap') return rewrap(settings)
  throw wrongWord('recording keys', action ?? '', 'list, rotate or rewrap')
}

async function listKeys(settings: Settings): Promise<number> {
  for (const [index, source] of masterKeysOf(settings, systemClock).entries())
    for (const { id, madeAtMs, current } of await source.list()) {
      const made = madeAtMs === undefined ? '' : new Date(madeAtMs).toISOString()
      console.log([id, made, index === 0 && current ? 'in force' : ''].join('\t'))
    }
  return 0
}

async function rotate(settings: Settings): Promise<number> {
  const [source] = masterKeysOf(settings, systemClock)
  if (source.kind !== 'file')
    throw new UsageError(
      'only master keys in files are rotated here: set another SIPREC_MASTER_KEY, or rotate the key in its service',
    )
  const { id } = await source.rotate()
  await withDatabase(settings, (database) => auditHere(database, 'master-key.rotated', `key:${id}`))
  console.log(`${id}   (a running server takes it within a minute)`)
  return 0
}

/** All files in the folder under the master key in force; sound is not touched. */
async function rewrap(settings: Settings): Promise<number> {
  const folder = resolve(settings.recording.dir)
  const ring = keyRingOf(settings, systemClock, silentLogger)
  await ring.begin()
  ring.close()
  let rewrapped = 0
  let failed = 0
  for (const name of await readdir(folder)) {
    if (!name.endsWith(sealedExtension)) continue
    try {
      if (await rewrapFile(join(folder, name), ring)) rewrapped++
    } catch (error) {
      failed++
      console.error(`${name}: ${String(error instanceof Error ? error.message : error)}`)
    }
  }
  await withDatabase(settings, (database) =>
    auditHere(database, 'recording.keys-rewrapped', `key:${ring.currentId}`, { files: rewrapped, failed }),
  )
  console.log(`${rewrapped} files are under ${ring.currentId} now${failed > 0 ? `; ${failed} failed` : ''}`)
  const unfinished = await readdir(join(folder, 'unfinished')).catch(() => [])
  const waiting = unfinished.filter((name) => plainName(name).endsWith('.json')).length
  if (waiting > 0)
    console.log(`${waiting} recordings are not finished: until they are, their notes need the key they have`)
  return failed > 0 ? 1 : 0
}

async function rewrapFile(path: string, ring: KeyRing): Promise<boolean> {
  const file = await open(path, 'r+')
  try {
    const { key, about } = await SealedReader.open(file, ring.openKey)
    if (key.key.master === ring.currentId && key.alone) return false
    const dataKey = await ring.openKey(key.key, about.recordingId)
    await replaceKey(file, key, ring.wrap(dataKey, about.recordingId))
    return true
  } finally {
    await file.close()
  }
}

const textOf = (value: string | boolean | undefined): string | undefined =>
  typeof value === 'string' ? value : undefined
