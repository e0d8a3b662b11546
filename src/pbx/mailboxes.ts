/**
 * How many voice messages wait for each extension: what the lamp of a phone shows.
 *
 * Kept for whoever takes messages. Nothing here does yet: there is no voicemail, so all counts are 0 until it comes.
 */
import type { MessageCounts } from '../sip/packages/message-summary.ts'

export const noMessages: MessageCounts = { fresh: 0, old: 0, urgentFresh: 0, urgentOld: 0 }

export class Mailboxes {
  readonly #counts = new Map<string, MessageCounts>()
  readonly #listeners = new Set<(extension: string) => void>()

  of(extension: string): MessageCounts {
    return this.#counts.get(extension) ?? noMessages
  }

  /** True once anybody has counted: a phone that did not ask is told only then. */
  has(extension: string): boolean {
    return this.#counts.has(extension)
  }

  set(extension: string, counts: MessageCounts): void {
    this.#counts.set(extension, counts)
    for (const listener of this.#listeners) listener(extension)
  }

  /** The extension is gone. */
  drop(extension: string): void {
    this.#counts.delete(extension)
  }

  onChange(listener: (extension: string) => void): void {
    this.#listeners.add(listener)
  }
}
