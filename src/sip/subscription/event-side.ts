/**
 * What the stack does about events, in one place: subscribes and publishes, takes subscriptions and publications.
 *
 * Methods are taken from the platform only once somebody offers something for them. Closing ends what still lives
 * without a word to anybody.
 */
import type { Context } from '../dialog/context.ts'
import { NotifierDesk } from './notifier.ts'
import { PublicationDesk } from './publications.ts'
import { SentPublication } from './publisher.ts'
import { sendRefer } from './referral.ts'
import { SentSubscription } from './subscriber.ts'
import type {
  EventPackage,
  Notifier,
  Publication,
  PublicationRules,
  Publications,
  PublishOptions,
  ReferOptions,
  Referral,
  SubscribeOptions,
  Subscription,
  SubscriptionLimits,
} from './types.ts'

export class EventSide {
  readonly #context: Context
  readonly #notifiers: NotifierDesk
  readonly #published: PublicationDesk
  readonly #ours = new Set<{ drop(): void }>()

  constructor(context: Context, limits?: Partial<SubscriptionLimits>) {
    this.#context = context
    this.#notifiers = new NotifierDesk(context, limits)
    this.#published = new PublicationDesk(context)
  }

  subscribe(options: SubscribeOptions): Subscription {
    const subscription = new SentSubscription(this.#context, options)
    this.#keep(subscription, subscription.ended)
    return subscription
  }

  notifier<State>(events: EventPackage<State>): Notifier {
    this.#context.services.set('SUBSCRIBE', this.#notifiers.receive)
    return this.#notifiers.offer(events)
  }

  refer(options: ReferOptions): Referral {
    const referral = sendRefer(this.#context, options)
    this.#keep(referral, referral.outcome)
    return referral
  }

  publish(options: PublishOptions): Publication {
    const publication = new SentPublication(this.#context, options)
    this.#keep(publication, publication.ended)
    return publication
  }

  publications<Value>(rules: PublicationRules<Value>): Publications<Value> {
    this.#context.services.set('PUBLISH', this.#published.receive)
    return this.#published.take(rules)
  }

  close(): void {
    for (const each of Array.from(this.#ours)) each.drop()
    this.#published.close()
  }

  #keep(one: { drop(): void }, ended: Promise<unknown>): void {
    this.#ours.add(one)
    void ended.then(() => this.#ours.delete(one))
  }
}
