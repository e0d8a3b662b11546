/**
 * Subscriptions as who uses the stack sees them: an event package that is told of, a subscription that is heard.
 *
 * RFC 6665. docs/sip.md shows an event package in twenty lines.
 */
import type { SipRequest, SipResponse } from '../message/types.ts'
import type { Dialog, DialogId, ExtraHeaders, Flow, RequestOptions } from '../stack.types.ts'
import type { Terms } from './term.ts'

/** What a SUBSCRIBE is answered: which resource it may watch, or why it may not. */
export type Admission =
  | {
      /** What is watched, as `changed` names it: an extension, an address of record. */
      readonly resource: string
      /** Who watches; counted against the limits. */
      readonly subscriber: string
    }
  | { readonly status: number; readonly headers?: ExtraHeaders }

/** For whom a body is written. */
export interface Reader<State> {
  /** The Request-URI of the SUBSCRIBE without parameters: how the subscriber calls what it watches. */
  readonly entity: string
  /** Counts the bodies of this subscription from 0. */
  readonly version: number
  /** What it was told last; undefined when it must be told everything. */
  readonly told: State | undefined
}

/**
 * An event package as its notifier keeps it (RFC 6665 §5): who may watch, what is so, and how that is written.
 *
 * `state` is asked when a NOTIFY leaves, so a burst of changes becomes one.
 */
export interface EventPackage<State> {
  /** As in Event: `presence`. */
  readonly name: string
  /** Of the body: `application/pidf+xml`. */
  readonly contentType: string
  /** How long a subscription lives; an hour and at least a minute unless given. */
  readonly terms?: Terms
  /** Least time between two changes told to one subscriber, ms. */
  readonly spacingMs: number
  readonly admit: (request: SipRequest, flow: Flow) => Admission
  readonly state: (resource: string) => State
  /** The body; undefined when what changed is nothing to this reader, who is told nothing then. */
  readonly write: (state: State, reader: Reader<State>) => string | undefined
}

/** Why the notifier ends a subscription, and whether the subscriber may come again (RFC 6665 §4.1.3). */
export type EndReason = 'deactivated' | 'probation' | 'rejected' | 'timeout' | 'giveup' | 'noresource' | 'invariant'

/** Tells the subscribers of one event package. */
export interface Notifier {
  /** The state of this resource changed. */
  changed(resource: string): void
  /** End the subscriptions of this resource, or those this subscriber holds. */
  end(whose: { readonly resource?: string; readonly subscriber?: string }, reason: EndReason): void
  /** Whether this subscriber watches the resource now. */
  watches(subscriber: string, resource: string): boolean
  /** Subscriptions that live. */
  readonly count: number
}

/** How many subscriptions may live at a time. */
export interface SubscriptionLimits {
  readonly total: number
  /** From one address. */
  readonly perSource: number
  readonly perSubscriber: number
}

export interface SubscribeOptions extends RequestOptions {
  /** `dialog`, `presence;id=7`. */
  readonly event: string
  /** Body types that are understood. */
  readonly accept: readonly string[]
  /** 3600 unless given; 0 asks once and subscribes to nothing. */
  readonly expiresS?: number
  /** Several may take it behind a forking proxy, and all of them are heard (RFC 6665 §5.4.9); else the first alone. */
  readonly forks?: boolean
}

/** One NOTIFY; it has been answered. */
export interface Notification {
  readonly request: SipRequest
  readonly state: 'active' | 'pending' | 'terminated'
  /** Why it is terminated. */
  readonly reason?: string
  /** Without parameters, in lower case; empty without a body. */
  readonly contentType: string
  readonly body: Uint8Array
  /** Another one after a new start: what was known before is void, for all of it is told again. */
  readonly dialog: DialogId
}

/** How a subscription ended: by us, by the notifier for good, or because it was refused. */
export type SubscriptionEnd =
  | { readonly by: 'local' }
  | { readonly by: 'remote'; readonly reason: string | undefined }
  | { readonly by: 'refused'; readonly response: SipResponse }

/**
 * A subscription of ours, kept alive until it is closed: refreshed, and started anew when the notifier lost it.
 *
 * The iterator gives every notification in order and ends with the subscription; leaving it early ends the
 * subscription. Who reads slowly loses old notifications, and is told everything anew then. A refusal is thrown as
 * SipError `sip.subscription-refused`.
 */
export interface Subscription extends AsyncIterable<Notification> {
  /** Once, when the notifier knows it too or was given up. A signal ends the iteration before that. */
  readonly ended: Promise<SubscriptionEnd>
  /** Unsubscribe. Resolves when that has been answered; twice is fine. */
  close(): Promise<void>
}

/** What is taken by PUBLISH for one event package: from whom, in which form (RFC 3903). */
export interface PublicationRules<Value> {
  /** As in Event: `presence`. */
  readonly name: string
  readonly contentType: string
  /** An hour and at least a minute unless given. */
  readonly terms?: Terms
  /** Whether this PUBLISH is let in, and of what it tells. */
  readonly admit: (request: SipRequest, flow: Flow) => Admission
  /** The body as a value; undefined when it cannot be read (400). */
  readonly read: (body: Uint8Array) => Value | undefined
  /** What is published of this resource is another than before. */
  readonly changed: (resource: string) => void
}

/** What others published and still keep alive. */
export interface Publications<Value> {
  /** Newest first. */
  of(resource: string): readonly Value[]
  /** Forget all of this resource. */
  drop(resource: string): void
}

export interface PublishOptions extends RequestOptions {
  readonly event: string
  readonly body: string | Uint8Array
  readonly contentType: string
  /** 3600 unless given. */
  readonly expiresS?: number
}

/** Something we publish, kept alive until it is closed: refreshed, and published anew when the other side lost it. */
export interface Publication {
  /** The answer to the first PUBLISH. Never rejects; 408 and 503 may be made here. */
  readonly outcome: Promise<SipResponse>
  /** Something else is so now. Resolves with the answer. */
  update(body: string | Uint8Array): Promise<SipResponse>
  /** Take it back. Resolves when that has been answered; twice is fine. */
  close(): Promise<void>
}

/** A REFER (RFC 3515): inside a dialog, or to somebody by a request of its own. */
export type ReferOptions = {
  /** Whom to call: `sip:bob@example.com`, for an attended transfer with `?Replaces=…`. */
  readonly referTo: string
  /** Who asks, for the one who is called (RFC 3892): `<sip:alice@example.com>`. */
  readonly referredBy?: string
  readonly headers?: ExtraHeaders
  readonly signal?: AbortSignal
} & ({ readonly dialog: Dialog } | RequestOptions)

/** How far the other side is with what it was asked. */
export interface ReferReport {
  /** Of the call it makes: 100, 180, 200, 486. */
  readonly status: number
  readonly reason: string
}

/** A REFER of ours: iterating gives the reports, and ends with the last of them. */
export interface Referral extends AsyncIterable<ReferReport> {
  /** The answer to the REFER itself: 202, or a refusal. Never rejects; 408, 503 and, when aborted, 487 may be made here. */
  readonly answered: Promise<SipResponse>
  /** The final status that was told; undefined when none was: refused, the dialog ended, or no reports are sent (RFC 4488). */
  readonly outcome: Promise<ReferReport | undefined>
}
