/** SIP messages as files to download: the kinds there are, how each is made and sent. */
import type { FastifyReply } from 'fastify'
import { z } from 'zod'
import type { TracedMessage } from '../events/catalogue.ts'
import { pcapOf, textOf } from '../trace/export.ts'
import { problemResponses } from './problem.ts'

interface FileKind {
  /** Of the file's name and the route. */
  readonly ending: string
  readonly contentType: string
  /** For the description of a route. */
  readonly what: string
  readonly print: (messages: readonly TracedMessage[]) => Buffer | string
}

export const messageFiles: readonly FileKind[] = [
  {
    ending: 'pcap',
    contentType: 'application/vnd.tcpdump.pcap',
    what: 'for Wireshark and sngrep: each message as a UDP datagram, whatever it came by',
    print: pcapOf,
  },
  { ending: 'txt', contentType: 'text/plain; charset=utf-8', what: 'as text', print: textOf },
]

export const fileResponses = ({ contentType }: FileKind) => ({
  200: { description: 'The file.', content: { [contentType]: { schema: z.unknown() } } },
  ...problemResponses,
})

export function sendMessages(
  reply: FastifyReply,
  { ending, contentType, print }: FileKind,
  name: string,
  messages: readonly TracedMessage[],
): FastifyReply {
  const safe = `${name}.${ending}`.replaceAll(/[^\w.-]/g, '_')
  return reply.type(contentType).header('content-disposition', `attachment; filename="${safe}"`).send(print(messages))
}
