/**
 * The event package `dialog`: which calls somebody has, for busy lamps. RFC 4235.
 *
 * Written in full each time, for the lamps in the field: a call that is over is told once more as terminated, and an
 * idle line as one dialog that is terminated, since some phones (Grandstream) keep a lamp lit at an empty document.
 * Partial documents are read: `follow` puts them onto what was known.
 */
import { isDeepStrictEqual } from 'node:util'
import { parseXml, type XmlElement } from '../../core/xml.ts'
import { element, text, xmlDeclaration } from '../../core/xml-print.ts'
import type { EventPackage } from '../subscription/types.ts'

export const dialogInfoType = 'application/dialog-info+xml'
const namespace = 'urn:ietf:params:xml:ns:dialog-info'

const states = ['trying', 'proceeding', 'early', 'confirmed', 'terminated'] as const
const directions = ['initiator', 'recipient'] as const

/** Somebody at one end. */
export interface DialogParticipant {
  readonly uri: string
  readonly name?: string
  /** Where it is reached, when that is another URI. */
  readonly target?: string
}

export interface DialogEntry {
  /** Unique in the document, and the same from document to document. */
  readonly id: string
  readonly callId?: string
  readonly localTag?: string
  readonly remoteTag?: string
  readonly direction?: (typeof directions)[number]
  readonly state: (typeof states)[number]
  readonly local?: DialogParticipant
  readonly remote?: DialogParticipant
}

export interface DialogInfo {
  readonly entity: string
  readonly version: number
  /** The document tells of all dialogs, not only of those that changed. */
  readonly full: boolean
  readonly dialogs: readonly DialogEntry[]
}

/** The package, given who may watch and which dialogs somebody has now; terminated ones need not be among them. */
export const dialogPackage = (
  source: Pick<EventPackage<readonly DialogEntry[]>, 'admit' | 'state'>,
): EventPackage<readonly DialogEntry[]> => ({
  ...source,
  name: 'dialog',
  contentType: dialogInfoType,
  spacingMs: 1_000, // §3.10
  write: (dialogs, { entity, version, told }) => {
    if (told && isDeepStrictEqual(dialogs, told)) return undefined
    const over = (told ?? []).filter(
      ({ id, state }) => state !== 'terminated' && !dialogs.some((each) => each.id === id),
    )
    const all = [...dialogs, ...over.map(asOver)]
    const idle: DialogEntry = { id: 'idle', state: 'terminated' }
    const local = { uri: entity } // as the phone itself calls it
    const shown = (all.length > 0 ? all : [idle]).map((each) => Object.assign({ local }, each))
    return writeDialogInfo({ entity, version, full: true, dialogs: shown })
  },
})

const asOver = (dialog: DialogEntry): DialogEntry => ({ ...dialog, state: 'terminated' })

export function writeDialogInfo({ entity, version, full, dialogs }: DialogInfo): string {
  const written = dialogs.map(({ id, callId, localTag, remoteTag, direction, state, local, remote }) =>
    element(
      'dialog',
      { id, 'call-id': callId, 'local-tag': localTag, 'remote-tag': remoteTag, direction },
      element('state', {}, state),
      ...(local ? [participant('local', local)] : []),
      ...(remote ? [participant('remote', remote)] : []),
    ),
  )
  const attributes = { xmlns: namespace, version, state: full ? 'full' : 'partial', entity }
  return xmlDeclaration + element('dialog-info', attributes, ...written)
}

const participant = (side: 'local' | 'remote', { uri, name, target = uri }: DialogParticipant): string =>
  element(side, {}, element('identity', { display: name }, text(uri)), element('target', { uri: target }))

/** undefined when it is no dialog-info; dialogs without id or state are left out. */
export function readDialogInfo(body: Uint8Array): DialogInfo | undefined {
  const { root } = parseXml(body)
  if (root?.name !== 'dialog-info') return undefined
  const version = Number(root.attributes.get('version'))
  if (!Number.isSafeInteger(version)) return undefined
  return {
    entity: root.attributes.get('entity') ?? '',
    version,
    full: root.attributes.get('state') !== 'partial',
    dialogs: root.children.filter(({ name }) => name === 'dialog').flatMap(readDialog),
  }
}

function readDialog({ attributes, children }: XmlElement): DialogEntry[] {
  const id = attributes.get('id')
  const said = children.find(({ name }) => name === 'state')?.text.toLowerCase()
  const state = states.find((one) => one === said)
  if (id === undefined || state === undefined) return []
  const direction = directions.find((one) => one === attributes.get('direction'))
  const [callId, localTag, remoteTag] = ['call-id', 'local-tag', 'remote-tag'].map((name) => attributes.get(name))
  const [local, remote] = ['local', 'remote'].map((side) => readParticipant(children.find(({ name }) => name === side)))
  return [
    {
      id,
      state,
      ...(callId !== undefined && { callId }),
      ...(localTag !== undefined && { localTag }),
      ...(remoteTag !== undefined && { remoteTag }),
      ...(direction && { direction }),
      ...(local && { local }),
      ...(remote && { remote }),
    },
  ]
}

function readParticipant(side: XmlElement | undefined): DialogParticipant | undefined {
  const identity = side?.children.find(({ name }) => name === 'identity')
  const target = side?.children.find(({ name }) => name === 'target')?.attributes.get('uri')
  const uri = identity?.text ?? target
  if (uri === undefined) return undefined
  const name = identity?.attributes.get('display')
  return { uri, ...(name !== undefined && { name }), ...(target !== undefined && target !== uri && { target }) }
}

/**
 * What is known after another document (§4.3): undefined when one is missing between, and all must be asked for anew.
 *
 * A document that is older than what is known changes nothing.
 */
export function follow(known: DialogInfo | undefined, news: DialogInfo): DialogInfo | undefined {
  if (known && news.version <= known.version) return known
  if (news.full) return news
  if (news.version !== (known?.version ?? Number.NaN) + 1) return undefined
  const kept = known?.dialogs.filter(
    ({ id, state }) => state !== 'terminated' && !news.dialogs.some((each) => each.id === id),
  )
  return { ...news, full: true, dialogs: [...(kept ?? []), ...news.dialogs] }
}
