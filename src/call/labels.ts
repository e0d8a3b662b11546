/** What people write to calls and recordings: tags and notes. Declared here, kept by database/life/labels.ts. */

/** Of one call. */
export const mostNotes = 200

export interface CallNote {
  readonly id: string
  readonly atMs: number
  /** User or API key that wrote it. */
  readonly who: string
  readonly text: string
}

export interface CallLabels {
  readonly tags: readonly string[]
  /** Oldest first. */
  readonly notes: readonly CallNote[]
}

export interface LabelStore {
  /** Undefined when there is no such call. */
  ofCall(callId: string): Promise<CallLabels | undefined>
  /** Replace them. @returns False when there is no such call, or recording. */
  tagCall(callId: string, tags: readonly string[]): Promise<boolean>
  tagRecording(recordingId: string, tags: readonly string[]): Promise<boolean>
  /** @returns `full` when the call has as many as it may. */
  addNote(callId: string, note: CallNote): Promise<'added' | 'gone' | 'full'>
  removeNote(callId: string, noteId: string): Promise<boolean>
}
