/** An event package of one word a resource, and a watcher of it, for tests of this folder. */

import { calleeIp, callerIp, type Pair, pair } from '../dialog/test-support.ts'
import type { SipStack } from '../stack.types.ts'
import type { EventPackage, Notification, Notifier, SubscribeOptions, Subscription } from './types.ts'

export interface Words extends Pair {
  readonly notifier: Notifier
  /** What is so, by resource. */
  readonly words: Map<string, string>
  /** Change it, and tell. */
  readonly say: (resource: string, word: string) => void
}

/** Writes `version:told:word`, so that a test sees what the reader was told before. */
export const wordsPackage = (words: ReadonlyMap<string, string>, more: Partial<EventPackage<string>> = {}) =>
  ({
    name: 'word',
    contentType: 'text/plain',
    spacingMs: 1_000,
    admit: (request) => {
      const user = /^sip:([^@]+)@/.exec(request.uri)?.[1] ?? ''
      return words.has(user) ? { resource: user, subscriber: 'a' } : { status: 404 }
    },
    state: (resource) => words.get(resource) ?? '',
    write: (word, { version, told }) => `${version}:${told ?? ''}:${word}`,
    ...more,
  }) satisfies EventPackage<string>

/** Two stacks of which the callee tells words. */
export async function wordsPair(
  options: Parameters<typeof pair>[0] = {},
  more: Partial<EventPackage<string>> = {},
): Promise<Words> {
  const net = await pair(options)
  const words = new Map([['102', 'idle']])
  const notifier = net.callee.notifier(wordsPackage(words, more))
  const say = (resource: string, word: string): void => {
    words.set(resource, word)
    notifier.changed(resource)
  }
  return { ...net, notifier, words, say }
}

export interface Watch {
  readonly subscription: Subscription
  /** `active 0::idle`, one for each notification; `threw …` at the end when it did. */
  readonly seen: string[]
}

export const wordSubscription = (more: Partial<SubscribeOptions> = {}): SubscribeOptions => ({
  target: { uri: `sip:102@${calleeIp}:5060` },
  from: `<sip:101@${callerIp}>`,
  to: `<sip:102@${calleeIp}>`,
  event: 'word',
  accept: ['text/plain'],
  ...more,
})

export function watch(stack: SipStack, more: Partial<SubscribeOptions> = {}): Watch {
  const subscription = stack.subscribe(wordSubscription(more))
  const seen: string[] = []
  void (async () => {
    try {
      for await (const told of subscription) seen.push(textOf(told))
      seen.push('end')
    } catch (error) {
      seen.push(`threw ${(error as { code?: string }).code}`)
    }
  })()
  return { subscription, seen }
}

const textOf = ({ state, reason, body }: Notification): string =>
  [state, reason, Buffer.from(body).toString()].filter((part) => part).join(' ')
