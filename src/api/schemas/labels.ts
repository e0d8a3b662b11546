/** Tags and notes of calls and recordings. */
import { z } from 'zod'

export const tagsBodySchema = z
  .strictObject({
    tags: z
      .array(z.string().regex(/^[\p{L}\p{N}][\p{L}\p{N} ._:/-]{0,63}$/u, 'up to 64 letters, digits or blank . _ : / -'))
      .max(50),
  })
  .meta({ id: 'Tags' })
export type Tags = z.infer<typeof tagsBodySchema>

export const noteSchema = z
  .object({ id: z.string(), atMs: z.number(), who: z.string(), text: z.string() })
  .meta({ id: 'Note' })
export type Note = z.infer<typeof noteSchema>

export const newNoteSchema = z.strictObject({ text: z.string().trim().min(1).max(4_000) }).meta({ id: 'NewNote' })
export type NewNote = z.input<typeof newNoteSchema>

export const labelsSchema = z
  .object({ tags: z.array(z.string()).readonly(), notes: z.array(noteSchema).readonly().describe('Oldest first.') })
  .meta({ id: 'Labels' })
export type Labels = z.infer<typeof labelsSchema>

export const noteParams = z.object({ id: z.string().min(1).max(128), note: z.string().min(1).max(64) })
