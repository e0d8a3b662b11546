/**
 * Proofs of recordings: made when one is stored, verified when somebody asks.
 *
 *   jobs (after recording.stored)  ── prove ──▶  here  ─▶  <name>.proof, ProofStore (database/proofs.ts)
 *   api/, cli/                     ── verify ─▶        ◀── files, keys
 *
 * Somebody who can write everything on the machine, the signing key included, can make it all anew: against that, keep
 * the public key and the latest link elsewhere (`recording.proven` tells each).
 */
import { open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../core/clock.ts'
import type { FactBus } from '../events/bus.ts'
import { findStored } from '../sealing/stored-file.ts'
import { ProofError } from './failures.ts'
import { noLink, printProof, proofOfFile, readProof, type Statement, sha256 } from './statement.ts'
import type { KeptProof, ProvenRecording } from './types.ts'
import { type CheckDeps, follows, ProofCheck, type Verdict } from './verify.ts'

/** `folder` is that of the recordings. */
export interface ProofDeps extends CheckDeps {
  readonly clock: Clock
  /** Left out: nobody is told. */
  readonly bus?: FactBus
}

export interface ChainVerdict {
  /** All links fit, and no recording is broken. */
  readonly intact: boolean
  readonly links: number
  /** The first serial that does not fit, and why. */
  readonly broken?: { readonly serial: number; readonly why: string }
  /** SHA-256 of the last link: note it elsewhere, and what is before it cannot be taken away unseen. */
  readonly head: string
}

/** As it is written; read back, who spoke is whatever stands there. */
type NewStatement = Omit<Statement, 'participants' | 'marks'> & Pick<ProvenRecording, 'participants' | 'marks'>

/** Links read at a time. */
const page = 500

export class Proofs {
  readonly #deps: ProofDeps

  constructor(deps: ProofDeps) {
    this.#deps = deps
  }

  get publicKey(): { readonly id: string; readonly pem: string } {
    const { id, publicKey } = this.#deps.key
    return { id, pem: publicKey }
  }

  /** Make the proof of a stored recording, unless it has one; nothing for a recording that is gone. */
  async prove(recordingId: string): Promise<void> {
    const { store, folder, bus, clock } = this.#deps
    const recording = await store.recording(recordingId)
    if (!recording || (recording.state !== 'stored' && recording.state !== 'interrupted')) return
    const known = await store.of(recordingId)
    const proof = known ?? (await this.#make(recording))
    await writeWhole(join(folder, `${recording.baseName}.proof`), printProof(proof))
    if (known) return
    bus?.publish({
      name: 'recording.proven',
      atMs: clock.wallMs(),
      callId: recording.callId,
      recordingId,
      serial: proof.serial,
      link: proof.link,
      signature: proof.signature,
    })
  }

  async #make(recording: ProvenRecording): Promise<KeptProof> {
    const { store, key, clock } = this.#deps
    const statement = JSON.stringify(await this.#state(recording))
    return store.append(recording.id, (serial, before) => {
      const link = JSON.stringify({
        version: 1,
        serial,
        recordingId: recording.id,
        statement: sha256(statement),
        before: before === undefined ? noLink : sha256(before),
        key: key.id,
        madeAtMs: clock.wallMs(),
      })
      return { serial, recordingId: recording.id, statement, link, signature: key.sign(link) }
    })
  }

  async #state(recording: ProvenRecording): Promise<NewStatement> {
    const { folder } = this.#deps
    const { id, callId, baseName, startedAtMs, durationMs, state, participants, marks = [] } = recording
    const names = recording.files.map(({ name }) => name)
    const notes = await findStored(join(folder, `${baseName}.json`))
    if (notes !== undefined) names.push(notes.slice(folder.length + 1))
    const files = []
    for (const name of names) files.push(await proofOfFile(join(folder, name), name))
    return {
      version: 1,
      recordingId: id,
      callId,
      name: baseName,
      startedAtMs,
      ...(durationMs !== undefined && { durationMs }),
      interrupted: state === 'interrupted',
      participants,
      marks,
      files,
    }
  }

  /** @throws {ProofError} `proof.none`, `proof.unknown-recording` */
  async of(idOrName: string): Promise<KeptProof> {
    const recording = await this.#deps.store.recording(idOrName)
    if (!recording) throw new ProofError('proof.unknown-recording', idOrName)
    const proof = await this.#deps.store.of(recording.id)
    if (!proof) throw new ProofError('proof.none')
    return proof
  }

  /**
   * Whether a recording is as it was. A broken one is told as `recording.proof-broken`.
   * @throws {ProofError} `proof.unknown-recording`
   */
  async verify(idOrName: string): Promise<Verdict> {
    const { store, bus, clock } = this.#deps
    const recording = await store.recording(idOrName)
    const proof = recording ? await store.of(recording.id) : await this.#proofFile(idOrName)
    if (!recording && !proof) throw new ProofError('proof.unknown-recording', idOrName)
    const verdict = await new ProofCheck(this.#deps).run(recording, proof)
    if (verdict.state === 'broken' && recording)
      bus?.publish({
        name: 'recording.proof-broken',
        atMs: clock.wallMs(),
        callId: recording.callId,
        recordingId: recording.id,
        problems: verdict.problems.map(({ text }) => text),
      })
    return verdict
  }

  /** The chain from its beginning. */
  async verifyChain(): Promise<ChainVerdict> {
    const check = new ProofCheck(this.#deps)
    let before: string | undefined
    let links = 0
    for (;;) {
      const proofs = await this.#deps.store.after(links, page)
      for (const proof of proofs) {
        const head = before === undefined ? noLink : sha256(before)
        const why =
          proof.serial !== links + 1
            ? 'it is missing'
            : (check.linkFault(proof) ?? (follows(proof, head) ? undefined : 'it does not follow the link before it'))
        if (why !== undefined) return { intact: false, links, broken: { serial: links + 1, why }, head }
        before = proof.link
        links++
      }
      if (proofs.length < page) return { intact: true, links, head: before === undefined ? noLink : sha256(before) }
    }
  }

  /** Ids of all recordings with a proof that are still there to be verified, in the order of their proofs. */
  async *proven(): AsyncGenerator<string> {
    for (let serial = 0; ; ) {
      const proofs = await this.#deps.store.after(serial, page)
      for (const proof of proofs) if (proof.statement !== undefined) yield proof.recordingId
      serial = proofs.at(-1)?.serial ?? serial
      if (proofs.length < page) return
    }
  }

  /** Of a recording that the database does not know: from beside its files. */
  async #proofFile(name: string): Promise<KeptProof | undefined> {
    if (/[/\\]/.test(name)) return undefined
    const text = await readFile(join(this.#deps.folder, `${name}.proof`), 'utf8').catch(() => undefined)
    return text === undefined ? undefined : readProof(text)
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o640)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}
