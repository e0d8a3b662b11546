/** One recording held against its proof: what was changed, what is missing, what came to it. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { OpenKey } from '../sealing/container/reader.ts'
import { SealingError } from '../sealing/failures.ts'
import { openStored, plainName, sealedExtension } from '../sealing/stored-file.ts'
import type { SigningKey } from './signing-key.ts'
import {
  noLink,
  type ProvenFile,
  printProof,
  proofOfFile,
  readLink,
  readStatement,
  type Statement,
  sha256,
} from './statement.ts'
import type { ArchivedCopy, KeptProof, ProofStore, ProvenRecording } from './types.ts'

export interface Problem {
  readonly what: 'changed' | 'missing' | 'added' | 'proof' | 'chain' | 'key'
  /** Which file; none when it is the proof itself. */
  readonly file?: string
  /** In words. */
  readonly text: string
}

/** `elsewhere`: the archive has what is not here, as it was; what is here is intact. `unproven`: it has no proof. */
export type VerdictState = 'intact' | 'elsewhere' | 'broken' | 'unproven' | 'deleted'

export interface Verdict {
  readonly recordingId: string
  readonly name: string
  readonly state: VerdictState
  readonly serial?: number
  readonly madeAtMs?: number
  readonly problems: readonly Problem[]
}

export interface CheckDeps {
  readonly store: ProofStore
  readonly folder: string
  readonly key: SigningKey
  readonly openKey: OpenKey
  /** What the archive stored of a recording, by its own records: a file that anybody may write proves nothing. */
  readonly copiesOf: (recordingId: string) => Promise<readonly ArchivedCopy[]>
}

/** @param before SHA-256 of the link before it. */
export const follows = ({ link }: KeptProof, before: string): boolean => readLink(link)?.before === before

/** What a recording is made of: files that come later (other formats, places of copies) are not looked at. */
const original = /\.(wav|rtpdump|awb|json)(\.sealed)?$/

export class ProofCheck {
  readonly #deps: CheckDeps

  constructor(deps: CheckDeps) {
    this.#deps = deps
  }

  /** @param recording undefined: the database does not know it, and the proof lay beside its files. */
  async run(recording: ProvenRecording | undefined, proof: KeptProof | undefined): Promise<Verdict> {
    const link = proof && readLink(proof.link)
    const told = {
      recordingId: recording?.id ?? proof?.recordingId ?? '',
      name: recording?.baseName ?? '',
      ...(proof && { serial: proof.serial }),
      ...(link && { madeAtMs: link.madeAtMs }),
    }
    if (recording?.state === 'deleted') return { ...told, state: 'deleted', problems: [] }
    if (!proof) return { ...told, state: 'unproven', problems: [] }
    const statement = proof.statement === undefined ? undefined : readStatement(proof.statement)
    if (!statement)
      return { ...told, state: 'broken', problems: [{ what: 'proof', text: 'its statement cannot be read' }] }
    const problems = [
      ...(await this.#proofProblems(recording, proof)),
      ...(await this.#fileProblems(statement)),
      ...(await this.#added(statement)),
    ]
    const gone = problems.filter(({ what }) => what === 'missing')
    const elsewhere = gone.length > 0 && gone.length === problems.length && (await this.#areArchived(gone, statement))
    const state = problems.length === 0 ? 'intact' : elsewhere ? 'elsewhere' : 'broken'
    return { ...told, name: statement.name, state, problems }
  }

  /** What is wrong with a proof by itself; undefined when nothing is. */
  linkFault({ statement, link, signature, serial, recordingId }: KeptProof): string | undefined {
    const read = readLink(link)
    if (!read || read.serial !== serial || read.recordingId !== recordingId) return 'its link was changed'
    const signed = this.#deps.key.verify(link, signature, read.key)
    if (signed === undefined) return `the key ${read.key} that signed it is not known here`
    if (!signed) return 'its signature does not fit'
    if (statement !== undefined && sha256(statement) !== read.statement) return 'its statement was changed'
    return undefined
  }

  async #proofProblems(recording: ProvenRecording | undefined, proof: KeptProof): Promise<Problem[]> {
    const problems: Problem[] = []
    const before = recording && (await this.#before(proof.serial))
    const fault = this.linkFault(proof)
    if (fault !== undefined) problems.push({ what: 'proof', text: fault })
    else if (before !== undefined && !follows(proof, before))
      problems.push({ what: 'chain', text: 'it does not follow the link before it' })
    if (!recording) return problems
    const file = `${recording.baseName}.proof`
    const text = await readFile(join(this.#deps.folder, file), 'utf8').catch(() => undefined)
    if (text === undefined) problems.push({ what: 'missing', file, text: `${file} is missing` })
    else if (text !== printProof(proof)) problems.push({ what: 'changed', file, text: `${file} was changed` })
    return problems
  }

  /** SHA-256 of the link before; `none` fits nothing. */
  async #before(serial: number): Promise<string> {
    if (serial === 1) return noLink
    const [before] = await this.#deps.store.after(serial - 2, 1)
    return before?.serial === serial - 1 ? sha256(before.link) : 'none'
  }

  async #fileProblems({ files }: Statement): Promise<Problem[]> {
    const problems: Problem[] = []
    for (const proven of files) {
      const problem = await this.#fileProblem(proven)
      if (problem) problems.push(problem)
    }
    return problems
  }

  async #fileProblem({ name, sha256: expected }: ProvenFile): Promise<Problem | undefined> {
    const path = join(this.#deps.folder, name)
    try {
      const { sha256: found } = await proofOfFile(path, name)
      if (found !== expected) return { what: 'changed', file: name, text: `${name} was changed` }
      if (name.endsWith(sealedExtension)) await (await openStored(path, { openKey: this.#deps.openKey })).close()
      return undefined
    } catch (error) {
      if (error instanceof SealingError) return { what: 'key', file: name, text: `${name}: ${error.message}` }
      if ((error as NodeJS.ErrnoException).code === 'ENOENT')
        return { what: 'missing', file: name, text: `${name} is missing` }
      throw error
    }
  }

  /** Files that look as if they were part of the recording, and are of no other. */
  async #added({ name, files }: Statement): Promise<Problem[]> {
    const proven = new Set(files.map((file) => file.name))
    const unfinished = await this.#unfinished()
    const candidates = (await readdir(this.#deps.folder)).filter(
      (entry) =>
        (entry.startsWith(`${name}.`) || entry.startsWith(`${name}_`)) &&
        original.test(entry) &&
        !proven.has(entry) &&
        !unfinished.some((other) => entry.startsWith(other)),
    )
    const known = await this.#deps.store.known(candidates)
    const notes = candidates.filter((entry) => plainName(entry).endsWith('.json'))
    const others = new Set<string>()
    for (const entry of notes) {
      const other = plainName(entry).slice(0, -'.json'.length)
      if (other !== name && (await this.#deps.store.recording(other))) others.add(entry)
    }
    return candidates
      .filter((entry) => !known.has(entry) && !others.has(entry))
      .map((file) => ({ what: 'added', file, text: `${file} came to it` }))
  }

  /** Names of recordings that are being made. */
  async #unfinished(): Promise<string[]> {
    const entries = await readdir(join(this.#deps.folder, 'unfinished')).catch(() => [])
    return entries.map(plainName).flatMap((entry) => (entry.endsWith('.json') ? [entry.slice(0, -5)] : []))
  }

  /** A sealed file's hash leaves its key places out, which change with the master key: its name has to do. */
  async #areArchived(gone: readonly Problem[], { recordingId, files }: Statement): Promise<boolean> {
    const copies = await this.#deps.copiesOf(recordingId)
    return gone.every(({ file }) => {
      const proven = file !== undefined && !file.endsWith(sealedExtension) && files.find(({ name }) => name === file)
      return copies.some((copy) => copy.file === file && (!proven || copy.sha256 === proven.sha256))
    })
  }
}
