/**
 * Asks a recording client for all of its metadata anew (RFC 7866 §7.3.2, §9.2 "snapshot request"): after a restart of
 * ours, or when what it sent last cannot be placed. By UPDATE, without a description; the client sends the snapshot in a
 * request of its own.
 */
import { element, text, xmlDeclaration } from '../core/xml-print.ts'
import type { Dialog, ExtraHeaders } from '../sip/stack.types.ts'

/** @returns The status of the answer: 408 and 481 have ended the dialog. */
export async function requestSnapshot(dialog: Dialog, headers: ExtraHeaders, reason: string): Promise<number> {
  const why = element('requestreason', { 'xml:lang': 'en' }, text(reason))
  const body = xmlDeclaration + element('requestsnapshot', { xmlns: 'urn:ietf:params:xml:ns:recording:1' }, why)
  const { status } = await dialog.request('UPDATE', {
    headers: { ...headers, Require: 'siprec', 'Content-Disposition': 'recording-session' },
    contentType: 'application/rs-metadata-request',
    body,
  })
  return status
}
