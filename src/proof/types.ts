/** Proofs as they are kept: declared here, kept by database/proofs.ts. */
import type { Participant, RecordingFile, RecordingMark } from '../events/catalogue.ts'

/** The three lines of a proof (statement.ts). */
export interface KeptProof {
  readonly serial: number
  readonly recordingId: string
  /** undefined when it was erased: it tells who spoke. The link stays. */
  readonly statement?: string
  readonly link: string
  /** base64. */
  readonly signature: string
}

/** What is proven. */
export interface ProvenRecording {
  readonly id: string
  readonly callId: string
  readonly baseName: string
  readonly state: string
  readonly startedAtMs: number
  readonly durationMs?: number
  readonly files: readonly RecordingFile[]
  readonly participants: readonly Participant[]
  readonly marks?: readonly RecordingMark[]
}

/** A file that a store of the archive has. */
export interface ArchivedCopy {
  /** As it was called on the disk. */
  readonly file: string
  /** Of all its bytes, in hex. */
  readonly sha256: string
}

export interface ProofStore {
  /** By id, or by the name that its files begin with. */
  recording(idOrName: string): Promise<ProvenRecording | undefined>
  of(recordingId: string): Promise<KeptProof | undefined>
  /**
   * Put a proof behind the last one; one that the recording has already is given back instead.
   * @param make The proof with this serial, behind this link (undefined: it is the first).
   */
  append(recordingId: string, make: (serial: number, before: string | undefined) => KeptProof): Promise<KeptProof>
  /** In the order of their serials. */
  after(serial: number, limit: number): Promise<readonly KeptProof[]>
  /** Which of these names are files of recordings. */
  known(names: readonly string[]): Promise<ReadonlySet<string>>
}
