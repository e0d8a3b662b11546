/**
 * What extensions may watch: each other's calls (busy lamps) and presence, their own mailbox and registrations.
 *
 *   device  ── SUBSCRIBE, PUBLISH ─▶  here  ◀─ facts ─  calls, registrar, mailboxes
 *           ◀────── NOTIFY ────────
 *
 * The gatekeeper has let in who asks; strangers never come here. Phones that do not subscribe to their mailbox are told
 * by a NOTIFY nobody asked for, as many expect. RFC 4235, 3856, 3842, 3680, 3903.
 */
import type { FactBus } from '../events/bus.ts'
import type { SipRequest } from '../sip/message/types.ts'
import { printUri, sipUri } from '../sip/message/uri.ts'
import { type DialogEntry, dialogPackage } from '../sip/packages/dialog-info.ts'
import {
  type MessageSummary,
  messageSummaryPackage,
  messageSummaryType,
  writeMessageSummary,
} from '../sip/packages/message-summary.ts'
import { type Presence, pidfType, presencePackage, readPidf } from '../sip/packages/pidf.ts'
import { type RegisteredContact, regPackage } from '../sip/packages/reginfo.ts'
import type { Flow, SipStack } from '../sip/stack.types.ts'
import type { Admission, Notifier, Publications } from '../sip/subscription/types.ts'
import { openly } from './caller-id.ts'
import type { Directory } from './directory.ts'
import type { Gatekeeper } from './gatekeeper.ts'
import { Lines } from './lines.ts'
import type { Mailboxes } from './mailboxes.ts'
import type { Registrar } from './registrar.ts'
import { dialledNumber } from './trunks.ts'

export interface ExtensionEventsOptions {
  readonly bus: FactBus
  readonly stack: Pick<SipStack, 'contact' | 'notifier' | 'publications' | 'request'>
  readonly gatekeeper: Pick<Gatekeeper, 'identityOf'>
  readonly directory: Directory
  readonly registrar: Pick<Registrar, 'of' | 'targets'>
  readonly mailboxes: Mailboxes
  /** Our address as that peer knows it. */
  readonly advertisedIp: (flow: Flow | undefined) => string
}

export class ExtensionEvents {
  readonly #options: ExtensionEventsOptions
  readonly #lines: Lines
  readonly #lamps: Notifier
  readonly #presence: Notifier
  readonly #summaries: Notifier
  readonly #registrations: Notifier
  readonly #published: Publications<Presence>

  /** Takes SUBSCRIBE and PUBLISH from now on. */
  constructor(options: ExtensionEventsOptions) {
    this.#options = options
    const { bus, stack, directory, mailboxes } = options
    this.#lines = new Lines(bus, (extension) => this.#lineChanged(extension))
    this.#lamps = stack.notifier(dialogPackage({ admit: this.#anybody, state: (number) => this.#dialogs(number) }))
    this.#presence = stack.notifier(
      presencePackage({ admit: this.#anybody, state: (number) => this.#presenceOf(number) }),
    )
    this.#summaries = stack.notifier(
      messageSummaryPackage({ admit: this.#ownMailbox, state: (number) => this.#summary(number) }),
    )
    this.#registrations = stack.notifier(regPackage({ admit: this.#own, state: (number) => this.#contacts(number) }))
    this.#published = stack.publications({
      name: 'presence',
      contentType: pidfType,
      admit: this.#own,
      read: readPidf,
      changed: (number) => this.#presence.changed(number),
    })
    bus.on('registration.added', ({ extension }) => this.#registered(extension))
    bus.on('registration.refreshed', ({ extension }) => this.#registrations.changed(extension))
    bus.on('registration.removed', ({ extension }) => this.#registrationChanged(extension))
    mailboxes.onChange((extension) => this.#mailboxChanged(extension))
    directory.onRemoved((number) => this.#removed(number))
  }

  /** Subscriptions that live. */
  get count(): number {
    return [this.#lamps, this.#presence, this.#summaries, this.#registrations].reduce(
      (sum, { count }) => sum + count,
      0,
    )
  }

  /** Every extension may watch every other. */
  readonly #anybody = (request: SipRequest): Admission => {
    const subscriber = this.#subscriber(request)
    if (subscriber === undefined) return { status: 403 }
    const resource = dialledNumber(request.uri)
    if (resource === undefined || !this.#options.directory.find(resource)) return { status: 404 }
    return { resource, subscriber }
  }

  readonly #own = (request: SipRequest): Admission => {
    const admission = this.#anybody(request)
    return 'status' in admission || admission.resource === admission.subscriber ? admission : { status: 403 }
  }

  /** Phones ask at their own address, at a number for voicemail such as `*97`, or at the server itself. */
  readonly #ownMailbox = (request: SipRequest): Admission => {
    const subscriber = this.#subscriber(request)
    if (subscriber === undefined) return { status: 403 }
    const asked = dialledNumber(request.uri)
    const another = asked !== undefined && asked !== subscriber && this.#options.directory.find(asked)
    return another ? { status: 403 } : { resource: subscriber, subscriber }
  }

  #subscriber(request: SipRequest): string | undefined {
    const identity = this.#options.gatekeeper.identityOf(request)
    return identity?.kind === 'extension' ? identity.extension.number : undefined
  }

  #dialogs(number: string): readonly DialogEntry[] {
    return this.#lines.of(number).map(({ callId, direction, state, remote }) => {
      const entry: DialogEntry = {
        id: `${callId}-${direction}`,
        direction,
        state,
        remote: openly(remote),
      }
      // By these a phone asks for a call that rings here, in a Replaces (RFC 4235 §4.1.1, call/take-place.ts).
      const rings = direction === 'recipient' && state === 'early'
      return rings ? Object.assign(entry, { callId, localTag: number, remoteTag: 'caller' }) : entry
    })
  }

  /** What its devices published, put together with what we know of it. */
  #presenceOf(number: string): Presence {
    const published = this.#published.of(number)
    const registered = this.#options.registrar.of(number).length > 0
    const talks = this.#lines.of(number).some(({ state }) => state === 'confirmed')
    const activities = published.flatMap((each) => each.activities)
    const notes = published.flatMap((each) => each.notes)
    return {
      open: registered && (published.length === 0 || published.some(({ open }) => open)),
      activities: [...new Set(talks ? ['on-the-phone', ...activities] : activities)],
      notes: [...new Set(talks && notes.length === 0 ? ['On the phone'] : notes)],
    }
  }

  #summary(number: string): MessageSummary {
    return this.#options.mailboxes.of(number)
  }

  #contacts(number: string): readonly RegisteredContact[] {
    return this.#options.registrar
      .of(number)
      .map(({ contact }) => ({ id: contact, uri: contact, state: 'active', event: 'registered' }))
  }

  #lineChanged(extension: string): void {
    this.#lamps.changed(extension)
    this.#presence.changed(extension)
  }

  #registered(extension: string): void {
    this.#registrationChanged(extension)
    if (this.#options.mailboxes.has(extension)) this.#tellUnasked(extension)
  }

  #registrationChanged(extension: string): void {
    this.#registrations.changed(extension)
    this.#presence.changed(extension)
  }

  #mailboxChanged(extension: string): void {
    this.#summaries.changed(extension)
    this.#tellUnasked(extension)
  }

  /** To devices of an extension that has no subscription; what they answer changes nothing. */
  #tellUnasked(extension: string): void {
    const { stack, registrar, mailboxes, advertisedIp } = this.#options
    if (this.#summaries.watches(extension, extension)) return
    const body = writeMessageSummary(mailboxes.of(extension))
    for (const { routes, ...target } of registrar.targets(extension)) {
      const host = advertisedIp(target.flow)
      const address = `<${printUri(sipUri(extension, host))}>`
      const headers = {
        Event: 'message-summary',
        'Subscription-State': 'active',
        ...(target.flow && { Contact: stack.contact(target.flow) }),
        ...(routes && { Route: routes }),
      }
      const told = { target, from: address, to: address, headers, body, contentType: messageSummaryType }
      void stack.request('NOTIFY', told)
    }
  }

  #removed(number: string): void {
    this.#options.mailboxes.drop(number)
    this.#published.drop(number)
    for (const notifier of [this.#lamps, this.#presence, this.#summaries, this.#registrations]) {
      notifier.end({ resource: number }, 'noresource')
      notifier.end({ subscriber: number }, 'rejected')
    }
  }
}
