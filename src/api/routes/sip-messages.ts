/** SIP messages in memory, of registrations and refused requests too: for whoever asks why a phone cannot register. */
import type { App } from '../app.ts'
import type { ApiDeps } from '../deps.ts'
import { fileResponses, messageFiles, sendMessages } from '../message-files.ts'
import { problemResponses } from '../problem.ts'
import { messagesSchema, sipMessagesQuery } from '../schemas/calls.ts'

const tags = ['sip']

export function sipMessageRoutes(app: App, { sipMessages }: ApiDeps): void {
  app.get(
    '/api/sip/messages',
    {
      config: { access: 'admin' },
      schema: {
        tags,
        summary: 'The latest SIP messages that are still in memory, in order',
        querystring: sipMessagesQuery,
        response: { 200: messagesSchema, ...problemResponses },
      },
    },
    ({ query }) => ({ items: sipMessages(query) }),
  )

  for (const kind of messageFiles) {
    app.get(
      `/api/sip/messages.${kind.ending}`,
      {
        config: { access: 'admin' },
        schema: {
          tags,
          summary: `The latest SIP messages, ${kind.what}`,
          querystring: sipMessagesQuery,
          response: fileResponses(kind),
        },
      },
      ({ query }, reply) => sendMessages(reply, kind, 'sip-messages', sipMessages(query)),
    )
  }
}
